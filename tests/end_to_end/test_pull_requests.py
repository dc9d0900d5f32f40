"""From a finished turn to merged work: a GitHub that speaks the wire, and a server that dies."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio

from tests.actors.git.remote import local_ssh
from tests.actors.git.repository import make_repository, plain_git
from tests.end_to_end.server import Client, Server, client_of
from tests.fake_github import SECRET, TOKEN, FakeGitHub, fake_github

PROJECT = "ada/work"

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="The other side is a script."),
    pytest.mark.filterwarnings("ignore:Async generator 'httpx:ResourceWarning"),
]


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as github:
        yield github


@attrs.define
class Work:
    """A server, the repository that it knows, and the session whose work is to land."""

    server: Server
    github: FakeGitHub
    project: Path

    async def pushed(self, client: Client) -> dict[str, Any]:
        """Let a session end, and push a commit of its branch."""
        repository = await client.register(self.project, allowPush=True, onChecksFailed="follow_up")
        run = await client.run(repository, "Do it", branchName="work", sandbox="workspace-write")
        session: dict[str, Any] = await client.until_session(run, "completed")
        await self.push_more(client, session)
        return session

    async def push_more(self, client: Client, session: dict[str, Any]) -> str:
        """Commit to the branch, and push that; return the commit."""
        sha = plain_git(self.project, "commit-tree", "work^{tree}", "-p", "work", "-m", "One")
        plain_git(self.project, "update-ref", "refs/heads/work", sha)
        await client.post(f"/api/sessions/{session['id']}/push", {}, status=201)
        self.github.heads["work"] = sha
        for pull in self.github.pulls.values():
            pull["head"]["sha"] = sha
        return sha

    async def deliver(self) -> None:
        """Have GitHub say that there is something new."""
        answer = await trio.to_thread.run_sync(
            lambda: self.github.deliver(self.server.url, PROJECT)
        )
        assert 200 == answer.status_code

    async def until(self, client: Client, path: str, **wanted: Any) -> Any:
        """Wait until a record is so; each event may tell that it is."""
        async with client.watch(after=0) as stream:
            while True:
                found = await client.get(path)
                if wanted.items() <= found.items():
                    return found
                await stream.next()


@pytest.fixture
def work(tmp_path: Path, github: FakeGitHub) -> Iterator[Work]:
    project = make_repository(tmp_path / "project")
    bare = tmp_path / PROJECT
    bare.parent.mkdir()
    plain_git(tmp_path, "init", "--quiet", "--bare", f"{bare}.git")
    plain_git(project, "remote", "add", "origin", f"git@127.0.0.1:{PROJECT}.git")
    settings = {
        "CC_CODEX_RUNNER_MODE": "stub",
        "GIT_SSH_COMMAND": str(local_ssh(tmp_path)),
        "CC_GITHUB_TOKEN": TOKEN,
        "CC_GITHUB_API_BASE": github.url,
        "CC_GITHUB_WEBHOOK_SECRET": SECRET,
    }
    server = Server(tmp_path / "data", settings).start()
    yield Work(server, github, project)
    server.end()


async def test_a_failed_check_leads_to_a_turn_and_what_passes_is_merged(work: Work) -> None:
    async with client_of(work.server) as client:
        session = await work.pushed(client)
        sha = work.github.heads["work"]
        path = f"/api/sessions/{session['id']}/pull-request"
        pull = await client.post(path, {"title": "Do it"}, status=201)
        here = f"/api/pull-requests/{pull['id']}"
        assert ("open", 1) == (pull["status"], pull["number"])

        work.github.check(sha, "tests", "failure", "1 failed")
        await work.deliver()
        await work.until(client, here, followups=1)
        turns = (await client.get(f"/api/tasks/{session['taskId']}/sessions"))["items"]
        (turn,) = [one for one in turns if one["origin"] == "followup"]
        assert "> 1 failed" in turn["prompt"]
        await client.until_session(turn, "completed")

        sha = await work.push_more(client, turn)
        work.github.check(sha, "tests", "success")
        await work.deliver()
        await work.until(client, here, checks="passing", headSha=sha)
        asked = await client.post(f"{here}/merge", {}, status=202)
        approval = f"/api/approvals/{asked['mergeApprovalId']}/resolve"
        await client.post(approval, {"status": "approved"})
        await work.until(client, here, status="merged")
        assert work.github.pulls[PROJECT, 1]["merged"]


async def test_a_pull_request_that_was_cut_off_is_opened_once(work: Work) -> None:
    key = {"Idempotency-Key": "pull"}
    async with client_of(work.server) as client:
        session = await work.pushed(client)
        path = f"/api/sessions/{session['id']}/pull-request"
        work.github.changed.acquire()  # GitHub answers nobody until it is released
        try:
            async with trio.open_nursery() as nursery:

                async def open_it() -> None:
                    with pytest.raises(httpx.TransportError):
                        await client.http.post(path, json={}, headers=key, timeout=60)

                async with client.watch(after=0) as stream:
                    nursery.start_soon(open_it)
                    await stream.until("session.pull_request.requested")
                await trio.to_thread.run_sync(work.server.kill)
        finally:
            work.github.changed.release()
    await trio.to_thread.run_sync(work.server.start)
    async with client_of(work.server) as client:
        await work.until(client, "/api/pull-requests/1", status="open")
        answer = await client.http.post(path, json={}, headers=key, timeout=60)
        assert (201, 1, 1) == (
            answer.status_code,
            answer.json()["number"],
            work.github.times(f"POST /repos/{PROJECT}/pulls"),
        )
        told = await client.get("/api/events", type="session.pull_request.opened")
        assert 1 == len(told["items"])


@pytest.mark.parametrize("hook", ["pre-receive", "post-receive"])
async def test_a_push_with_its_pull_request_that_was_cut_off_brings_both_once(
    work: Work, tmp_path: Path, hook: str
) -> None:
    """The remote has the commits, or has them not, when the server dies."""
    began, go = tmp_path / "began", tmp_path / "go"
    waits = tmp_path / f"{PROJECT}.git" / "hooks" / hook
    waits.write_text(f"#!/bin/sh\ntouch {began}\nuntil [ -e {go} ]; do sleep 0.05; done\n")
    waits.chmod(0o755)
    async with client_of(work.server) as client:
        repository = await client.register(work.project, allowPush=True)
        run = await client.run(repository, "Do it", branchName="work", sandbox="workspace-write")
        session = await client.until_session(run, "completed")
        sha = plain_git(work.project, "commit-tree", "work^{tree}", "-p", "work", "-m", "One")
        plain_git(work.project, "update-ref", "refs/heads/work", sha)
        work.github.heads["work"] = sha
        path = f"/api/sessions/{session['id']}/push"
        async with trio.open_nursery() as nursery:

            async def push() -> None:
                with pytest.raises(httpx.TransportError):
                    wanted = {"pullRequest": {"title": "Both"}}
                    await client.http.post(path, json=wanted, timeout=60)

            nursery.start_soon(push)
            with trio.fail_after(60):
                while not began.exists():  # noqa: ASYNC110 - a script tells by a file
                    await trio.sleep(0.02)
            await trio.to_thread.run_sync(work.server.kill)
    go.touch()
    await trio.to_thread.run_sync(work.server.start)
    async with client_of(work.server) as client:
        await work.until(client, "/api/pushes/1", status="pushed")
        await work.until(client, "/api/pull-requests/1", status="open", title="Both", headSha=sha)
        assert 1 == work.github.times(f"POST /repos/{PROJECT}/pulls")
        for kind in ("session.pushed", "session.pull_request.opened"):
            assert 1 == len((await client.get("/api/events", type=kind))["items"])


async def test_a_webhook_that_is_forged_repeated_or_late_does_no_harm(work: Work) -> None:
    async with client_of(work.server) as client:
        session = await work.pushed(client)
        sha = work.github.heads["work"]
        path = f"/api/sessions/{session['id']}/pull-request"
        pull = await client.post(path, {"title": "Do it"}, status=201)
        here = f"/api/pull-requests/{pull['id']}"
        asked = len(work.github.asked)
        deliver = partial(work.github.deliver, work.server.url)
        forged = await trio.to_thread.run_sync(partial(deliver, PROJECT, secret="guessed"))
        other = await trio.to_thread.run_sync(partial(deliver, "mallory/work"))
        assert (401, 200) == (forged.status_code, other.status_code)

        work.github.check(sha, "tests", "success")  # delivered after what came later
        for name in ("later", "earlier", "later"):
            answer = await trio.to_thread.run_sync(partial(deliver, PROJECT, delivery=name))
            assert 200 == answer.status_code
        await work.until(client, here, checks="passing")
        reads = [line for line in work.github.asked[asked:] if "/check-runs" in line]
        assert len(reads) <= 4  # the first look, and one for each delivery that is none again
        assert not [line for line in work.github.asked if "mallory" in line]
