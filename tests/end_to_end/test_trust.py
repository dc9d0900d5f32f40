"""A repository's own configuration of Codex is obeyed once a person has trusted its content."""

from __future__ import annotations

import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.codex.fixtures import both_models
from tests.codex.script import Run, Say
from tests.codex.scripted_model import ScriptedModel
from tests.end_to_end.server import Client, Server, client_of


@attrs.frozen
class Project:
    """A repository whose configuration sets a variable, and what serves it."""

    client: Client
    model: ScriptedModel
    checkout: Path
    registered: Any

    def configure(self, value: str) -> None:
        """Change the configuration."""
        path = self.checkout / ".codex" / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'[shell_environment_policy]\nset = {{ WHERE = "{value}" }}\n')

    def commit(self) -> None:
        """Commit it, so that worktrees have it."""
        git = ["git", "-C", str(self.checkout), "-c", "user.name=A", "-c", "user.email=a@b.example"]
        for arguments in (["add", "-A"], ["commit", "-q", "-m", "Configure Codex"]):
            subprocess.run([*git, *arguments], check=True, capture_output=True)

    async def run(self, **run: object) -> Any:
        """The session of a run that says what the variable is."""
        self.model.script = (Run("echo where=$WHERE"), Say.text("Said."))
        return await self.client.run(self.registered, "Where?", **run)

    async def asked(self, session: Any) -> Any:
        """The approval that a session which is blocked waits for."""
        await self.client.until_session(session, "blocked")
        listed = await self.client.get("/api/approvals", sessionId=session["id"], status="pending")
        (approval,) = listed["items"]
        assert "trust" == approval["kind"]
        return approval

    async def decide(self, approval: Any, status: str) -> None:
        """Settle it."""
        path = f"/api/approvals/{approval['id']}/resolve"
        await self.client.post(path, {"status": status, "resolvedBy": "ada"})

    async def said(self, session: Any) -> str:
        """Return what the variable was, once the session has completed."""
        await self.client.until_session(session, "completed")
        said = re.search(r"where=(\w*)", self.model.requests[-1].tool_outputs[0])
        assert said is not None
        return said[1]


@pytest.fixture(params=["app-server", "cli"])
async def project(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    repository: Path,
) -> AsyncIterator[Project]:
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": request.param,
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    ).start()
    before = (codex_home / "config.toml").read_bytes()
    try:
        async with client_of(server) as client:
            registered = await client.register(repository, codexConfig="ask")
            model = request.getfixturevalue("scripted_model")
            made = Project(client, model, repository, registered)
            made.configure("here")
            yield made
    finally:
        server.stop()
    assert before == (codex_home / "config.toml").read_bytes()


@both_models
async def test_a_run_waits_for_trust_and_obeys_what_was_trusted_and_another_content_is_asked_anew(
    project: Project,
) -> None:
    first = await project.run()
    approval = await project.asked(first)
    assert '+set = { WHERE = "here" }' in approval["details"]["diff"]
    assert [{"path": ".codex/config.toml", "isNew": True}] == approval["details"]["files"]
    await project.decide(approval, "approved")
    assert "here" == await project.said(first)

    assert "here" == await project.said(await project.run())

    project.configure("there")
    changed = await project.run()
    again = await project.asked(changed)
    assert '-set = { WHERE = "here" }\n+set = { WHERE = "there" }' in again["details"]["diff"]
    await project.decide(again, "rejected")
    assert "" == await project.said(changed)

    project.configure("here")
    assert "here" == await project.said(await project.run())

    told = await project.client.get("/api/events", type="session.codex_config")
    assert [True, True, False, True] == [event["data"]["obeyed"] for event in told["items"]]
    (trusted,) = (await project.client.get("/api/events", type="repo.codex_config.trusted"))[
        "items"
    ]
    assert ("ada", approval["details"]["digest"]) == (trusted["actor"], trusted["data"]["digest"])


async def test_what_was_trusted_in_the_checkout_is_obeyed_in_its_worktrees_and_on_resume(
    project: Project,
) -> None:
    project.commit()
    first = await project.run()
    await project.decide(await project.asked(first), "approved")
    await project.said(first)
    where = f"/api/repos/{project.registered['id']}/worktrees"  # one of a run would be tidied up
    await project.client.post(where, {"branchName": "another"}, status=201)
    session = await project.run(branchName="another")
    assert "here" == await project.said(session)
    if project.client.server.settings["CC_CODEX_RUNNER_MODE"] == "app-server":
        ended = await project.client.session(session)
        outcome = await project.client.post(
            f"/api/codex/threads/{ended['codexThreadId']}/prompt",
            {"repositoryId": project.registered["id"], "cwd": ended["cwd"], "prompt": "Again."},
            status=201,
        )
        assert "here" == await project.said(outcome["session"])


async def test_nothing_is_trusted_any_more_once_the_files_are_to_be_ignored(
    project: Project,
) -> None:
    first = await project.run()
    await project.decide(await project.asked(first), "approved")
    await project.said(first)
    where = f"/api/repos/{project.registered['id']}"
    await project.client.patch(where, {"codexConfig": "ignore"})
    assert "" == await project.said(await project.run())
    await project.client.patch(where, {"codexConfig": "ask"})
    session = await project.run()
    await project.asked(session)
    await project.client.post(f"/api/sessions/{session['id']}/stop")


async def test_files_that_cannot_be_shown_are_not_obeyed_and_said_to_be_so(
    project: Project,
) -> None:
    (project.checkout / ".codex" / "rules").symlink_to("/etc")
    session = await project.run()
    assert "" == await project.said(session)
    (told,) = (await project.client.get("/api/events", type="session.codex_config"))["items"]
    assert not told["data"]["obeyed"]
    assert "rules is neither a regular file nor a folder" in told["data"]["reason"]


async def test_a_restart_forgets_neither_what_waits_for_trust_nor_what_has_it(
    project: Project,
) -> None:
    session = await project.run()
    approval = await project.asked(session)
    server = project.client.server
    server.kill()
    server.start()
    async with client_of(server) as client:
        again = attrs.evolve(project, client=client)
        await again.decide(approval, "approved")
        assert "here" == await again.said(session)
        assert "here" == await again.said(await again.run())


@pytest.mark.chaos
@pytest.mark.parametrize("project", ["app-server"], indirect=True)
async def test_no_program_of_the_repository_runs_before_it_is_trusted(project: Project) -> None:
    """Codex opens the thread meanwhile, and would start the MCP servers as it does."""
    mark = project.checkout.parent / "started"
    config = project.checkout / ".codex" / "config.toml"
    config.write_text(
        f'{config.read_text()}[mcp_servers.mine]\ncommand = "touch"\nargs = ["{mark}"]\n'
        "startup_timeout_sec = 1\n"
    )
    refused = await project.run(workplace="main_checkout")
    await project.decide(await project.asked(refused), "rejected")
    await project.said(refused)
    assert not mark.exists()
    trusted = await project.run(workplace="main_checkout")
    await project.decide(await project.asked(trusted), "approved")
    await project.said(trusted)
    assert mark.exists()
