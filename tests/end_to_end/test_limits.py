"""The limits of a run hold, with the real Codex and a model that tries."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of

pytestmark = both_models

COMMIT = "echo agent > agent.txt; git add agent.txt && git commit -q -m 'By the agent'"
ALL = {"allowWrite": True, "allowNetwork": True, "allowCommit": True}


def git(folder: Path, *arguments: str) -> str:
    """Return what a git of the test's own says."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's own git
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


@attrs.frozen
class Bench:
    """A server with the real Codex, a model to script, and a repository."""

    client: Client
    model: ScriptedModel
    repository: Path

    async def start(self, flags: dict[str, Any], *steps: Run, **run: object) -> Any:
        """A session whose model takes these steps."""
        self.model.script = (*steps, Say.text("I tried."))
        registered = await self.client.register(self.repository, **flags)
        return await self.client.run(registered, "Try it.", **run)

    def outputs(self) -> list[str]:
        """Return what Codex told the model of each command so far."""
        return self.model.requests[-1].tool_outputs

    async def pending(self) -> list[Any]:
        """Return what waits on a person."""
        listed = await self.client.get("/api/approvals", status="pending")
        found: list[Any] = listed["items"]
        return found

    def commits(self) -> list[str]:
        """The subjects of all commits of all branches; a child is first, within a second too."""
        return git(self.repository, "log", "--all", "--topo-order", "--format=%s").splitlines()


@pytest.fixture
def ours(repository: Path) -> Path:
    """The repository, where whoever may commit can."""
    git(repository, "config", "user.name", "Ada")
    git(repository, "config", "user.email", "ada@example.org")
    return repository


@pytest.fixture
async def bench(codex_client: Client, scripted_model: ScriptedModel, ours: Path) -> Bench:
    return Bench(codex_client, scripted_model, ours)


@pytest.fixture
async def cli_bench(
    tmp_path: Path, codex_binary: Path, codex_home: Path, scripted_model: ScriptedModel, ours: Path
) -> AsyncIterator[Bench]:
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": "cli",
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    try:
        async with client_of(server) as client:
            yield Bench(client, scripted_model, ours)
    finally:
        server.stop()


PLACES = pytest.mark.parametrize("worktree", [False, True], ids=["main checkout", "worktree"])


@PLACES
async def test_without_leave_to_commit_git_commit_fails_and_asked_for_it_makes_no_commit(
    bench: Bench, *, worktree: bool
) -> None:
    session = await bench.start(
        {"requireWorktree": worktree}, Run(COMMIT), Run(COMMIT, justification="May I commit?")
    )
    await bench.client.until_session(session, "waiting_approval")
    (approval,) = await bench.pending()
    assert ["This session may not commit."] == approval["details"]["beyondRun"]
    assert "Read-only file system" in bench.outputs()[0]
    assert ["Begin"] == bench.commits()
    await bench.client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})
    ended = await bench.client.until_session(session, "completed")
    assert worktree == (ended["worktreePath"] is not None)
    assert "rejected" in bench.outputs()[1]
    assert ["Begin"] == bench.commits()


async def test_a_commit_that_a_person_approves_is_made(bench: Bench) -> None:
    session = await bench.start({}, Run(COMMIT, justification="May I commit?"))
    await bench.client.until_session(session, "waiting_approval")
    (approval,) = await bench.pending()
    await bench.client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "approved"})
    await bench.client.until_session(session, "completed")
    assert ["By the agent", "Begin"] == bench.commits()


@PLACES
async def test_with_leave_to_commit_nobody_is_asked(bench: Bench, *, worktree: bool) -> None:
    session = await bench.start({"allowCommit": True, "requireWorktree": worktree}, Run(COMMIT))
    ended = await bench.client.until_session(session)
    assert "completed" == ended["status"]
    assert ["By the agent", "Begin"] == bench.commits()
    approvals = await bench.client.get("/api/approvals")
    assert [] == approvals["items"]
    branch = ended["branchName"] or "main"
    assert "By the agent" == git(bench.repository, "log", "-1", "--format=%s", branch)


async def test_a_run_that_may_commit_in_a_worktree_reaches_neither_hooks_nor_configuration(
    codex_client: Client, scripted_model: ScriptedModel, ours: Path
) -> None:
    # Temporary folders are writable to every run, so that this needs a repository elsewhere.
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        moved = ours.rename(Path(folder) / "project")
        bench = Bench(codex_client, scripted_model, moved)
        hook = moved / ".git" / "hooks" / "pre-commit"
        plant = f"echo evil > {hook}; git config core.fsmonitor evil; {COMMIT}"
        session = await bench.start({"allowCommit": True, "requireWorktree": True}, Run(plant))
        await bench.client.until_session(session, "completed")
        assert not hook.exists()
        assert "evil" not in (moved / ".git" / "config").read_text()
        assert ["By the agent", "Begin"] == bench.commits()
        # Whoever lists them waits for who keeps them: its git is to end before the repository goes.
        await bench.client.get(f"/api/sessions/{session['id']}/snapshots")


async def test_a_run_that_was_asked_not_to_commit_does_not_where_the_repository_would_let_it(
    bench: Bench,
) -> None:
    session = await bench.start({"allowCommit": True}, Run(COMMIT), allowCommit=False)
    await bench.client.until_session(session, "completed")
    assert ["Begin"] == bench.commits()


@PLACES
@pytest.mark.parametrize("allowed", [False, True], ids=["without leave", "with leave"])
async def test_the_cli_runner_commits_only_with_leave(
    cli_bench: Bench, *, worktree: bool, allowed: bool
) -> None:
    session = await cli_bench.start(
        {"allowCommit": allowed, "requireWorktree": worktree},
        Run(COMMIT),
        Run(COMMIT, justification="May I commit?"),
    )
    await cli_bench.client.until_session(session, "completed")
    assert (["By the agent", "Begin"] if allowed else ["Begin"]) == cli_bench.commits()


@pytest.mark.parametrize("allowed", [False, True], ids=["without leave", "with leave"])
async def test_the_network_is_reached_only_with_leave(bench: Bench, *, allowed: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        session = await bench.start(
            {"allowNetwork": allowed}, Run(f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached")
        )
        await bench.client.until_session(session, "completed")
    assert allowed == ("reached" in bench.outputs()[0])


async def test_asked_for_the_network_a_person_is_told_that_the_run_has_none(bench: Bench) -> None:
    session = await bench.start({}, Run("git push nowhere", justification="May I push?"))
    await bench.client.until_session(session, "waiting_approval")
    (approval,) = await bench.pending()
    assert ["This session may not use the network."] == approval["details"]["beyondRun"]
    await bench.client.post(f"/api/sessions/{session['id']}/stop")


@pytest.mark.parametrize("sandbox", ["read-only", "workspace-write"])
async def test_nothing_is_written_outside_and_asked_for_it_only_when_a_person_agrees(
    bench: Bench, sandbox: str
) -> None:
    outside = Path.home() / f".command-center-test-{bench.client.server.url.rpartition(':')[2]}"
    session = await bench.start(
        {},
        Run(f"touch {outside}"),
        Run(f"touch {outside}", justification="May I write there?"),
        sandbox=sandbox,
    )
    try:
        await bench.client.until_session(session, "waiting_approval")
        assert not outside.exists()
        (approval,) = await bench.pending()
        await bench.client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})
        await bench.client.until_session(session, "completed")
        assert not outside.exists()
    finally:
        outside.unlink(missing_ok=True)


async def test_a_run_that_may_only_read_writes_nothing(bench: Bench) -> None:
    session = await bench.start({"allowWrite": False, "allowCommit": True}, Run(COMMIT))
    await bench.client.until_session(session, "completed")
    assert not (bench.repository / "agent.txt").exists()
    assert ["Begin"] == bench.commits()
