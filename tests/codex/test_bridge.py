"""The bridge against a fake app-server, for what the real one can't be made to do."""

import json
from pathlib import Path
from typing import Any

import attrs
import psutil
import pytest
import structlog
import trio

from command_center.actors.codex.approvals import ELICITATION, USER_INPUT
from command_center.actors.codex.connection import Connection
from command_center.actors.codex.errors import (
    AnswerMisread,
    AnswerTooLong,
    BridgeUnavailable,
    CodexError,
    CodexTimeout,
    RequestGone,
)
from command_center.actors.codex.messages import (
    AnswerRequest,
    Attach,
    Call,
    CodexLagged,
    CodexNotification,
    CodexRequestRefused,
    CodexRequestResolved,
    CodexServerRequest,
    Detach,
)
from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.contracts.bridges import (
    BridgeConnected,
    BridgeLost,
    BridgeStatus,
    ProbeHealth,
    Watch,
)
from command_center.actors.hosts.local.codex.environment import CHILD
from command_center.actors.hosts.local.codex.orphans import is_alive
from command_center.actors.rules.errors import TooBusy
from command_center.runtime import ActorRef, Backoff, System
from tests.codex.bridging import SOON, faked, open_bridge

QUESTION = {"id": "q", "header": "Which", "question": "Which one?", "options": [{"label": "a"}]}


def script(*directives: dict[str, Any]) -> str:
    return json.dumps(directives)


def child_of(system: System) -> int | None:
    process_id = system.snapshot_of("/bridge").description["processId"]
    assert process_id is None or isinstance(process_id, int)
    return process_id


def calls_of(system: System) -> int:
    calls = system.snapshot_of("/bridge").description["calls"]
    assert isinstance(calls, int)
    return calls


async def test_a_connected_bridge_says_which_codex_answers() -> None:
    async with open_bridge(faked()) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.CONNECTED
    assert health.transport == "spawn"
    assert health.command.endswith("app-server --listen stdio://")
    assert health.message == "Codex 0.163.0 answers; 0 threads are loaded."


async def test_calls_made_before_the_handshake_wait_for_it() -> None:
    async with open_bridge(faked()) as bridged:
        result = await bridged.call("thread/start", {})
    assert result == {"thread": {"id": "thread-1"}}


async def test_an_error_of_codex_is_the_answer_to_the_call() -> None:
    async with open_bridge(faked()) as bridged:
        with pytest.raises(CodexError, match="no/such") as caught:
            await bridged.call("no/such", {})
    assert caught.value.code == -32600


async def test_garbage_half_lines_and_unknown_notifications_are_survived(tmp_path: Path) -> None:
    async with open_bridge(faked("chatty")) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(
            thread_id,
            script(
                {"raw": '{"method": "fake/spl'},
                {"raw": 'it", "params": {"threadId": "' + thread_id + '"}}\n'},
                {"raw": "{\n\x00\x01\n[]\n" + "[" * 3000 + "\n"},
                {"notify": "from/the/future", "params": {"new": True}},
            ),
        )
        told = await bridged.until_told("turn/completed")
        health = await bridged.bridge.ask(ProbeHealth())
    assert [message.method for message in told] == [
        "fake/split",
        "from/the/future",
        "turn/completed",
    ]
    assert health.status is BridgeStatus.CONNECTED


async def test_a_line_of_twenty_megabytes_arrives_whole(tmp_path: Path) -> None:
    size = 20_000_000
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, script({"fill": size}))
        told = await bridged.until_told("fake/filled")
    assert len(told[-1].params["x"]) == size


async def test_an_unknown_request_is_refused_and_told(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, script({"ask": "item/tool/call", "params": {"tool": "x"}}))
        told = await bridged.until_told("fake/answered")
    refused, answered = told
    assert isinstance(refused, CodexRequestRefused)
    assert refused.method == "item/tool/call"
    assert answered.params["answer"]["error"]["code"] == -32601


async def test_a_question_that_lacks_a_member_is_refused_with_its_name(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, script({"ask": USER_INPUT, "params": {"itemId": "i"}}))
        told = await bridged.until_told("fake/answered")
    assert "questions" in told[-1].params["answer"]["error"]["message"]


async def test_questions_of_two_kinds_are_asked_and_answered_in_codex_shapes(
    tmp_path: Path,
) -> None:
    form = {"serverName": "s", "message": "Go?", "mode": "form", "requestedSchema": {}}
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(
            thread_id,
            script(
                {"ask": USER_INPUT, "params": {"itemId": "i", "questions": [QUESTION]}},
                {"ask": ELICITATION, "params": form},
            ),
        )
        first = await bridged.until_asked()
        await bridged.bridge.ask(
            AnswerRequest(first.request_id, {"answers": {"q": {"answers": ["a"]}}})
        )
        answered = (await bridged.until_told("fake/answered"))[-1]
        second = await bridged.until_asked()
        await bridged.bridge.ask(AnswerRequest(second.request_id, {"action": "decline"}))
        await bridged.until_told("turn/completed")
    assert first.method == USER_INPUT
    assert second.method == ELICITATION
    assert answered.params["answer"]["result"] == {"answers": {"q": {"answers": ["a"]}}}


async def test_our_own_answer_is_told_as_answered_here(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        params = {"itemId": "i", "questions": [QUESTION]}
        await bridged.prompt(thread_id, script({"ask": USER_INPUT, "params": params}))
        asked = await bridged.until_asked()
        await bridged.bridge.ask(AnswerRequest(asked.request_id, {"answers": {}}))
        resolved = (await bridged.until(lambda m: isinstance(m, CodexRequestResolved)))[-1]
        with pytest.raises(RequestGone):
            await bridged.bridge.ask(AnswerRequest(asked.request_id, {"answers": {}}))
    assert resolved == CodexRequestResolved(thread_id, asked.request_id, answered_here=True)


async def test_a_request_that_another_client_answered_is_told_as_such(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        params = {"itemId": "i", "questions": [QUESTION]}
        await bridged.prompt(
            thread_id,
            script(
                {"ask": USER_INPUT, "params": params, "goOn": True},
                {"notify": "serverRequest/resolved", "params": {"requestId": 0}},
            ),
        )
        asked = await bridged.until_asked()
        resolved = (await bridged.until(lambda m: isinstance(m, CodexRequestResolved)))[-1]
    assert resolved == CodexRequestResolved(thread_id, asked.request_id, answered_here=False)


async def test_an_open_request_is_told_again_to_a_new_attachment_but_not_by_a_resume(
    tmp_path: Path,
) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        params = {"itemId": "i", "questions": [QUESTION]}
        await bridged.prompt(thread_id, script({"ask": USER_INPUT, "params": params}))
        first = await bridged.until_asked()
        await bridged.bridge.ask(Attach(thread_id, bridged.session))
        again = await bridged.until_asked()
        await bridged.call("thread/resume", {"threadId": thread_id})
        await bridged.bridge.ask(AnswerRequest(again.request_id, {"answers": {}}))
        rest = await bridged.until_told("turn/completed")
    assert again == first
    assert not [message for message in rest if isinstance(message, CodexServerRequest)]


async def test_a_request_of_a_thread_that_nobody_is_attached_to_waits_for_somebody(
    tmp_path: Path,
) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.bridge.ask(Detach(thread_id, bridged.session))
        params = {"itemId": "i", "questions": [QUESTION]}
        await bridged.prompt(thread_id, script({"ask": USER_INPUT, "params": params}))
        with trio.fail_after(30):
            while not bridged.routes.open_requests:
                await bridged.bridge.ask(ProbeHealth())
        await bridged.bridge.ask(Attach(thread_id, bridged.session))
        asked = await bridged.until_asked()
    assert asked.thread_id == thread_id


async def test_a_request_of_a_thread_that_the_attached_one_started_is_asked_of_it(
    tmp_path: Path,
) -> None:
    started = {"thread": {"id": "child", "parentThreadId": "thread-1"}, "threadId": "child"}
    params = {"itemId": "i", "questions": [QUESTION], "threadId": "child"}
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(
            thread_id,
            script(
                {"notify": "thread/started", "params": started},
                {"ask": USER_INPUT, "params": params},
            ),
        )
        asked = await bridged.until_asked()
    assert asked.thread_id == "child"


def is_of_grandchild(message: object) -> bool:
    return isinstance(message, CodexNotification) and message.thread_id.endswith("/grandchild")


@pytest.mark.parametrize("behaviours", [(), ("unread=2",)], ids=["written", "not written yet"])
async def test_what_a_thread_asks_and_says_before_it_is_known_waits_until_its_parent_is_found(
    tmp_path: Path, behaviours: tuple[str, ...]
) -> None:
    async with open_bridge(faked(*behaviours)) as bridged:
        thread_id = await bridged.begin(tmp_path)
        grandchild = {"threadId": f"{thread_id}/child/grandchild"}
        item = {"item": {"id": "i", "type": "agentMessage", "text": "Hello."}}
        question = {"itemId": "i", "questions": [QUESTION]}
        await bridged.prompt(
            thread_id,
            script(
                {"notify": "item/completed", "params": {**grandchild, **item}},
                {"ask": USER_INPUT, "params": {**grandchild, **question}, "goOn": True},
                {"notify": "item/completed", "params": {"threadId": "a-stranger", **item}},
            ),
        )
        seen = await bridged.until(lambda m: isinstance(m, CodexServerRequest))
        assert grandchild["threadId"] == seen[-1].thread_id
        if not any(is_of_grandchild(message) for message in seen):
            seen += await bridged.until(is_of_grandchild)
        (told,) = [message for message in seen if is_of_grandchild(message)]
        assert ("item/completed", f"{thread_id}/child") == (told.method, told.parent_id)
        with trio.fail_after(30):
            while not bridged.routes.unrouted:  # noqa: ASYNC110 - nobody is told
                await trio.sleep(0.01)


async def test_a_lost_connection_is_told_with_its_reason_and_made_again(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, script({"die": 7}))
        told = await bridged.until(lambda m: isinstance(m, BridgeConnected))
        assert await bridged.call("thread/start", {}) == {"thread": {"id": "thread-1"}}
    assert isinstance(told[0], BridgeLost)
    assert told[0].reason == "Codex ended with exit code 7."


async def test_an_answer_to_a_request_of_a_lost_connection_is_refused(tmp_path: Path) -> None:
    params = {"itemId": "i", "questions": [QUESTION]}
    ask = {"ask": USER_INPUT, "params": params, "goOn": True}
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.prompt(thread_id, script(ask, {"die": 1}))
        before = await bridged.until_asked()
        await bridged.until(lambda m: isinstance(m, BridgeConnected))
        await bridged.prompt(thread_id, script(ask))
        after = await bridged.until_asked()
        with pytest.raises(RequestGone):
            await bridged.bridge.ask(AnswerRequest(before.request_id, {"answers": {}}))
        await bridged.bridge.ask(AnswerRequest(after.request_id, {"answers": {}}))


async def test_a_hung_app_server_is_found_by_a_deadline_and_replaced() -> None:
    deadlines = attrs.evolve(SOON, quiet=0.05, probe=0.2, close=0.1)
    async with open_bridge(faked("deaf", deadlines=deadlines)) as bridged:
        with pytest.raises(BridgeUnavailable, match="hangs"):
            await bridged.call("thread/start", {})


async def test_a_call_that_is_not_answered_times_out_alone() -> None:
    async with open_bridge(faked("deaf")) as bridged:
        await bridged.bridge.ask(Watch(bridged.session))
        await bridged.until(lambda message: isinstance(message, BridgeConnected))
        with pytest.raises(CodexTimeout, match=r"thread/start within 0\.2 s"):
            await bridged.call("thread/start", {}, seconds=0.2)


async def test_an_app_server_that_never_answers_the_handshake_is_given_up() -> None:
    deadlines = attrs.evolve(SOON, handshake=0.2, close=0.1)
    async with open_bridge(faked("mute", deadlines=deadlines)) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "initialize within 0.2 s" in health.message


async def test_a_codex_that_speaks_another_protocol_is_unavailable_with_advice() -> None:
    async with open_bridge(faked("old")) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "Update Codex" in health.message


async def test_a_codex_that_crashes_is_unavailable_with_its_last_words_and_no_secret() -> None:
    async with open_bridge(faked("crash")) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "exit code 3: Error: no such config" in health.message
    assert "sk-proj-abcdef" not in health.message


async def test_a_missing_program_is_unavailable_and_says_what_to_set() -> None:
    async with open_bridge(BridgeSettings(command="no-such-codex", deadlines=SOON)) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
        with pytest.raises(BridgeUnavailable, match="CC_CODEX_COMMAND"):
            await bridged.call("thread/start", {})
    assert health.status is BridgeStatus.UNAVAILABLE
    assert "CC_CODEX_COMMAND" in health.message


async def test_a_program_that_stays_missing_is_warned_of_once() -> None:
    settings = BridgeSettings(command="no-such-codex", deadlines=SOON)
    with structlog.testing.capture_logs() as lines:
        async with open_bridge(settings) as bridged:
            while len(lines) < 3:
                with pytest.raises(BridgeUnavailable):
                    await bridged.call("thread/start", {})
    assert {"codex.unavailable"} == {line["event"] for line in lines}
    assert ["warning", "debug", "debug"] == [line["log_level"] for line in lines][:3]


async def test_a_disabled_bridge_starts_nothing_and_says_why() -> None:
    settings = BridgeSettings(disabled="The runner mode is stub.")
    async with open_bridge(settings) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
        with pytest.raises(BridgeUnavailable, match="The runner mode is stub"):
            await bridged.call("thread/start", {})
    assert health.status is BridgeStatus.DISABLED
    assert health.message == "The runner mode is stub."


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("thread/goal/get", "goal"),
        ("thread/list", "`id`"),
        ("thread/loaded/list", "str"),
        ("thread/read", "thread"),
        ("thread/resume", "thread.id"),
        ("thread/turns/list", "items"),
        ("turn/start", "turn"),
    ],
)
async def test_an_answer_that_its_protocol_has_not_is_refused_to_who_asked(
    method: str, problem: str
) -> None:
    async with open_bridge(faked()) as bridged:
        with pytest.raises(AnswerMisread, match=f"Codex answered {method} .*{problem}"):
            await bridged.bridge.ask(Call(method, {"threadId": "odd"}))
        assert 0 == bridged.system.snapshot_of("/bridge").restarts


async def test_an_answer_that_is_too_long_is_told_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def answer(_connection: Connection, method: str, *_: object) -> object:
        raise AnswerTooLong(method, 1000)

    async with open_bridge(faked()) as bridged:
        await bridged.bridge.ask(ProbeHealth())
        with monkeypatch.context() as changed:
            changed.setattr(Connection, "call", answer)
            with pytest.raises(AnswerTooLong, match="Ask for less at once"):
                await bridged.bridge.ask(Call("thread/list"))


async def test_an_overloaded_codex_is_asked_again_until_it_answers() -> None:
    async with open_bridge(faked("overloaded=3")) as bridged:
        assert await bridged.call("thread/start", {}) == {"thread": {"id": "thread-1"}}


async def test_a_codex_that_stays_overloaded_is_too_busy() -> None:
    deadlines = attrs.evolve(SOON, overload=Backoff(initial=0.5, cap=0.5, jitter=0.5))
    async with open_bridge(faked("overloaded=1000000", deadlines=deadlines)) as bridged:
        with pytest.raises(TooBusy) as caught:
            await bridged.call("thread/start", {}, seconds=1.5)
    assert caught.value.retry_after > 0


async def test_the_child_does_not_see_settings_or_tokens() -> None:
    environment = {
        "PATH": "/usr/bin",
        "CC_API_TOKEN": "1",
        "cc_port": "2",
        "TELEGRAM_TOKEN": "3",
        "MY_BOT_TOKEN": "4",
        "ELSEWHERE": "has s3cret in it",
        "KEPT": "yes",
    }
    async with open_bridge(faked(environment=environment, secrets=("s3cret",))) as bridged:
        seen = await bridged.call("fake/environment", {})
    assert set(seen) - {"LC_CTYPE"} == {"PATH", "KEPT", CHILD}


async def test_stopping_the_bridge_ends_a_child_that_ignores_everything_and_its_children() -> None:
    deadlines = attrs.evolve(SOON, close=0.1)
    async with open_bridge(faked("stubborn", deadlines=deadlines)) as bridged:
        await bridged.call("thread/start", {})
        process_id = child_of(bridged.system)
        assert process_id is not None
        child = psutil.Process(process_id)
        family = [child, *child.children(recursive=True)]
        assert len(family) == 2
    assert not [process for process in family if is_alive(process)]


async def test_a_dead_session_is_detached(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        await bridged.begin(tmp_path)
        await bridged.system.stop_child("/session", reason="the test ends it")
        with trio.fail_after(30):
            while bridged.routes.inboxes:
                await bridged.bridge.ask(ProbeHealth())


async def test_a_watcher_is_told_of_connections_and_losses_without_a_thread() -> None:
    async with open_bridge(faked()) as bridged:
        await bridged.bridge.ask(Watch(bridged.session))
        first = (await bridged.until(lambda m: isinstance(m, BridgeConnected)))[-1]
        assert first.server_version == "0.163.0"
        assert first.process_id is not None
        psutil.Process(first.process_id).kill()
        told = await bridged.until(lambda m: isinstance(m, BridgeConnected))
    assert [type(message) for message in told] == [BridgeLost, BridgeConnected]


async def test_attachments_outlive_a_restart_of_the_bridge(tmp_path: Path) -> None:
    async with open_bridge(faked()) as bridged:
        thread_id = await bridged.begin(tmp_path)
        await bridged.system.restart("/bridge", reason="the test restarts it")
        told = await bridged.until(lambda m: isinstance(m, BridgeConnected))
        await bridged.prompt(thread_id, script())
        await bridged.until_told("turn/completed")
    assert isinstance(told[0], BridgeLost)


async def test_a_slow_session_loses_notifications_but_is_told_and_holds_up_nobody(
    tmp_path: Path,
) -> None:
    count = 5000
    flood = [{"notify": "item/completed", "params": {"item": {"id": n}}} for n in range(count)]
    async with open_bridge(faked(), mailbox=1, buffer=0) as bridged:
        slow = await bridged.begin(tmp_path)
        await bridged.prompt(slow, script(*flood))
        # Nobody receives yet, and still the connection answers.
        health = await bridged.bridge.ask(ProbeHealth())
        assert health.status is BridgeStatus.CONNECTED
        told = await bridged.until_told("turn/completed")
    lagged = [message for message in told if isinstance(message, CodexLagged)]
    kept = [m for m in told if isinstance(m, CodexNotification) and m.method == "item/completed"]
    assert sum(message.dropped for message in lagged) + len(kept) == count
    assert kept[-1].params["item"]["id"] == count - 1


async def test_every_call_under_way_fails_at_once_when_the_app_server_dies() -> None:
    async with open_bridge(faked("deaf")) as bridged, trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(fails_as_unavailable, bridged.bridge)
        with trio.fail_after(30):
            while child_of(bridged.system) is None or calls_of(bridged.system) < 3:
                await trio.lowlevel.checkpoint()
        child = child_of(bridged.system)
        assert child is not None
        psutil.Process(child).kill()


async def fails_as_unavailable(bridge: ActorRef[Any]) -> None:
    with pytest.raises(BridgeUnavailable):
        await bridge.ask(Call("thread/start", {}, timeout=60), timeout=70)


@pytest.mark.parametrize(
    ("settings", "advice"),
    [
        (BridgeSettings(transport=Transport.WEBSOCKET), "CC_CODEX_URL"),
        (
            BridgeSettings(transport=Transport.WEBSOCKET, url="ws://127.0.0.1:1"),
            "codex app-server --listen ws://",
        ),
        (BridgeSettings(transport=Transport.WEBSOCKET, url="http://x"), "not a WebSocket URL"),
        (
            BridgeSettings(
                transport=Transport.WEBSOCKET,
                url="ws://127.0.0.1:1",
                token_file=Path("no-such-file"),
            ),
            "no-such-file",
        ),
    ],
)
async def test_a_transport_that_is_set_up_wrongly_says_what_to_do(
    settings: BridgeSettings, advice: str
) -> None:
    async with open_bridge(attrs.evolve(settings, deadlines=SOON)) as bridged:
        health = await bridged.bridge.ask(ProbeHealth())
    assert health.status is BridgeStatus.UNAVAILABLE
    assert advice in health.message
