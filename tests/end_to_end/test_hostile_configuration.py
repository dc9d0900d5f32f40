"""A repository's own configuration has no say in a run, with the real Codex."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from command_center.actors.codex.settings import Transport
from tests.codex.bridging import open_bridge
from tests.codex.script import Run, Say
from tests.codex.scripted_model import OLD_MODEL, ScriptedModel
from tests.end_to_end.hostile import Traps, set_traps
from tests.end_to_end.server import Client, Server, client_of
from tests.end_to_end.test_transports import Reached, reached_by


@attrs.frozen
class Site:
    """A server, the repository that sets traps for it, and the user's configuration of Codex."""

    server: Server
    model: ScriptedModel
    traps: Traps
    configuration: Path

    def script(self) -> None:
        """Have the model look for the traps and try to escape.

        It leaves a file, so that its worktree is not tidied up.
        """
        self.model.script = (
            Run("touch left; echo trap=$TRAP"),
            Run(f"touch {self.traps.escape}", justification="May I write there?"),
            Say.text("I tried."),
        )

    def found(self) -> str:
        """Return what the repository's settings made of the variable that the model looked for."""
        seen = re.search(r"trap=(\w*)", self.model.requests[-1].tool_outputs[0])
        assert seen is not None
        return seen[1]


@pytest.fixture
def traps(repository: Path) -> Iterator[Traps]:
    """A repository where no sandbox may write, as temporary folders are, and what it springs."""
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        moved = repository.rename(Path(folder) / "project")
        yield set_traps(moved, Path(folder) / "traps")


@pytest.fixture(params=["app-server", "cli"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path, codex_binary: Path, codex_home: Path
) -> Iterator[Server]:
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_RUNNER_MODE": request.param,
            "CC_CODEX_COMMAND": str(codex_binary),
            "CODEX_HOME": str(codex_home),
        },
    )
    yield server
    if server.process is not None:
        server.stop()


@pytest.fixture
def site(traps: Traps, server: Server, scripted_model: ScriptedModel) -> Site:
    # In this order the server has ended, and its git, before the repository is deleted.
    return Site(server, scripted_model, traps, Path(server.settings["CODEX_HOME"]) / "config.toml")


async def decide(client: Client, session: Any, runner: str) -> Any:
    """Reject what the session asks, as it must where it can; the session when it has ended."""
    if runner == "app-server":
        await client.until_session(session, "waiting_approval")
        listed = await client.get("/api/approvals", sessionId=session["id"], status="pending")
        (approval,) = listed["items"]
        assert "command" == approval["kind"]
        await client.post(f"/api/approvals/{approval['id']}/resolve", {"status": "rejected"})
    return await client.until_session(session, "completed")


@pytest.mark.parametrize(
    ("worktree", "trusted", "codex_model"),
    [
        pytest.param(False, False, None, id="main checkout-unknown to Codex"),
        pytest.param(False, True, None, id="main checkout-trusted by its user"),
        pytest.param(True, False, None, id="worktree-unknown to Codex"),
        pytest.param(True, True, None, id="worktree-trusted by its user"),
        pytest.param(True, True, OLD_MODEL, id="worktree-trusted by its user-old model"),
    ],
)
async def test_what_a_repository_configures_runs_nothing_and_loosens_nothing(
    site: Site, *, worktree: bool, trusted: bool
) -> None:
    if trusted:
        with site.configuration.open("a") as configuration:
            configuration.write(f'\n[projects."{site.traps.checkout}"]\ntrust_level = "trusted"\n')
    before = site.configuration.read_bytes()
    runner = site.server.start().settings["CC_CODEX_RUNNER_MODE"]
    async with client_of(site.server) as client:
        registered = await client.register(site.traps.checkout, requireWorktree=worktree)
        site.script()
        session = await client.run(registered, "Try it.")
        ended = await decide(client, session, runner)
        assert worktree == (ended["worktreePath"] is not None)
        assert "" == site.found()

        # Codex starts anew, and takes the thread up from its file.
        site.server.stop()
        site.server.start()
        async with client_of(site.server) as again:
            site.script()
            if runner == "app-server":
                follow = await again.post(
                    f"/api/codex/threads/{ended['codexThreadId']}/prompt",
                    {"repositoryId": registered["id"], "cwd": ended["cwd"], "prompt": "Again."},
                    status=201,
                )
            else:
                follow = {"session": await again.run(registered, "Again.")}
            await decide(again, follow["session"], runner)
    assert [] == site.traps.sprung
    assert before == site.configuration.read_bytes()


async def test_a_review_of_a_repository_runs_nothing_of_its_configuration(site: Site) -> None:
    before = site.configuration.read_bytes()
    site.server.start()
    async with client_of(site.server) as client:
        registered = await client.register(site.traps.checkout)
        site.script()
        task = await client.task(registered, "Review it.", type="review_task")
        outcome = await client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
        await client.until_session(outcome["session"], "completed")
        assert "" == site.found()
    assert [] == site.traps.sprung
    assert before == site.configuration.read_bytes()


LOOSE = {
    "sandbox": "danger-full-access",
    "approvalPolicy": "never",
    "approvalsReviewer": "auto_review",
}
"""The ways in which another program may have opened its thread."""


@pytest.fixture
def shared(tmp_path: Path, codex_binary: Path, scripted_model: ScriptedModel) -> Iterator[Reached]:
    """A server on an app-server that others use, too."""
    with reached_by(Transport.PROXY, tmp_path, codex_binary, scripted_model) as reached:
        yield reached


async def prompt(client: Client, repository: Any, thread_id: str) -> Any:
    """The session of a prompt in a thread that is there."""
    body = {"repositoryId": repository["id"], "prompt": "Go on."}
    outcome = await client.post(f"/api/codex/threads/{thread_id}/prompt", body, status=201)
    return outcome["session"]


async def test_a_thread_that_another_program_has_open_obeys_no_files_for_a_run(
    shared: Reached, scripted_model: ScriptedModel, traps: Traps
) -> None:
    assert shared.shared is not None
    async with client_of(shared.server) as client:
        registered = await client.register(traps.checkout)
        async with open_bridge(shared.shared.settings) as other:
            scripted_model.script = (Say.text("Hello."),)
            thread_id = await other.begin(traps.checkout, **LOOSE)
            await other.prompt(thread_id, "Say hello.")
            await other.until_told("turn/completed")
            traps.forget()
            refused = await client.until_session(await prompt(client, registered, thread_id))
            assert "failed" == refused["status"]
            assert f"Thread {thread_id} is open in another program" in refused["exitReason"]
            assert [] == traps.sprung
        Site(shared.server, scripted_model, traps, Path()).script()
        session = await prompt(client, registered, thread_id)
        await decide(client, session, "app-server")
        assert "" == Site(shared.server, scripted_model, traps, Path()).found()
        assert [] == traps.sprung


async def test_a_turn_is_confined_in_a_thread_that_another_program_has_open(
    shared: Reached, scripted_model: ScriptedModel, repository: Path
) -> None:
    assert shared.shared is not None
    with tempfile.TemporaryDirectory(prefix=".command-center-test-", dir=Path.home()) as folder:
        moved = repository.rename(Path(folder) / "project")
        escape = Path(folder) / "escaped"
        async with client_of(shared.server) as client, open_bridge(shared.shared.settings) as other:
            registered = await client.register(moved)
            scripted_model.script = (Say.text("Hello."),)
            thread_id = await other.begin(moved, **LOOSE)
            await other.prompt(thread_id, "Say hello.")
            await other.until_told("turn/completed")
            scripted_model.script = (
                Run(f"touch {escape}"),
                Run(f"touch {escape}", justification="May I?"),
                Say.text("I tried."),
            )
            await decide(client, await prompt(client, registered, thread_id), "app-server")
        assert "Read-only file system" in scripted_model.requests[-1].tool_outputs[0]
        assert not escape.exists()


@pytest.mark.parametrize("transport", ["auto", "spawn"])
async def test_the_folder_that_the_server_is_started_in_has_no_say_in_codex(
    *,
    transport: str,
    tmp_path: Path,
    codex_binary: Path,
    codex_home: Path,
    scripted_model: ScriptedModel,
    repository: Path,
) -> None:
    with (codex_home / "config.toml").open("a") as configuration:
        configuration.write(f'\n[projects."{repository}"]\ntrust_level = "trusted"\n')
    for made in codex_home.glob("*.sqlite*"):
        made.unlink()
    (repository / ".codex").mkdir()
    elsewhere = tmp_path / "elsewhere"
    (repository / ".codex/config.toml").write_text(f'sqlite_home = "{elsewhere}"\n')
    server = Server(
        tmp_path / "data",
        {
            "CC_CODEX_COMMAND": str(codex_binary),
            "CC_CODEX_TRANSPORT": transport,
            "CODEX_HOME": os.path.relpath(codex_home, repository),
        },
        cwd=repository,
    ).start()
    scripted_model.script = (Say.text("Hello."),)
    try:
        async with client_of(server) as client:
            session = await client.run(await client.register(repository), "Say hello.")
            assert "Hello." == (await client.until_session(session, "completed"))["lastMessage"]
    finally:
        server.end()
    assert not elsewhere.exists()
    assert [*codex_home.glob("*.sqlite")]
