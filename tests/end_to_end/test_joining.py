"""A terminal and Command Center on one machine, as installed: they share threads and questions.

The terminal's app-server listens on Codex's control socket; a second client of it is the terminal.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import attrs
import pytest

from command_center.actors.codex.messages import AnswerRequest, Attach
from command_center.actors.codex.settings import Transport
from tests.codex.app_servers import SharedAppServer
from tests.codex.bridging import Bridged, open_bridge
from tests.codex.script import Gate, Run, Say
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.server import Client, Server, client_of


@attrs.frozen
class Machine:
    """A user's machine, with Codex and the server."""

    binary: Path
    home: Path
    server: Server

    @contextlib.contextmanager
    def terminal(self) -> Iterator[SharedAppServer]:
        """The app-server that a terminal leaves on Codex's control socket."""
        folder = self.home / "app-server-control"
        folder.mkdir(mode=0o700, exist_ok=True)
        socket = folder / "app-server-control.sock"
        with SharedAppServer(self.binary, self.home, Transport.PROXY, socket) as shared:
            yield shared


@pytest.fixture
def machine(codex_binary: Path, scripted_model: ScriptedModel) -> Iterator[Machine]:
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        home = write_codex_home(Path(folder) / "home", scripted_model, called=None)
        settings = {"CC_CODEX_COMMAND": str(codex_binary), "CODEX_HOME": str(home)}
        server = Server(Path(folder) / "data", settings)
        yield Machine(codex_binary, home, server)
        server.end()


@contextlib.asynccontextmanager
async def at_terminal(shared: SharedAppServer) -> AsyncIterator[Bridged]:
    """A client of the terminal's app-server."""
    async with open_bridge(shared.settings) as terminal:
        yield terminal


async def prompted(client: Client, thread_id: str, repository: object, prompt: str) -> object:
    """The session of a prompt to the thread."""
    outcome = await client.post(
        f"/api/codex/threads/{thread_id}/prompt",
        {"repositoryId": repository["id"], "prompt": prompt},  # type: ignore[index]
        status=201,
    )
    return outcome["session"]


async def test_a_terminal_s_app_server_is_joined_and_both_answer_what_it_asks(
    machine: Machine, scripted_model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    asks = Run(f"echo made >> {outside}", justification="May I write outside?")
    scripted_model.script = (asks, Say.text("It is made."))
    with machine.terminal() as shared:
        machine.server.start()
        async with client_of(machine.server) as client, at_terminal(shared) as terminal:
            health = await client.get("/api/codex/bridge/health")
            assert ("connected", "joined") == (health["status"], health["appServer"])
            assert "control socket" in health["message"]
            session = await client.run(
                await client.register(repository, workplace="worktree"), "Make a file outside."
            )
            waiting = await client.until_session(session, "waiting_approval")
            await terminal.bridge.ask(Attach(waiting["codexThreadId"], terminal.session))
            await terminal.call("thread/resume", {"threadId": waiting["codexThreadId"]})
            request = await terminal.until_asked()
            await terminal.bridge.ask(AnswerRequest(request.request_id, {"decision": "accept"}))
            await client.until_session(session, "completed")
            listed = await client.get("/api/approvals", sessionId=session["id"])
            assert ["answered_elsewhere"] == [one["status"] for one in listed["items"]]
    assert "made\n" == outside.read_text()


async def test_a_thread_of_a_terminal_that_came_later_is_prompted_in_its_app_server(
    machine: Machine, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    machine.server.start()
    async with client_of(machine.server) as client:
        registered = await client.register(repository, workplace="worktree")
        assert "detached" == (await client.get("/api/codex/bridge/health"))["appServer"]
        with machine.terminal() as shared:
            async with at_terminal(shared) as terminal:
                thread_id = await terminal.begin(repository)
                await terminal.prompt(thread_id, "Where are you?")
                await terminal.until_told("turn/completed")
                session = await prompted(client, thread_id, registered, "And now?")
                await terminal.until_told("turn/completed")
                ended = await client.until_session(session, "completed")
                assert thread_id == ended["codexThreadId"]
            assert "joined" == (await client.get("/api/codex/bridge/health"))["appServer"]


async def test_a_thread_of_a_terminal_is_refused_while_the_own_app_server_is_at_work(
    machine: Machine, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    machine.server.start()
    async with client_of(machine.server) as client:
        registered = await client.register(repository, workplace="worktree")
        scripted_model.script = (Say.text("Work", gate, "ing."),)
        busy = await client.run(registered, "Work.", sandbox="read-only")
        gate.wait_until_reached()
        scripted_model.script = (Say.text("Here I am."),)
        with machine.terminal() as shared:
            async with at_terminal(shared) as terminal:
                thread_id = await terminal.begin(repository)
                await terminal.prompt(thread_id, "Where are you?")
                await terminal.until_told("turn/completed")
                path = f"/api/codex/threads/{thread_id}/prompt"
                body = {"repositoryId": registered["id"], "prompt": "And now?"}
                refused = await client.http.post(path, json=body)
                assert 409 == refused.status_code, refused.text
                assert "when none of its own sessions is at work" in refused.text
                assert 1 == len((await client.get("/api/sessions"))["items"])
                gate.open()
                await client.until_session(busy, "completed")
                session = await prompted(client, thread_id, registered, "And now?")
                await client.until_session(session, "completed")


async def test_a_thread_that_nobody_can_join_is_refused_with_what_to_do(
    machine: Machine, scripted_model: ScriptedModel, repository: Path
) -> None:
    scripted_model.script = (Say.text("Here I am."),)
    machine.server.start()
    async with client_of(machine.server) as client:
        registered = await client.register(repository, workplace="worktree")
        with SharedAppServer(machine.binary, machine.home, Transport.PROXY) as elsewhere:
            async with at_terminal(elsewhere) as other:
                thread_id = await other.begin(repository)
                await other.prompt(thread_id, "Where are you?")
                await other.until_told("turn/completed")
            path = f"/api/codex/threads/{thread_id}/prompt"
            body = {"repositoryId": registered["id"], "prompt": "And now?"}
            refused = await client.http.post(path, json=body)
            assert 409 == refused.status_code, refused.text
            assert "Close it there" in refused.text
        session = await prompted(client, thread_id, registered, "And now?")
        await client.until_session(session, "completed")


async def test_when_the_terminal_s_app_server_is_gone_its_turns_are_continued_in_the_own_one(
    machine: Machine, scripted_model: ScriptedModel, repository: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Work", gate, "ing."),)
    with machine.terminal() as shared:
        machine.server.start()
        async with client_of(machine.server) as client:
            registered = await client.register(repository, workplace="worktree")
            task = await client.task(registered, "Work.", onInterrupt="continue")
            outcome = await client.post(f"/api/tasks/{task['id']}/run", {}, status=201)
            gate.wait_until_reached()
            await client.until_session(outcome["session"], "running")
            shared.kill()
            gate.open()
            first = await client.until_session(outcome["session"], "interrupted")
            listed = await client.get(f"/api/tasks/{task['id']}/sessions")
            ended = await client.until_session(listed["items"][0], "completed")
            assert first["codexThreadId"] == ended["codexThreadId"]
            assert "detached" == (await client.get("/api/codex/bridge/health"))["appServer"]
