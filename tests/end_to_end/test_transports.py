"""The newcomer's story over each transport, with the real Codex; and what a shared one survives."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import attrs
import psutil
import pytest
import trio

from command_center.actors.codex.messages import AnswerRequest, Attach
from command_center.actors.codex.settings import Transport
from command_center.actors.sessions.interruption import OVERDUE
from tests.codex.app_servers import SharedAppServer
from tests.codex.bridging import open_bridge
from tests.codex.script import AddFile, Gate, Hold, Run, Say, Script
from tests.codex.scripted_model import ScriptedModel, write_codex_home
from tests.end_to_end.server import Client, Server, client_of

SHARED = [Transport.PROXY, Transport.WEBSOCKET]


@attrs.frozen
class Reached:
    """A server that reaches Codex by a transport; with a shared app-server, that one too."""

    transport: Transport
    server: Server
    shared: SharedAppServer | None


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


def settings_of(shared: SharedAppServer) -> dict[str, str]:
    """Return what makes a server reach it."""
    reached = shared.settings
    named = {
        "CC_CODEX_TRANSPORT": shared.transport.value,
        "CC_CODEX_SOCKET": reached.socket,
        "CC_CODEX_URL": reached.url,
        "CC_CODEX_WS_TOKEN_FILE": reached.token_file,
    }
    return {name: str(value) for name, value in named.items() if value is not None}


@contextlib.contextmanager
def reached_by(
    transport: Transport, folder: Path, binary: Path, model: ScriptedModel
) -> Iterator[Reached]:
    """A server on an app-server of its own, or on a shared one."""
    home = write_codex_home(folder / "codex-home", model, called=None)
    settings = {
        "CC_CODEX_COMMAND": str(binary),
        "CC_CODEX_TRANSPORT": transport.value,
        "CODEX_HOME": str(home),
    }
    with contextlib.ExitStack() as stack:
        shared = None
        if transport in SHARED:
            shared = stack.enter_context(SharedAppServer(binary, home, transport))
            settings |= settings_of(shared)
        server = Server(folder / "data", settings).start()
        stack.callback(server.end)
        yield Reached(transport, server, shared)


@pytest.fixture(scope="module", params=list(Transport), ids=lambda one: one.value)
def reached(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    codex_binary: Path,
    model: ScriptedModel,
) -> Iterator[Reached]:
    folder = tmp_path_factory.mktemp(request.param.value)
    with reached_by(request.param, folder, codex_binary, model) as reached:
        yield reached


@pytest.fixture
async def client(reached: Reached) -> AsyncIterator[Client]:
    async with client_of(reached.server) as client:
        yield client


async def approve(client: Client, approval_id: int, **wish: object) -> Any:
    """The approval, approved."""
    path = f"/api/approvals/{approval_id}/resolve"
    return await client.post(path, {"status": "approved", **wish})


async def test_the_same_story_is_told_over_every_transport(
    reached: Reached, client: Client, model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    gate, after_steering = Gate(), Gate()
    model.script = (
        Run(f"echo made > {outside}", justification="May I write outside?"),
        AddFile("inside.txt", "hello\n"),
        Say.text("Working", gate, " on."),
        Say.text("With the smaller one, then", after_steering, "."),
    )
    health = await client.get("/api/codex/bridge/health")
    assert ("connected", reached.transport.value) == (health["status"], health["transport"])
    assert {"items", "nextCursor"} == (await client.get("/api/codex/models")).keys()
    registered = await client.register(repository, workplace="worktree")
    session = await client.run(registered, "Make two files.")
    async with client.watch(after=0, sessionId=session["id"]) as stream:
        asked = await stream.until("approval.requested", kind="command")
        assert str(outside) in asked["data"]["details"]["command"]
        assert not outside.exists()
        await approve(client, asked["approvalId"], resolvedBy="mobile-web")
        await stream.until("session.item", type="commandExecution")
        assert "made\n" == outside.read_text()
        gate.wait_until_reached()
        steer = {"message": "Use the smaller fixture.", "requestedBy": "mobile-web"}
        receipt = await client.post(f"/api/sessions/{session['id']}/steer", steer)
        assert "acknowledged" == receipt["status"]
        gate.open()  # where Codex lets what the model says come to its end first
        after_steering.wait_until_reached()
        stop = {"reason": "Enough.", "requestedBy": "ada"}
        stopped = await client.post(f"/api/sessions/{session['id']}/stop", stop)
        assert "Stopped by ada: Enough." == stopped["session"]["exitReason"]
        await stream.until("session.stopped")
    after_steering.open()
    ended = await client.session(session)
    assert f"app-server:{ended['codexThreadId']}:{receipt['turnId']}" == ended["codexRef"]
    assert "hello\n" == (Path(ended["worktreePath"]) / "inside.txt").read_text()
    assert "inside.txt" in (await client.get(f"/api/sessions/{session['id']}/diff"))["diff"]
    found = await client.get("/api/search", q="smaller fixture", sessionId=session["id"])
    assert "userMessage" in {item["kind"] for item in found["items"]}
    types = {event["type"] for event in (await client.get("/api/events", limit=500))["items"]}
    assert {"bridge.connected", "session.steer.acknowledged", "session.stopped"} <= types


@pytest.mark.parametrize("workplace", ["main_checkout", "worktree"])
async def test_a_thread_is_found_and_prompted_again_over_every_transport(
    client: Client, model: ScriptedModel, repository: Path, workplace: str
) -> None:
    """The worktree of the first turn, which changes nothing, may be gone at the second, or go."""
    model.script = (Say.text("Here I am."),)
    registered = await client.register(repository, workplace=workplace)
    first = await client.until_session(await client.run(registered, "Where?"), "completed")
    outcome = await client.post(
        f"/api/codex/threads/{first['codexThreadId']}/prompt",
        {"repositoryId": registered["id"], "prompt": "And now?"},
        status=201,
    )
    second = await client.until_session(outcome["session"], "completed")
    assert first["codexThreadId"] == second["codexThreadId"]
    assert first["codexTurnId"] != second["codexTurnId"]
    assert (first["cwd"], first["branchName"]) == (second["cwd"], second["branchName"])


@pytest.mark.parametrize("reached", SHARED, ids=lambda one: one.value, indirect=True)
async def test_what_another_client_answers_is_answered_elsewhere(
    reached: Reached, client: Client, model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    assert reached.shared is not None
    outside = tmp_path / "outside.txt"
    model.script = (
        Run(f"echo made > {outside}", justification="May I write outside?"),
        Say.text("It is made."),
    )
    session = await client.run(await client.register(repository), "Make a file outside.")
    waiting = await client.until_session(session, "waiting_approval")
    async with open_bridge(reached.shared.settings) as other:
        await other.bridge.ask(Attach(waiting["codexThreadId"], other.session))
        await other.call("thread/resume", {"threadId": waiting["codexThreadId"]})
        request = await other.until_asked()
        await other.bridge.ask(AnswerRequest(request.request_id, {"decision": "accept"}))
        ended = await client.until_session(session, "completed")
    assert "made\n" == outside.read_text()
    assert "It is made." == ended["lastMessage"]
    listed = await client.get("/api/approvals", sessionId=session["id"])
    (approval,) = listed["items"]
    assert ("answered_elsewhere", "codex") == (approval["status"], approval["resolvedBy"])
    late = await client.http.post(
        f"/api/approvals/{approval['id']}/resolve", json={"status": "approved"}
    )
    assert 409 == late.status_code


@pytest.mark.parametrize("transport", list(Transport), ids=lambda one: one.value)
async def test_an_approval_that_waits_outlives_the_server_where_the_app_server_does(
    transport: Transport,
    codex_binary: Path,
    model: ScriptedModel,
    repository: Path,
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside.txt"
    model.script = (
        Run(f"echo made >> {outside}", justification="May I write outside?"),
        Say.text("It is made."),
    )
    with reached_by(transport, tmp_path, codex_binary, model) as reached:
        async with client_of(reached.server) as client:
            session = await client.run(await client.register(repository), "Make a file outside.")
            await client.until_session(session, "waiting_approval")
        reached.server.kill()
        reached.server.start()
        async with client_of(reached.server) as client:
            if transport is Transport.SPAWN:
                ended = await client.until_session(session, "interrupted")
                listed = await client.get("/api/approvals", sessionId=session["id"])
                assert ["cancelled"] == [one["status"] for one in listed["items"]]
                assert not outside.exists()
                return
            listed = await client.get("/api/approvals", sessionId=session["id"])
            (approval,) = listed["items"]
            await approve(client, approval["id"])
            ended = await client.until_session(session, "completed")
            assert "It is made." == ended["lastMessage"]
            assert "made\n" == outside.read_text()


async def beats(heart: Path, *, within: float) -> bool:
    """Return whether the file is written anew in this time."""
    before = heart.stat().st_mtime_ns if heart.exists() else 0
    with trio.move_on_after(within):
        while not heart.exists() or heart.stat().st_mtime_ns == before:  # noqa: ASYNC110 - a file says nothing of itself
            await trio.sleep(0.02)
        return True
    return False


def beating() -> Script:
    """A turn that never ends: Codex waits ten seconds for its command, and then for the model."""
    command = Run("while true; do echo beat > heart; sleep 0.05; done")
    return (command, Hold(Gate(), Say.text("It beats.")))


async def test_a_turn_that_was_stopped_while_codex_was_out_of_reach_is_ended_once_it_is_back(
    codex_binary: Path, model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    heart = repository / "heart"
    model.script = beating()
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        assert reached.shared is not None
        hidden = reached.shared.socket.with_name("hidden.sock")
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            connected = await stream.until("bridge.connected")
            session = await client.run(await client.register(repository), "Work.")
            assert await beats(heart, within=30)
            reached.shared.socket.rename(hidden)
            psutil.Process(connected["data"]["processId"]).kill()
            await stream.until("bridge.lost")
            stopped = await client.post(f"/api/sessions/{session['id']}/stop")
            assert OVERDUE in stopped["session"]["exitReason"]
        reached.server.kill()
        assert await beats(heart, within=5)
        hidden.rename(reached.shared.socket)
        reached.server.start()
        async with client_of(reached.server) as client, client.watch(after=0) as stream:
            settled = await stream.until("session.turn.settled")
            assert session["id"] == settled["sessionId"]
            assert {"interrupted": True} == settled["data"]
        assert not await beats(heart, within=1)


async def test_a_turn_that_was_left_for_another_runner_is_ended_once_its_own_is_back(
    codex_binary: Path, model: ScriptedModel, repository: Path, tmp_path: Path
) -> None:
    heart = repository / "heart"
    model.script = beating()
    with reached_by(Transport.PROXY, tmp_path, codex_binary, model) as reached:
        server, settings = reached.server, reached.server.settings
        async with client_of(server) as client:
            session = await client.run(await client.register(repository), "Work.")
            assert await beats(heart, within=30)
        server.stop()
        server.settings = {**settings, "CC_CODEX_RUNNER_MODE": "stub"}
        server.start()
        async with client_of(server) as client:
            left = await client.until_session(session, "interrupted")
            assert "the runner is now stub" in left["exitReason"]
        server.stop()
        assert await beats(heart, within=5)
        server.settings = settings
        server.start()
        async with client_of(server) as client, client.watch(after=0) as stream:
            settled = await stream.until("session.turn.settled")
            assert session["id"] == settled["sessionId"]
            assert {"interrupted": True} == settled["data"]
        assert not await beats(heart, within=1)


@pytest.mark.parametrize("transport", SHARED, ids=lambda one: one.value)
async def test_a_shared_app_server_that_is_not_there_is_503_until_it_is(
    transport: Transport, codex_binary: Path, model: ScriptedModel, tmp_path: Path
) -> None:
    with reached_by(transport, tmp_path, codex_binary, model) as reached:
        assert reached.shared is not None
        async with client_of(reached.server) as client:
            async with client.watch(after=0) as stream:
                await stream.until("bridge.connected")
                reached.shared.kill()
                lost = await stream.until("bridge.lost")
            assert transport.value == lost["data"]["transport"]
            answer = await client.http.get("/api/codex/threads")
            assert 503 == answer.status_code, answer.text
            assert "Retry-After" in answer.headers
            health = await client.get("/api/codex/bridge/health")
            assert "unavailable" == health["status"]
