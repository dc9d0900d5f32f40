"""A push that `kill -9` cuts off is done once, and the same request says so afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from tests.actors.git.remote import local_ssh
from tests.actors.git.repository import make_repository, plain_git
from tests.end_to_end.server import Server, client_of

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="The other side is a script."),
    pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server without Codex, which reaches remotes by a program of the test's."""
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "GIT_SSH_COMMAND": str(local_ssh(tmp_path))}
    server = Server(tmp_path / "data", settings).start()
    yield server
    server.end()


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
async def test_a_push_that_was_cut_off_is_done_once(
    server: Server, tmp_path: Path, hook: str
) -> None:
    """The remote has it, or has it not, when the server dies."""
    bare, began, go = (tmp_path / name for name in ("bare", "began", "go"))
    project = make_repository(tmp_path / "project")
    plain_git(tmp_path, "init", "--quiet", "--bare", str(bare))
    waits = bare / "hooks" / hook
    waits.write_text(f"#!/bin/sh\ntouch {began}\nuntil [ -e {go} ]; do sleep 0.05; done\n")
    waits.chmod(0o755)
    plain_git(project, "remote", "add", "origin", f"git@example.org:{bare}")
    key = {"Idempotency-Key": "push"}
    async with client_of(server) as client:
        repository = await client.register(project, allowPush=True)
        run = await client.run(repository, "a", branchName="work", sandbox="workspace-write")
        session = await client.until_session(run, "completed")
        sha = plain_git(project, "commit-tree", "main^{tree}", "-p", "main", "-m", "One")
        plain_git(project, "update-ref", "refs/heads/work", sha)
        path = f"/api/sessions/{session['id']}/push"
        async with trio.open_nursery() as nursery:

            async def push() -> None:
                with pytest.raises(httpx.TransportError):
                    await client.http.post(path, json={}, headers=key, timeout=60)

            nursery.start_soon(push)
            with trio.fail_after(60):
                while not began.exists():  # noqa: ASYNC110 - a script tells by a file
                    await trio.sleep(0.02)
            await trio.to_thread.run_sync(server.kill)
    go.touch()
    await trio.to_thread.run_sync(server.start)
    async with client_of(server) as client:
        with trio.fail_after(60):
            while True:
                answer = await client.http.post(path, json={}, headers=key, timeout=60)
                if answer.status_code != 202:
                    break
                await trio.sleep(0.05)
        assert (201, "pushed", sha) == (
            answer.status_code,
            answer.json()["status"],
            plain_git(bare, "rev-parse", "work"),
        )
        (one,) = (await client.get(f"/api/sessions/{session['id']}/pushes"))["items"]
        assert one["id"] == answer.json()["id"]
        told = await client.get("/api/events", type="session.pushed")
        assert [one["id"]] == [event["data"]["pushId"] for event in told["items"]]
