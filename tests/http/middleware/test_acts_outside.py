"""Each POST that acts outside of the database first commits something, or what it intends.

Every one is sent under a key, and what is done for it by git and by Codex is watched.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.center import Center, open_center
from command_center.actors.codex.messages import Call
from command_center.actors.codex.ports import Codex
from command_center.actors.core.storage import OutsideAct, RequestOrigin
from command_center.actors.forges.settings import GitHubSettings
from command_center.actors.git.discarding import KEPT_BELOW
from command_center.actors.git.ports import Checkout, Git, GitCommand, GitOutput, Writes
from command_center.actors.git.rewinding import SNAPSHOTS_BELOW
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.tree import CenterSettings
from command_center.http.app import create_app
from command_center.http.middleware import idempotency
from command_center.http.middleware.gate import Policy
from command_center.http.routes.table import OPERATIONS
from command_center.runtime import ActorRef, origin
from command_center.store import EventFilter, Transaction, orphaned_turns, pull_requests
from tests.actors.git.remote import local_ssh
from tests.actors.rows import make_database
from tests.codex.bridging import faked
from tests.fake_github import TOKEN, FakeGitHub, fake_github
from tests.http.live import client_of

GIT_LOOKS = {
    *("open", "run", "says_something", "read_file", "commit_folders", "has_index", "look"),
    *("is_being_filled", "read_begun", "measure", "find_lost", "find_standing", "find_unfinished"),
}
"""The methods that change nothing, beside `run`, which says what it writes."""
CODEX_LOOKS = {
    *("settings", "connect", "listens_for_terminals", "take_over", "file_of", "is_written"),
}


@attrs.define(eq=False)
class Watch:
    """The operations that did something outside for which nothing was committed by then."""

    committed: set[str] = attrs.field(factory=set)
    acted: set[str] = attrs.field(factory=set)

    def deed(self) -> None:
        """Take note that something is done outside of the database."""
        name = origin.get()
        if isinstance(name, RequestOrigin) and name.note is not None:
            notes: Any = name.note
            if notes.key not in self.committed:
                self.acted.add(notes._operation.id)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    note, run, ask = idempotency._Notes.__call__, LocalGit.run, ActorRef.ask

    def noting(self: Any, tx: Transaction, value: object) -> None:
        if tx.first_event_id is not None or isinstance(value, OutsideAct):
            watch.committed.add(self.key)
        note(self, tx, value)

    async def running(
        self: LocalGit,
        checkout: Checkout,
        command: GitCommand,
        sink: Callable[[bytes], None] | None = None,
    ) -> GitOutput:
        # What nothing refers to is as good as not there, or what nobody looks at but we.
        is_ours = any(
            argument.startswith((KEPT_BELOW, SNAPSHOTS_BELOW)) for argument in command.arguments
        )
        is_seen = command.writes & ~Writes.OBJECTS and not is_ours
        if is_seen or command.arguments[0] == "push":
            watch.deed()
        return await run(self, checkout, command, sink)

    async def asking(self: ActorRef[Any], message: Any, **given: Any) -> Any:
        if isinstance(message, Call) and not message.method.endswith(("/read", "/list", "/get")):
            watch.deed()
        return await ask(self, message, **given)

    monkeypatch.setattr(idempotency._Notes, "__call__", noting)
    monkeypatch.setattr(LocalGit, "run", running)
    monkeypatch.setattr(ActorRef, "ask", asking)
    for kind, port, looks in ((LocalGit, Git, GIT_LOOKS), (LocalCodex, Codex, CODEX_LOOKS)):
        for name in {name for name in vars(port) if not name.startswith("_")} - looks:
            monkeypatch.setattr(kind, name, _watched(watch, getattr(kind, name)))
    return watch


def _watched(watch: Watch, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **given: Any) -> Any:
        watch.deed()
        return method(*arguments, **given)

    return call


@asynccontextmanager
async def center_with_codex(
    folder: Path, forge: FakeGitHub
) -> AsyncIterator[tuple[Center, httpx.AsyncClient]]:
    """A center whose Codex is a fake app-server, and a client of it."""
    database = folder / "center.sqlite3"
    make_database(database)
    settings = CenterSettings(
        database=database,
        data_dir=folder,
        runner="app-server",
        bridge=faked(),
        max_sessions=8,
        approval_seconds=3600,
        github=GitHubSettings(token=TOKEN, api_base=forge.url),
    )
    async with (
        open_center(settings) as center,
        client_of(create_app(center, Policy())) as http,
    ):
        yield center, http


def git(folder: Path, *arguments: str) -> None:
    """Run git as a user does."""
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *author, "-C", folder, *arguments], check=True)  # noqa: S607 - the developer's git


@attrs.define
class Script:
    """Sends requests, each under a key of its own, and notes of which operations they were."""

    center: Center
    http: httpx.AsyncClient
    operations: dict[str, str]
    sent: set[str] = attrs.field(factory=set)

    async def post(self, rule: str, body: dict[str, Any], *ids: object) -> Any:
        """Send a request, whose path has these ids in the order of its places."""
        path = rule.format(*ids)
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = await self.http.post(path, json=body, headers=key)
        assert answer.status_code < 400, (path, answer.text)
        self.sent.add(self.operations[rule])
        return answer.json()

    async def send(self, rule: str, content: bytes) -> None:
        """Send a file."""
        headers = {
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "application/octet-stream",
        }
        answer = await self.http.post(rule, content=content, headers=headers)
        assert 201 == answer.status_code, answer.text
        self.sent.add(self.operations[rule])

    async def until(self, session: Any, status: str) -> None:
        """Wait until the session has that status."""
        with (
            trio.fail_after(30),
            self.center.fanout.subscribe(EventFilter(session_id=session["id"])) as watch,
        ):
            path = f"/api/sessions/{session['id']}"
            while status != (found := (await self.http.get(path)).json())["status"]:
                assert not found["finishedAt"], found
                await watch.take()


async def speak(script: Script, session_id: int) -> None:
    """Say something to a turn that runs."""
    await script.post("/api/sessions/{}/steer", {"message": "a"}, session_id)
    await script.post("/api/sessions/{}/messages", {"message": "a"}, session_id)
    await script.send("/api/uploads", b"a")
    await script.post("/api/backups", {})


async def land(script: Script, folder: Path, session_id: int) -> None:
    """Do with what a session left all that can be done."""
    (folder / "new.txt").write_text("a")
    viewed = {"paths": ["new.txt"]}
    await script.post("/api/sessions/{}/changes/viewed", viewed, session_id)
    comment = {"path": "new.txt", "line": 1, "text": "a"}
    await script.post("/api/sessions/{}/comments", comment, session_id)
    await script.post("/api/sessions/{}/commit", {"paths": ["new.txt"]}, session_id)
    await script.post("/api/sessions/{}/push", {}, session_id)
    pull = await script.post("/api/sessions/{}/pull-request", {"base": "main"}, session_id)
    await script.center.storage.write(
        lambda tx: pull_requests.update(tx, pull["id"], status="open").id
    )
    await script.post("/api/pull-requests/{}/merge", {}, pull["id"])
    (folder / "more.txt").write_text("a")
    gone = await script.post("/api/sessions/{}/discard", {}, session_id)
    await script.post("/api/discarded/{}/restore", {}, gone["id"])
    (folder / "more.txt").write_text("a")
    kept = (await script.http.get(f"/api/sessions/{session_id}/snapshots")).json()["items"]
    await script.post("/api/sessions/{}/rewind", {"snapshotId": kept[-1]["id"]}, session_id)
    await script.post("/api/sessions/{}/discard", {}, session_id)
    await script.post("/api/sessions/{}/merge", {}, session_id)


def make_conflict(folder: Path) -> None:
    """Make a branch `other` that conflicts with the one of a worktree, which is clean."""
    git(folder, "switch", "-q", "-c", "other", "HEAD~1")
    (folder / "new.txt").write_text("b")
    git(folder, "add", "new.txt")
    git(folder, "commit", "-q", "-m", "b")
    git(folder, "switch", "-q", "-")


async def tell(script: Script) -> None:
    """Have events sent to a webhook."""
    webhook = {"url": "https://hooks.invalid/a", "types": ["webhook.tested"]}
    made = (await script.http.post("/api/webhooks", json=webhook)).json()
    tested = await script.post("/api/webhooks/{}/test", {}, made["id"])
    await script.post("/api/webhooks/{}/replay", {"after": 0}, made["id"])
    resend = "/api/webhooks/{}/deliveries/{}/resend"
    await script.post(resend, {}, made["id"], tested["id"])


async def keep_worktrees(script: Script, repository_id: int) -> None:
    """Do with worktrees all that can be done beside a session."""
    worktrees = "/api/repos/{}/worktrees"
    for branch in ("merged", "pruned"):
        worktree = await script.post(worktrees, {"branchName": branch}, repository_id)
        if branch == "merged":
            git(Path(worktree["path"]), "commit", "-q", "--allow-empty", "-m", "b")
            merge = {"path": worktree["path"]}
            await script.post(f"{worktrees}/merge", merge, repository_id)
        else:
            shutil.rmtree(worktree["path"])
    await script.post(f"{worktrees}/prune", {}, repository_id)
    await script.post(f"{worktrees}/clean", {}, repository_id)


async def keep_threads(script: Script, repository_id: int, folder: Path) -> None:
    """Do with threads all that can be done."""
    threads = "/api/codex/threads/{}"
    await script.post(f"{threads}/fork", {}, "past-1")
    await script.post(f"{threads}/revert", {"beforeTurnId": "turn-1"}, "past-1")
    compaction = {"repositoryId": repository_id, "cwd": str(folder)}
    await script.post(f"{threads}/compact", compaction, "past-2")


async def every_post(script: Script, folder: Path) -> None:
    """Send each POST that takes a key, so that it does what it is for."""
    repository = folder / "work"
    await script.post("/api/repos/inspect", {"localPath": str(repository)})
    allowed = {"allowWrite": True, "allowCommit": True, "allowPush": True}
    made = await script.post("/api/repos", {"localPath": str(repository), **allowed})
    await script.post("/api/repos/{}/scan", {}, made["id"])
    await script.post("/api/repos/{}/issues/{}/task", {}, made["id"], 1)

    await keep_worktrees(script, made["id"])

    question = {"id": "q", "header": "a", "question": "b?", "options": None}
    asks = {"itemId": "i", "questions": [question]}
    waits = json.dumps([{"ask": "item/tool/requestUserInput", "params": asks}])
    told = {"repositoryId": made["id"], "title": "a", "prompt": waits}
    task = await script.post("/api/tasks", told)
    await script.post("/api/tasks/{}/policy-check", {}, task["id"])
    run = await script.post("/api/tasks/{}/run", {}, task["id"])
    session = run["session"]
    await script.until(session, "waiting_approval")
    await speak(script, session["id"])
    asked = (await script.http.get("/api/approvals")).json()["items"][0]
    decided = {"status": "approved", "answers": {"q": ["a"]}}
    await script.post("/api/approvals/{}/resolve", decided, asked["id"])
    await script.until(session, "completed")
    worked = (await script.http.get(f"/api/sessions/{session['id']}")).json()
    await land(script, Path(worked["cwd"]), session["id"])
    created = await script.post("/api/tasks/{}/sessions", {}, task["id"])
    await script.post("/api/sessions/{}/followups", {"message": "a"}, created["id"])
    await script.post("/api/sessions/{}/comments/send", {}, created["id"])
    await script.post("/api/sessions/{}/stop", {}, created["id"])
    await script.center.storage.write(lambda tx: orphaned_turns.note(tx, session["id"]))
    await script.post("/api/sessions/{}/abandon", {}, session["id"])
    await script.center.storage.write(lambda tx: orphaned_turns.forget(tx, session["id"]))

    make_conflict(Path(worked["cwd"]))
    base = {"base": "other"}
    await script.post("/api/sessions/{}/resolve-conflicts", base, session["id"])
    await script.post("/api/sessions/{}/review", {}, session["id"])

    thread = {"repositoryId": made["id"], "cwd": str(repository), "prompt": "[]"}
    await script.post("/api/codex/threads/{}/prompt", thread, "of-another")
    await keep_threads(script, made["id"], repository)

    approval = await script.post("/api/approvals", {"title": "a"})
    await script.post("/api/approvals/{}/extend", {"ttlSeconds": 7200}, approval["id"])

    automation = {
        "repositoryId": made["id"],
        "title": "a",
        "scheduleExpr": "hourly",
        "payload": {"prompt": "[]", "runInput": {"sandbox": "read-only"}},
    }
    made = await script.post("/api/automations", automation)
    await script.post("/api/automations/{}/run", {}, made["id"])

    await tell(script)

    order = {"reason": "a", "confirm": True}
    for action in ("suspend", "resume", "drain", "restart", "stop"):
        await script.post(f"/api/runtime/actors/{{}}/{action}", order, "tasks")


async def test_nothing_is_done_outside_before_it_is_known_that_it_may_be(
    tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "work"
    git(tmp_path, "init", "-q", str(repository))
    git(tmp_path, "init", "-q", "--bare", str(tmp_path / "remote"))
    git(repository, "remote", "add", "forge", "git@127.0.0.1:ada/work.git")
    git(repository, "remote", "add", "origin", f"git@gitlab.example.org:{tmp_path / 'remote'}")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(local_ssh(tmp_path)))
    git(repository, "commit", "-q", "--allow-empty", "-m", "a")
    done_once = [operation for operation in OPERATIONS if operation.is_done_once]
    rules = {re.sub("<[^>]*>", "{}", operation.rule): operation.id for operation in done_once}
    with fake_github() as forge:
        forge.issue("ada/work", "It breaks")
        async with center_with_codex(tmp_path / "data", forge) as (center, http):
            script = Script(center, http, rules)
            await every_post(script, tmp_path)
    assert {*rules.values()} == script.sent
    assert set() == watch.acted
