"""A worktree is set up as a person agreed to, in the run's sandbox, before Codex works in it."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.codex.script import Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of, wait_for_no_process

SCRIPT = """
echo from $CODEX_SOURCE_TREE_PATH
echo in $CODEX_WORKTREE_PATH
cat .env
echo made > made.txt
touch /held-by-the-sandbox || echo held
echo complains >&2
"""


@attrs.frozen
class Project:
    """A repository with an ignored file and a set-up script, and what serves it."""

    client: Client
    model: ScriptedModel
    checkout: Path
    data: Path
    registered: Any

    def configure(self, script: str, patterns: str = ".env\n") -> None:
        """Change how worktrees are set up."""
        folder = self.checkout / ".codex" / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.toml").write_text(f"version = 1\n[setup]\nscript = '''{script}'''\n")
        (self.checkout / ".worktreeinclude").write_text(patterns)

    async def run(self, **run: object) -> Any:
        """The session of a run that only says something."""
        self.model.script = (Say.text("Said."),)
        return await self.client.run(self.registered, "Say something.", **run)

    async def asked(self, session: Any) -> Any:
        """The approval that a session which is blocked waits for."""
        await self.client.until_session(session, "blocked")
        listed = await self.client.get("/api/approvals", sessionId=session["id"], status="pending")
        (approval,) = listed["items"]
        assert "setup" == approval["kind"]
        return approval

    async def decide(self, approval: Any, status: str) -> None:
        """Settle it."""
        path = f"/api/approvals/{approval['id']}/resolve"
        await self.client.post(path, {"status": status, "resolvedBy": "ada"})

    async def agree(self, session: Any) -> None:
        """Agree to the set-up that a session waits for."""
        await self.decide(await self.asked(session), "approved")

    async def set_up(self, session: Any) -> Any:
        """The item of the transcript that is the set-up."""
        listed = await self.client.get(f"/api/sessions/{session['id']}/items")
        return next(item["body"] for item in listed["items"] if item["itemId"] == "set-up")


@pytest.fixture
def checkout(repository: Path) -> Path:
    """A repository that ignores a file which a project needs."""
    (repository / ".gitignore").write_text(".env\n")
    (repository / ".env").write_text("PORT=1\n")
    git = ["git", "-C", str(repository), "-c", "user.name=A", "-c", "user.email=a@b.example"]
    for arguments in (["add", "-A"], ["commit", "-q", "-m", "Ignore"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    return repository


@pytest.fixture(params=["app-server", "cli"])
async def project(  # noqa: PLR0917 - fixtures
    request: pytest.FixtureRequest,
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    checkout: Path,
) -> AsyncIterator[Project]:
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": request.param,
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    try:
        async with client_of(server) as client:
            registered = await client.register(checkout, workplace="worktree")
            yield Project(client, scripted_model, checkout, server.data_dir, registered)
    finally:
        server.end()


async def test_a_worktree_is_set_up_once_a_person_agreed_and_asked_about_when_that_changes(
    project: Project,
) -> None:
    key = project.data / "sign-in.key"
    project.configure(f"{SCRIPT}cat {key} && echo read\n:\n")
    first = await project.run()
    asked = await project.asked(first)
    details = asked["details"]
    paths = [file["path"] for file in details["files"]]
    assert [".codex/environments/environment.toml", ".worktreeinclude"] == sorted(paths)
    assert ([".env"], 1) == (details["included"], details["includedCount"])
    assert "+echo made > made.txt" in details["diff"]
    assert not Path(first["cwd"]).exists()
    await project.decide(asked, "approved")
    ended = await project.client.until_session(first, "completed")
    item = await project.set_up(first)
    told = ["from " + str(project.checkout), "in " + ended["cwd"], "PORT=1", "held", "complains"]
    said = item["aggregatedOutput"].splitlines()
    assert told == [line for line in said if not line.startswith(("touch:", "cat:"))]
    assert f"cat: {key}: Permission denied" in said
    assert ("completed", 0) == (item["status"], item["exitCode"])
    assert "made\n" == (Path(ended["cwd"]) / "made.txt").read_text()
    assert not Path("/held-by-the-sandbox").exists()
    (trusted,) = (await project.client.get("/api/events", type="repo.setup.trusted"))["items"]
    assert ("ada", details["digest"]) == (trusted["actor"], trusted["data"]["digest"])

    second = await project.client.until_session(await project.run(), "completed")
    assert "made\n" == (Path(second["cwd"]) / "made.txt").read_text()

    project.configure("echo other > other.txt")
    third = await project.run()
    changed = (await project.asked(third))["details"]["diff"]
    assert "-echo made > made.txt" in changed
    assert "+echo other > other.txt" in changed
    await project.agree(third)
    ended = await project.client.until_session(third, "completed")
    assert (Path(ended["cwd"]) / "other.txt").exists()


async def test_one_yes_is_enough_for_all_runs_that_ask_about_the_same(project: Project) -> None:
    project.configure("echo made > made.txt")
    first, second = await project.run(), await project.run()
    asked = await project.asked(first), await project.asked(second)
    await project.decide(asked[0], "approved")
    for session in (first, second):
        await project.client.until_session(session, "completed")
    alike = await project.client.get(f"/api/approvals/{asked[1]['id']}")
    assert ("approved", "ada") == (alike["status"], alike["resolvedBy"])
    assert f"approval {asked[0]['id']}" in alike["resolutionNote"]
    told = await project.client.get("/api/events", type="repo.setup.trusted")
    assert 1 == len(told["items"])


async def test_a_run_goes_on_without_what_a_person_refused(project: Project) -> None:
    project.configure(SCRIPT)
    session = await project.run()
    await project.decide(await project.asked(session), "rejected")
    ended = await project.client.until_session(session, "completed")
    assert ["README.md"] == sorted(
        path.name for path in Path(ended["cwd"]).iterdir() if not path.name.startswith(".")
    )
    assert not (Path(ended["cwd"]) / ".env").exists()


async def test_a_set_up_that_fails_ends_its_session_and_is_tried_again_in_the_same_worktree(
    project: Project,
) -> None:
    project.configure("test -e .env.ready || { echo no such tool; exit 7; }; echo ready > ready")
    session = await project.run()
    await project.agree(session)
    ended = await project.client.until_session(session, "failed")
    assert (
        "The set-up script of the worktree ended with exit code 7: no such tool"
        == (ended["exitReason"])
    )
    item = await project.set_up(session)
    assert ("failed", 7, "no such tool\n") == (
        item["status"],
        item["exitCode"],
        item["aggregatedOutput"],
    )
    assert project.model.requests == []

    (Path(ended["cwd"]) / ".env.ready").touch()
    again = await project.run(worktreePath=ended["cwd"])
    ended = await project.client.until_session(again, "completed")
    assert "ready\n" == (Path(ended["cwd"]) / "ready").read_text()
    assert 0 == (await project.set_up(again))["exitCode"]
    third = await project.run(worktreePath=ended["cwd"])
    await project.client.until_session(third, "completed")
    listed = await project.client.get(f"/api/sessions/{third['id']}/items")
    assert "set-up" not in [item["itemId"] for item in listed["items"]]


async def test_a_set_up_is_ended_by_a_stop_with_all_that_it_started(project: Project) -> None:
    project.configure("echo begun; sleep 600 & sleep 600")
    session = await project.run()
    await project.agree(session)
    async with project.client.watch(after=0, sessionId=session["id"]) as stream:
        await stream.until("session.output.delta")
    stopped = await project.client.post(f"/api/sessions/{session['id']}/stop")
    assert "stopped" == stopped["session"]["status"]
    wait_for_no_process(f"CODEX_WORKTREE_PATH={session['cwd']}")


async def test_a_set_up_has_a_deadline(project: Project) -> None:
    server = project.client.server
    server.stop()
    server.settings = {**server.settings, "CC_SETUP_SECONDS": "1"}
    server.start()
    project.configure("echo begun; sleep 600")
    async with client_of(server) as client:
        here = attrs.evolve(project, client=client)
        session = await here.run()
        await here.agree(session)
        ended = await client.until_session(session, "failed")
        assert "took longer than 1 s" in ended["exitReason"]
        item = await here.set_up(session)
        assert ("failed", None) == (item["status"], item["exitCode"])
    wait_for_no_process(f"CODEX_WORKTREE_PATH={session['cwd']}")
