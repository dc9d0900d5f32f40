"""The same stories with the real Codex, over each way to reach it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.codex import requests
from command_center.actors.codex.approvals import COMMAND, Decision, answer_to, describe_request
from command_center.actors.codex.errors import WireClosed
from command_center.actors.codex.messages import (
    AnswerRequest,
    Attach,
    CodexRequestResolved,
    Detach,
)
from command_center.actors.codex.settings import BridgeSettings, Deadlines, Transport
from command_center.actors.contracts.bridges import (
    BridgeStatus,
    ProbeHealth,
)
from command_center.actors.hosts.local.codex import detached, transports
from tests.codex.app_servers import SharedAppServer
from tests.codex.bridging import Bridged, open_bridge, real
from tests.codex.fixtures import models_over
from tests.codex.script import Gate, Refuse, Run, Say
from tests.codex.scripted_model import ScriptedModel

SHARED = [Transport.PROXY, Transport.WEBSOCKET]

over_each_way = models_over("reachable", list(Transport))


@pytest.fixture(params=list(Transport), ids=lambda transport: transport.value)
def reachable(
    request: pytest.FixtureRequest, codex_binary: Path, codex_home: Path, tmp_path: Path
) -> Iterator[BridgeSettings]:
    """Settings of each transport, with an app-server running where it needs one."""
    if request.param is Transport.SPAWN:
        yield real(codex_binary, codex_home)
    elif request.param is Transport.AUTO:
        yield real(codex_binary, codex_home, transport=request.param, state_folder=tmp_path)
        detached.end(detached.folder_of(tmp_path))
    else:
        with SharedAppServer(codex_binary, codex_home, request.param) as server:
            yield server.settings


@pytest.fixture(params=SHARED, ids=lambda transport: transport.value)
def shared(
    request: pytest.FixtureRequest, codex_binary: Path, codex_home: Path
) -> Iterator[BridgeSettings]:
    """Settings of the transports whose app-server goes on without us."""
    with SharedAppServer(codex_binary, codex_home, request.param) as server:
        yield server.settings


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def last_message(told: list[Any]) -> str:
    items = [m.params["item"] for m in told if getattr(m, "method", "") == "item/completed"]
    return str([item["text"] for item in items if item["type"] == "agentMessage"][-1])


async def begin_approval(bridged: Bridged, work: Path) -> str:
    thread_id = await bridged.begin(work)
    await bridged.prompt(thread_id, "Ask me.")
    return thread_id


@over_each_way
async def test_a_turn_is_told_from_its_start_to_its_end(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Run("echo from the command"), Say.text("It", " ran."))
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        turn_id = await bridged.prompt(thread_id, "Run it.")
        told = await bridged.until_told("turn/completed")
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.CONNECTED
    assert health.transport == reachable.transport.value
    assert last_message(told) == "It ran."
    turn = told[-1].params["turn"]
    assert (turn["id"], turn["status"]) == (turn_id, "completed")
    methods = [message.method for message in told]
    assert methods.index("turn/started") < methods.index("item/started")
    assert "from the command" in scripted_model.requests[-1].tool_outputs[0]


@over_each_way
@pytest.mark.parametrize("approved", [True, False])
async def test_a_command_is_asked_about_and_the_decision_reaches_codex(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path, *, approved: bool
) -> None:
    scripted_model.script = (Run("echo outside", justification="May I?"), Say.text("Decided."))
    async with open_bridge(reachable) as bridged:
        await begin_approval(bridged, work)
        asked = await bridged.until_asked()
        shown = describe_request(asked.method, asked.params)
        decision = Decision(approved=approved)
        answer = answer_to(asked.method, asked.params, decision)
        await bridged.bridge.ask(AnswerRequest(asked.request_id, answer))
        told = await bridged.until_told("turn/completed")
    assert asked.method == COMMAND
    assert (shown.kind, shown.title) == ("command", "Run: echo outside")
    assert shown.details["cwd"] == str(work)
    assert shown.details["reason"] == "May I?"
    resolved = [message for message in told if isinstance(message, CodexRequestResolved)]
    assert [message.answered_here for message in resolved] == [True]
    output = scripted_model.requests[-1].tool_outputs[0]
    assert ("outside" in output) is approved


async def test_a_turn_is_steered(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    gate = Gate()
    scripted_model.script = (Say.text("Working", gate, " still."), Say.text("Heard you."))
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        turn_id = await bridged.prompt(thread_id, "Work.")
        await trio.to_thread.run_sync(gate.wait_until_reached)
        steer = requests.turn_steer(thread_id, turn_id, "Use less.", client_message_id="s-1")
        assert await bridged.bridge.ask(steer) == {"turnId": turn_id}
        gate.open()  # where Codex lets what the model says come to its end first
        told = await bridged.until_told("turn/completed")
    assert last_message(told) == "Heard you."
    assert "Use less." in scripted_model.requests[-1].user_texts


@over_each_way
async def test_an_interrupted_turn_ends_and_its_command_is_ended_with_it(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Run("echo begun; sleep 300; echo not reached"),)
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        turn_id = await bridged.prompt(thread_id, "Work.")
        await bridged.until(is_running_command)
        await bridged.bridge.ask(requests.turn_interrupt(thread_id, turn_id))
        told = await bridged.until_told("turn/completed")
        await bridged.bridge.ask(requests.terminals_clean(thread_id))
        ended = (await bridged.until_told("item/completed"))[-1]
    assert told[-1].params["turn"]["status"] == "interrupted"
    assert ended.params["item"]["type"] == "commandExecution"
    assert ended.params["item"]["status"] == "failed"


def is_running_command(message: Any) -> bool:
    return (
        getattr(message, "method", "") == "item/started"
        and message.params["item"]["type"] == "commandExecution"
    )


async def test_a_failing_model_fails_the_turn_with_its_words(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Refuse(400, "no such model"),)
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        await bridged.prompt(thread_id, "Fail.")
        told = await bridged.until_told("turn/completed")
    turn = told[-1].params["turn"]
    assert turn["status"] == "failed"
    assert "no such model" in turn["error"]["message"]


async def test_a_thread_is_resumed_on_a_new_connection(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Say.text("Hello."),)
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        await bridged.prompt(thread_id, "First.")
        await bridged.until_told("turn/completed")
    async with open_bridge(reachable) as bridged:
        await bridged.bridge.ask(Attach(thread_id, bridged.session))
        await bridged.call("thread/resume", {"threadId": thread_id})
        await bridged.prompt(thread_id, "Second.")
        await bridged.until_told("turn/completed")
        turns = await bridged.bridge.ask(requests.turns_list(thread_id))
    assert len(turns["data"]) == 2
    assert {"First.", "Second."} <= set(scripted_model.requests[-1].user_texts)


async def test_codex_tells_no_more_of_a_thread_that_was_left_and_tells_of_it_when_it_is_joined(
    reachable: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Say.text("Hello."),)
    async with open_bridge(reachable) as bridged:
        thread_id = await bridged.begin(work)
        await bridged.prompt(thread_id, "Say hello.")
        await bridged.until_told("turn/completed")
        await bridged.bridge.ask(Detach(thread_id, bridged.session))
        left = await bridged.call("thread/unsubscribe", {"threadId": thread_id})
        assert left["status"] == "notSubscribed"
        await bridged.bridge.ask(Attach(thread_id, bridged.session))
        await bridged.call("thread/resume", {"threadId": thread_id})
        # What one session leaves the next one may be joining at that moment.
        await bridged.bridge.tell(Detach(thread_id, bridged.session))
        await bridged.bridge.tell(Attach(thread_id, bridged.session))
        await bridged.call("thread/resume", {"threadId": thread_id})
        await bridged.prompt(thread_id, "Say it again.")
        await bridged.until_told("turn/completed")


@models_over("shared", SHARED)
async def test_a_turn_goes_on_without_us_and_asks_again_when_we_come_back(
    shared: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Run("echo outside", justification="May I?"), Say.text("Decided."))
    async with open_bridge(shared) as bridged:
        thread_id = await begin_approval(bridged, work)
        before = await bridged.until_asked()
    async with open_bridge(shared) as bridged:
        await bridged.bridge.ask(Attach(thread_id, bridged.session))
        resumed = await bridged.call("thread/resume", {"threadId": thread_id})
        after = await bridged.until_asked()
        await bridged.bridge.ask(AnswerRequest(after.request_id, {"decision": "accept"}))
        told = await bridged.until_told("turn/completed")
    assert resumed["thread"]["status"]["type"] == "active"
    assert after.params == before.params
    assert after.request_id != before.request_id
    assert last_message(told) == "Decided."


async def test_an_answer_of_another_client_is_told_as_answered_elsewhere(
    shared: BridgeSettings, scripted_model: ScriptedModel, work: Path
) -> None:
    scripted_model.script = (Run("echo outside", justification="May I?"), Say.text("Decided."))
    async with open_bridge(shared) as ours, open_bridge(shared) as theirs:
        thread_id = await begin_approval(ours, work)
        asked = await ours.until_asked()
        await theirs.bridge.ask(Attach(thread_id, theirs.session))
        await theirs.call("thread/resume", {"threadId": thread_id})
        their_request = await theirs.until_asked()
        await theirs.bridge.ask(AnswerRequest(their_request.request_id, {"decision": "decline"}))
        told = await ours.until_told("turn/completed")
    resolved = [message for message in told if isinstance(message, CodexRequestResolved)]
    assert resolved == [CodexRequestResolved(thread_id, asked.request_id, answered_here=False)]


async def test_a_proxy_without_an_app_server_says_how_to_start_one_however_slow_the_machine(
    codex_binary: Path, codex_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "_LAST_WORDS_SECONDS", 0.0)
    settings = real(
        codex_binary, codex_home, transport=Transport.PROXY, socket=tmp_path / "none.sock"
    )
    async with open_bridge(settings) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "none.sock" in health.message
    assert "Start the Codex app" in health.message


@pytest.mark.skipif(sys.platform == "win32", reason="nothing is asked to end there")
async def test_a_child_that_closes_its_output_and_stays_is_ended_and_heard_out(
    monkeypatch: pytest.MonkeyPatch, nursery: trio.Nursery
) -> None:
    monkeypatch.setattr(transports, "_LAST_WORDS_SECONDS", 0.0)
    says = """
import os, signal, sys
def end(*_):
    sys.exit("error: said late")
signal.signal(signal.SIGTERM, end)
os.close(1)
signal.pause()
"""
    command = (sys.executable, "-c", says)
    wire = await transports.open_wire(BridgeSettings(command=command), nursery)
    with pytest.raises(WireClosed, match="Codex closed its output: error: said late"):
        await wire.receive()
    await wire.aclose()


async def test_a_wrong_token_is_refused_with_advice(
    codex_binary: Path, codex_home: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("another-token", encoding="utf-8")
    with SharedAppServer(codex_binary, codex_home, Transport.WEBSOCKET) as server:
        settings = BridgeSettings(transport=Transport.WEBSOCKET, url=server.url, token_file=wrong)
        async with open_bridge(settings) as bridged:
            health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "CC_CODEX_WS_TOKEN_FILE" in health.message


@pytest.mark.parametrize("transport", [Transport.PROXY, Transport.WEBSOCKET])
async def test_the_end_does_not_wait_for_a_goodbye_that_codex_does_not_say(
    transport: Transport, codex_binary: Path, codex_home: Path
) -> None:
    with SharedAppServer(codex_binary, codex_home, transport) as server:
        patient = attrs.evolve(server.settings, deadlines=Deadlines(close=60.0))
        async with open_bridge(patient) as bridged:
            health = await bridged.bridge.ask(ProbeHealth())
            began = trio.current_time()
        assert trio.current_time() - began < 20
    assert health.status is BridgeStatus.CONNECTED
