"""Landing over HTTP: what is refused and why, and what is done once whoever asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from command_center.actors.core.storage import Storage
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from command_center.store import Transaction, pull_requests, pushes
from tests.actors.automations.rig import opened
from tests.actors.git.repository import plain_git
from tests.http.live import client_of
from tests.http.middleware.test_intents import kept, prepare

SESSION = "/api/sessions/1"


@attrs.frozen
class Left:
    """A server, and the worktree in which its session 1 has left `new.txt`."""

    http: httpx.AsyncClient
    storage: Storage
    project: Path
    folder: Path

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self.http.post(path, json=body, headers=headers)

    def git(self, *arguments: str) -> str:
        return plain_git(self.folder, *arguments)


@pytest.fixture
async def left(tmp_path: Path) -> AsyncIterator[Left]:
    project = tmp_path / "here" / "project"
    project.parent.mkdir()
    await prepare(project, "commit")
    async with (
        opened(project) as rig,
        client_of(create_app(rig.center, Policy())) as http,
    ):
        session = (await http.get(SESSION)).json()
        yield Left(http, rig.center.storage, project, Path(session["cwd"]))


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        ({"message": "m" * 1_000_000}, 400, "message"),
        ({"message": " \n "}, 400, "message"),
        ({"message": "m", "paths": ["../new.txt"]}, 400, "paths"),
        ({"message": "m", "paths": ["/etc/passwd"]}, 400, "paths"),
        ({"message": "m", "paths": [".git/config"]}, 400, "paths"),
        ({"message": "m", "author": {"name": "<a>", "email": "a@example.org"}}, 400, "author"),
    ],
)
async def test_a_commit_that_cannot_be_is_refused_by_its_field(
    left: Left, body: Any, status: int, path: str
) -> None:
    before = left.git("rev-parse", "HEAD")
    answer = await left.post(f"{SESSION}/commit", body)
    assert status == answer.status_code, answer.text[:500]
    (detail, *_) = answer.json()["error"]["details"]
    assert detail["path"].startswith(path)
    assert (before, "?? new.txt") == (
        left.git("rev-parse", "HEAD"),
        left.git("status", "--porcelain"),
    )


async def test_a_body_that_is_too_long_is_no_commit(left: Left) -> None:
    answer = await left.post(f"{SESSION}/commit", {"message": "m" * 1024 * 1024})
    assert 413 == answer.status_code


async def test_the_answer_says_which_hooks_did_not_run_and_what_is_left(left: Left) -> None:
    hook = left.project / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    made = await left.post(f"{SESSION}/commit", {"message": "m"})
    assert 201 == made.status_code, made.text
    assert (["pre-commit"], False) == (made.json()["hooksSkipped"], made.json()["isSigned"])
    again = await left.post(f"{SESSION}/commit", {"message": "m"})
    assert (409, True) == (again.status_code, "nothing to commit" in again.text)


async def test_what_was_decided_by_another_head_is_not_done(left: Left) -> None:
    plain_git(left.project, "remote", "add", "origin", "https://127.0.0.1:9/work.git")
    seen = left.git("rev-parse", "HEAD")
    left.git("commit", "--quiet", "--allow-empty", "-m", "Meanwhile")
    moved = left.git("rev-parse", "HEAD")
    for act in ("commit", "discard", "push"):
        answer = await left.post(f"{SESSION}/{act}", {"headSha": seen})
        assert 409 == answer.status_code, (act, answer.text)
        assert "moved meanwhile" in answer.text, act
        assert moved == answer.json()["error"]["facts"]["headSha"], act
    await left.post(f"{SESSION}/commit", {"message": "m", "headSha": moved})
    main = plain_git(left.project, "rev-parse", "main")
    merge = {"path": str(left.folder), "headSha": moved}
    answer = await left.post("/api/repos/1/worktrees/merge", merge)
    assert (409, True) == (answer.status_code, "moved meanwhile" in answer.text)
    assert main == plain_git(left.project, "rev-parse", "main")
    merge["headSha"] = answer.json()["error"]["facts"]["headSha"]
    del merge["path"]
    merged = await left.post(f"{SESSION}/merge", merge)
    assert 200 == merged.status_code, merged.text
    (told,) = (await left.http.get("/api/events?type=worktree.merged")).json()["items"]
    assert (1, merged.json()) == (told["sessionId"], told["data"]["merge"])


async def test_if_match_has_a_branch_acted_on_only_where_it_was_seen(left: Left) -> None:
    plain_git(left.project, "remote", "add", "origin", "https://127.0.0.1:9/work.git")
    seen = (await left.http.get(f"{SESSION}/changes")).json()["headSha"]
    assert left.git("rev-parse", "HEAD") == seen
    left.git("commit", "--quiet", "--allow-empty", "-m", "Meanwhile")
    moved = left.git("rev-parse", "HEAD")
    await left.storage.write(lambda tx: was_proposed(tx, moved))

    async def post(act: str, tag: str, **body: Any) -> httpx.Response:
        return await left.http.post(act, json=body, headers={"If-Match": tag})

    acts = ("commit", "discard", "rewind", "push", "resolve-conflicts", "pull-request")
    needed = {
        f"{SESSION}/rewind": {
            "snapshotId": await left.storage.write(partial(kept, cwd=str(left.folder)))
        }
    }
    for path in (*(f"{SESSION}/{act}" for act in acts), "/api/pull-requests/1/merge"):
        for tag in (f'"{seen}"', f'W/"{moved}"', '"main"'):
            answer = await post(path, tag, **needed.get(path, {}))
            assert 412 == answer.status_code, (path, tag, answer.text)
            assert {"headSha": moved} == answer.json()["error"]["facts"], path
        both = {"headSha": seen, **needed.get(path, {})}
        assert 412 == (await post(path, f'"{moved}"', **both)).status_code
        assert 400 == (await post(path, f'"{seen}", "{moved}"')).status_code
    assert (moved, "?? new.txt") == (
        left.git("rev-parse", "HEAD"),
        left.git("status", "--porcelain"),
    )
    made = await post(f"{SESSION}/commit", f'"{moved}"', message="m")
    assert (201, moved) == (made.status_code, made.json()["beforeSha"])
    for path in ("/api/repos/1/worktrees/merge", f"{SESSION}/merge"):
        body = {"path": str(left.folder)} if path.startswith("/api/repos") else {}
        assert 412 == (await post(path, f'"{moved}"', **body)).status_code
        assert 200 == (await post(path, "*", **body)).status_code


def was_proposed(tx: Transaction, sha: str) -> None:
    """Have the session's branch pushed, and proposed, at that commit."""
    push = {"remote": "origin", "address": "https://github.com/a/b.git", "branch_name": "a"}
    pushes.insert(
        tx,
        **push,
        repository_id=1,
        session_id=1,
        sha=sha,
        commits=1,
        status="pushed",
        requested_by="ada",
    )
    pull_requests.insert(
        tx,
        repository_id=1,
        task_id=1,
        session_id=1,
        host="github.com",
        project="a/b",
        branch_name="a",
        base="main",
        title="A",
        body="",
        head_sha=sha,
        status="open",
        number=1,
        requested_by="ada",
    )


async def test_comments_are_sent_once_by_two_at_once_and_under_one_key(left: Left) -> None:
    comment = {"path": "new.txt", "line": 1, "text": "Why?"}
    assert 201 == (await left.post(f"{SESSION}/comments", comment)).status_code
    answers: list[httpx.Response] = []

    async def send(key: str) -> None:
        answers.append(await left.post(f"{SESSION}/comments/send", {}, key))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send, "a")
        nursery.start_soon(send, "b")
    assert [200, 409] == sorted(answer.status_code for answer in answers)
    sent = next(answer for answer in answers if answer.status_code == 200)
    for key in ("a", "b"):
        again = await left.post(f"{SESSION}/comments/send", {}, key)
        assert again.content in {answer.content for answer in answers}
    found = (await left.http.get("/api/sessions")).json()["items"]
    said = [one for one in found if "Why?" in one["prompt"]]
    assert [sent.json()["session"]["id"]] == [one["id"] for one in said]
    none = await left.post(f"{SESSION}/comments/send", {})
    assert (409, True) == (none.status_code, "No comment is open" in none.text)
