"""Requests that a kill cut off, and what git did for them: known when they are sent again."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.landing import ConflictsRequest, MarkConflicts
from command_center.actors.core.storage import OutsideAct, RequestOrigin, Storage
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.runtime import origin
from command_center.store import Transaction, sessions, snapshots
from tests.actors.automations.rig import opened
from tests.actors.git.repository import plain_git
from tests.http.live import client_of

KEY = {"Idempotency-Key": "k"}
WORKTREES = "/api/repos/1/worktrees"


@attrs.frozen
class Act:
    """A POST that acts by git.

    Attributes:
        path: with the body, the request.
        event: the type of the event that tells of it.
        members: of the answer, that are the same whenever it was done.
    """

    path: str
    body: dict[str, Any]
    event: str
    members: tuple[str, ...] = ()


ACTS = {
    "create": Act(WORKTREES, {"branchName": "new"}, "worktree.created", ("branchName", "headSha")),
    "merge": Act(f"{WORKTREES}/merge", {"path": "work"}, "worktree.merged", ("how",)),
    "prune": Act(f"{WORKTREES}/prune", {}, "worktree.pruned", ("items",)),
    "clean": Act(f"{WORKTREES}/clean", {}, "worktree.removed", ("items",)),
    "commit": Act(
        "/api/sessions/1/commit",
        {"message": "A  b\n\nc"},
        "session.committed",
        ("branchName", "sha", "files", "message"),
    ),
    "commit_of_a_marked_merge": Act(
        "/api/sessions/1/commit",
        {"message": "Merge main"},
        "session.committed",
        ("branchName", "beforeSha", "sha", "files", "message"),
    ),
    "discard": Act("/api/sessions/1/discard", {}, "session.discarded", ("status", "files")),
    "rewind": Act("/api/sessions/1/rewind", {"snapshotId": 1}, "session.rewound"),
    "back_up": Act("/api/backups", {}, "backup.created", ("isScheduled",)),
    "restore": Act("/api/discarded/1/restore", {}, "session.restored", ("branchName", "sha")),
}


@asynccontextmanager
async def api(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        yield http


async def prepare(folder: Path, act: str) -> Act:
    """Make a repository in which that can be done; return the request."""
    plain_git(folder.parent, "init", "-q", "-b", "main", str(folder))
    plain_git(folder, "config", "user.name", "a")
    plain_git(folder, "config", "user.email", "a@example.org")
    (folder / ".gitignore").write_text("/*\n!/.gitignore\n!/new.txt\n")
    plain_git(folder, "add", ".gitignore")
    plain_git(folder, "commit", "-q", "-m", "a")
    request = ACTS[act]
    async with opened(folder) as rig, client_of(create_app(rig.center, Policy())) as http:
        assert 200 == (await http.post("/api/repos/1/scan", json={})).status_code
        made = [await http.post(WORKTREES, json={"branchName": name}) for name in ("a", "b")]
        worked, other = [Path(each.json()["path"]) for each in made]
        match act:
            case "merge":
                plain_git(worked, "commit", "-q", "--allow-empty", "-m", "b")
                return attrs.evolve(request, body={"path": str(worked)})
            case "prune":
                shutil.rmtree(other)
            case "commit" | "commit_of_a_marked_merge" | "discard" | "rewind" | "restore":
                (worked / "new.txt").write_text("a")
                task = {"repositoryId": 1, "title": "A", "prompt": "b"}
                await http.post("/api/tasks", json=task)
                await http.post("/api/tasks/1/sessions", json={})
                await rig.center.storage.write(partial(ended_session, cwd=str(worked)))
        if act == "commit_of_a_marked_merge":
            for place, text in ((folder, "ours"), (worked, "theirs")):
                (place / "new.txt").write_text(text)
                plain_git(place, "add", "new.txt")
                plain_git(place, "commit", "-q", "-m", text)
            await rig.center.ask(
                REPOSITORIES, MarkConflicts(1, ConflictsRequest()), timeout=GIT_SECONDS
            )
            (worked / "new.txt").write_text("both")
        if act == "rewind":
            await rig.center.storage.write(partial(kept, cwd=str(worked)))
        if act == "restore":
            gone = await http.post("/api/sessions/1/discard", json={})
            assert 201 == gone.status_code, gone.text
    return request


def ended_session(tx: Transaction, cwd: str) -> None:
    """Have the session's work in that worktree."""
    sessions.update(
        tx,
        1,
        cwd=cwd,
        worktree_path=cwd,
        branch_name="a",
        status="completed",
        finished_at=tx.now,
    )


def kept(tx: Transaction, cwd: str) -> int:
    """Have a snapshot of that worktree, in which nothing was but the last commit."""
    head = plain_git(Path(cwd), "rev-parse", "HEAD")
    made = snapshots.insert(
        tx,
        repository_id=1,
        session_id=1,
        path=cwd,
        moment="start",
        head_sha=head,
        sha=head,
        files=0,
    )
    return made.id


@contextmanager
def stuck(monkeypatch: pytest.MonkeyPatch, *, is_done: bool) -> Iterator[trio.Event]:
    """Have a request stop for ever when it knows what it will do, or when that `is_done`."""
    reached = trio.Event()
    intends: list[OutsideAct] = []
    write, intend = Storage.write, Storage.intend

    async def writing(self: Storage, unit: Any) -> Any:
        begun_by = origin.get()
        is_ours = isinstance(begun_by, RequestOrigin) and begun_by.note is not None
        if is_ours and intends and is_done:
            reached.set()
            await trio.sleep_forever()

        def noting(tx: Transaction) -> Any:
            value = unit(tx)
            if is_ours and isinstance(value, OutsideAct):
                intends.append(value)
            return value

        value = await write(self, noting)
        if is_ours and intends and not is_done:
            reached.set()
            await trio.sleep_forever()
        return value

    async def intending(self: Storage, intent: OutsideAct) -> None:
        known, intends[:] = [*intends], []
        await intend(self, intent)
        intends[:] = [*known, intent]

    with monkeypatch.context() as patched:
        patched.setattr(Storage, "write", writing)
        patched.setattr(Storage, "intend", intending)
        yield reached


async def cut_off(
    folder: Path, act: Act, monkeypatch: pytest.MonkeyPatch, *, is_done: bool
) -> None:
    """Send the request, and end the server before it answers."""

    async def send(http: httpx.AsyncClient) -> None:
        answer = await http.post(act.path, json=act.body, headers=KEY)
        pytest.fail(f"It was answered: {answer.text}")

    async with api(folder) as http, trio.open_nursery() as nursery:
        with stuck(monkeypatch, is_done=is_done) as reached:
            nursery.start_soon(send, http)
            await reached.wait()
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("act", ACTS)
async def test_what_git_did_for_a_request_that_was_cut_off_is_answered_and_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    folder, prepared = tmp_path / "r", tmp_path / "prepared"
    request = await prepare(folder, act)
    folder.rename(prepared)

    async def answered(*, cut_when_done: bool | None = None) -> tuple[list[Any], int]:
        """Do it to what was prepared; return what is always the same, and how often it is told."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(prepared, folder, symlinks=True)
        if cut_when_done is not None:
            await cut_off(folder, request, monkeypatch, is_done=cut_when_done)
        async with api(folder) as http:
            answer = await http.post(request.path, json=request.body, headers=KEY)
            assert answer.status_code < 400, answer.text
            again = await http.post(request.path, json=request.body, headers=KEY)
            assert answer.content == again.content
            told = await http.get("/api/events", params={"type": request.event})
        found = answer.json()
        return [spoken(found[member]) for member in request.members], len(told.json()["items"])

    wanted = await answered()
    assert wanted == await answered(cut_when_done=False)
    assert wanted == await answered(cut_when_done=True)


def spoken(value: Any) -> Any:
    """Return what does not depend on the moment."""
    if isinstance(value, list):
        return [spoken(each) for each in value]
    if isinstance(value, dict):
        return {name: spoken(each) for name, each in value.items()}
    text = str(value)
    return "sha" if len(text) == 40 else text
