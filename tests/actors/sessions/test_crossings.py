"""Messages that cross: a wish on its way while the turn begins, ends, or is found again."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
import trio.testing

from command_center.actors.codex.approvals import COMMAND, ELICITATION, FILE_CHANGE
from command_center.actors.codex.errors import BridgeUnavailable, CodexError, CodexTimeout
from command_center.actors.codex.messages import (
    AnswerRequest,
    BridgeConnected,
    BridgeLost,
    CodexLagged,
    CodexRequestResolved,
)
from command_center.actors.contracts.sessions import (
    ApprovalSettled,
    GrantSlot,
    PatchSession,
    SessionChanges,
    SteerSession,
    StopSession,
    TurnSilent,
    WorkplaceReady,
)
from command_center.actors.core import storage
from command_center.actors.ledger.approvals import settle_approval
from command_center.actors.rules.errors import Conflict, TooBusy, Unavailable
from command_center.actors.sessions import interruption
from command_center.actors.sessions import turn_driver as drive
from command_center.actors.sessions.actor import MAILBOX
from command_center.actors.sessions.steering import steer_id
from command_center.runtime import ActorCrashed, ActorStopped
from command_center.store import Transaction, approvals
from tests.actors.sessions.live import THREAD, TURN, live_session, running_turn
from tests.codex.test_approvals import FORM_PARAMS

STOP_SECONDS = 1.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn has less time to end than in earnest."""
    monkeypatch.setattr(interruption, "STOP_SECONDS", STOP_SECONDS)


STARTING: dict[str, Any] = {"status": "starting", "codex_thread_id": None, "codex_turn_id": None}


async def test_a_turn_that_begins_only_after_its_session_was_stopped_is_interrupted(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        live.bridge.turns = []
        await live.bridge.until_called("turn/start")
        stopped = await live.ref.ask(StopSession())
        assert "stopped" == stopped.status
        live.bridge.turns = [running_turn(live.session_id)]
        slow.set()
        await live.bridge.until_called("turn/interrupt")


async def test_a_stop_that_a_crash_cut_off_before_the_turn_was_known_interrupts_it(
    tmp_path: Path,
) -> None:
    wish = {"reason": None, "requestedBy": "ada", "outcome": "stopped"}
    cut_off: dict[str, Any] = {**STARTING, "codex_thread_id": THREAD, "stop_requested": wish}
    async with live_session(tmp_path / "db", survives_restart=True, **cut_off) as live:
        await live.until(lambda session: session.status == "stopped")
        await live.bridge.until_called("turn/interrupt")


async def test_a_turn_that_begins_while_its_stop_waits_has_its_own_time_to_end(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.ref.ask, StopSession())
            await live.until(lambda session: session.stop_requested is not None)
            await trio.sleep(0.5 * STOP_SECONDS)
            slow.set()
            await live.bridge.until_called("turn/interrupt")
            await trio.sleep(0.7 * STOP_SECONDS)
            assert "thread/unsubscribe" not in live.bridge.methods()
            turn: dict[str, Any] = {"id": TURN, "status": "interrupted", "items": [], "error": None}
            await live.notify("turn/completed", turn=turn)
        ended = await live.session()
        assert ("stopped", "Stopped by api.") == (ended.status, ended.exit_reason)


async def test_steering_that_the_turns_end_overtakes_is_still_answered_and_told(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        slow = live.bridge.gate("turn/steer")
        receipts = []
        async with trio.open_nursery() as nursery:

            async def steer() -> None:
                receipts.append(await live.ref.ask(SteerSession(message="Left.")))

            nursery.start_soon(steer)
            await live.bridge.until_called("turn/steer")
            await live.complete()
            await live.until(lambda session: session.status == "completed")
            slow.set()
        assert [TURN] == [receipt.turn_id for receipt in receipts]
        told = [event["type"] for event in await live.events("session.steer.")]
        assert ["session.steer.requested", "session.steer.acknowledged"] == told


async def test_steering_that_codex_never_answers_is_rejected_when_the_turn_has_ended(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("turn/steer")
        async with trio.open_nursery() as nursery:

            async def steer() -> None:
                with pytest.raises(Conflict, match="ended"):
                    await live.ref.ask(SteerSession(message="Left."))

            nursery.start_soon(steer)
            await live.bridge.until_called("turn/steer")
            await live.complete()
        told = [event["type"] for event in await live.events("session.steer.")]
        assert ["session.steer.requested", "session.steer.rejected"] == told


async def test_an_app_server_that_dies_before_it_is_prompted_costs_no_session(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        live.bridge.turns = []
        await live.bridge.until_called("turn/start")
        await live.ref.tell(BridgeLost("The process ended."))
        await live.settled()
        live.bridge.turns = [running_turn(live.session_id)]
        slow.set()
        await live.until(lambda session: session.status == "running")
        await live.bridge.until_called("thread/resume")


async def test_a_question_of_a_thread_within_the_thread_is_not_lost_while_the_turn_begins(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        inner = {"threadId": "inner", "turnId": "v", "itemId": "i", "command": "touch /x"}
        await live.ask("c:1", COMMAND, **inner)
        slow.set()
        asked = await live.until(lambda session: session.status == "waiting_approval")
        assert "app-server" == asked.runner


async def test_nothing_is_kept_of_a_turn_whose_session_has_ended(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db") as live:
        closing = live.bridge.gate("thread/backgroundTerminals/clean")
        await live.bridge.until_called("thread/resume")
        failed = {"id": TURN, "status": "failed", "items": [], "error": {"message": "No."}}
        await live.notify("turn/completed", turn=failed)
        await live.bridge.until_called("thread/backgroundTerminals/clean")
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        closing.set()
        await live.gone()
        open_ones = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert not open_ones


async def test_a_question_that_comes_while_the_thread_is_joined_stays_open(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        slow = live.bridge.gate("thread/turns/list")
        live.bridge.status = {"type": "active", "activeFlags": []}
        await live.bridge.until_called("thread/turns/list")
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        slow.set()
        await live.settled()
        (approval,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert ("pending", "waiting_approval") == (approval.status, (await live.session()).status)


async def test_a_question_that_was_answered_while_nobody_listened_is_closed(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        live.bridge.status = {"type": "active", "activeFlags": []}
        await live.ref.tell(BridgeConnected(None, None))
        await live.until(lambda session: session.status == "running")
        (approval,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert "answered_elsewhere" == approval.status


async def test_a_folder_that_is_ready_twice_is_launched_in_once(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ref.tell(WorkplaceReady(await live.session()))
        slow.set()
        await live.until(lambda session: session.status == "running")
        assert 1 == live.bridge.methods().count("turn/start")


async def test_a_stop_does_not_wait_behind_all_that_a_talkative_turn_says(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live, trio.open_nursery() as nursery:
        await live.settled()

        async def talk() -> None:
            for number in range(10 * MAILBOX):
                item = {"id": f"i{number}", "type": "agentMessage", "text": "Well."}
                await live.notify("item/completed", item=item)

        nursery.start_soon(talk)
        await live.until(lambda session: session.last_message is not None)
        said = len(await live.events())
        nursery.start_soon(live.ref.ask, StopSession())
        await live.bridge.until_called("turn/interrupt")
        kinds = [event["type"] for event in await live.events()]
        assert kinds.index("session.stop.requested") - said < 2 * MAILBOX
        nursery.cancel_scope.cancel()


async def test_a_stop_that_a_crash_cut_off_is_carried_out_without_codex_too(
    tmp_path: Path,
) -> None:
    wish = {"reason": None, "requestedBy": "ada", "outcome": "stopped"}
    cut_off: dict[str, Any] = {**STARTING, "codex_thread_id": THREAD, "stop_requested": wish}
    async with live_session(tmp_path / "db", survives_restart=True, **cut_off) as live:
        live.bridge.gate("thread/resume")
        live.bridge.gate("thread/turns/list")
        assert "stopped" == (await live.until(lambda session: session.finished_at)).status


async def test_a_stop_before_the_prompt_was_sent_ends_the_session_at_once_and_sends_none(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("thread/start")
        await live.bridge.until_called("thread/start")
        stopped = await live.ref.ask(StopSession(), timeout=0.9 * STOP_SECONDS)
        assert ("stopped", "Stopped by api.") == (stopped.status, stopped.exit_reason)
        slow.set()
        await live.gone()
        assert "turn/start" not in live.bridge.methods()


async def test_a_question_is_held_however_much_else_is_said_before_the_turn_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "EARLY", 5)
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ask("c:1", COMMAND, itemId="i", command="touch /x")
        for _ in range(10):
            await live.notify("item/agentMessage/delta", itemId="m", delta="Well.")
        slow.set()
        await live.until(lambda session: session.status == "waiting_approval")
        await live.bridge.until_called("thread/resume")


async def test_a_turn_that_spoke_while_its_silence_waited_to_be_told_is_not_given_up(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.notify("item/agentMessage/delta", itemId="m", delta="Well.")
        await live.ref.tell(TurnSilent(seconds=600, count=1))
        await live.ref.tell(TurnSilent(seconds=1200, count=2))
        await live.settled()
        assert (await live.session()).stop_requested is None
        assert not await live.events("session.stalled")


async def test_a_turn_that_completed_while_it_was_found_again_has_completed_in_spite_of_a_stop(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        live.bridge.gate("thread/turns/list")
        await live.bridge.until_called("thread/turns/list")
        await live.complete()
        assert "completed" == (await live.ref.ask(StopSession())).status


@pytest.mark.parametrize("heard", [True, False])
async def test_of_steering_that_a_crash_cut_off_the_transcript_says_what_became_of_it(
    tmp_path: Path, *, heard: bool
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("turn/steer")
        async with trio.open_nursery() as nursery:

            async def steer() -> None:
                with pytest.raises((ActorStopped, ActorCrashed)):
                    await live.ref.ask(SteerSession(message="Left."))

            nursery.start_soon(steer)
            await live.bridge.until_called("turn/steer")
            await live.rig.system.restart(live.ref.path, reason="a test")
        if heard:
            (asked,) = await live.events("session.steer.")
            said = {"id": "m", "type": "userMessage", "clientId": steer_id(1, asked["id"])}
            await live.notify("item/completed", item=said)
        await live.complete()
        await live.gone()
        told = [event["type"] for event in await live.events("session.steer.")]
        outcome = "acknowledged" if heard else "rejected"
        assert ["session.steer.requested", f"session.steer.{outcome}"] == told


async def test_a_session_that_has_ended_answers_while_it_still_leaves_codex(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("thread/backgroundTerminals/clean")
        failed = {"id": TURN, "status": "failed", "items": [], "error": {"message": "No."}}
        await live.notify("turn/completed", turn=failed)
        await live.bridge.until_called("thread/backgroundTerminals/clean")
        assert "failed" == (await live.ref.ask(StopSession())).status
        with pytest.raises(Conflict, match="failed"):
            await live.ref.ask(SteerSession(message="Too late."))
        assert not await live.events("session.steer.")


async def test_a_decision_whose_way_to_codex_was_lost_is_sent_when_codex_asks_again(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.ask("c1:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        live.bridge.loses_answers = True
        approval = await live.rig.storage.write(
            lambda tx: settle_approval(tx, 1, status="approved", actor="ada")
        )
        await live.ref.tell(ApprovalSettled(approval))
        await live.ref.tell(BridgeLost("The proxy ended."))
        await live.settled()
        assert "waiting_approval" == (await live.session()).status
        live.bridge.loses_answers = False
        await live.ask("c2:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "running")
        (answer,) = [asked for asked in live.bridge.asked if isinstance(asked, AnswerRequest)]
        assert ("c2:1", {"decision": "accept"}) == (answer.request_id, answer.result)
        (only,) = await live.rig.storage.read(lambda db: approvals.every(db, {}))
        assert only.delivered_at is not None


async def test_a_turn_that_ends_while_a_new_life_looks_for_it_keeps_what_it_said_before(
    tmp_path: Path,
) -> None:
    cut_off: dict[str, Any] = {**STARTING, "codex_thread_id": THREAD}
    async with live_session(tmp_path / "db", survives_restart=True, **cut_off) as live:
        slow = live.bridge.gate("thread/turns/list")
        await live.bridge.until_called("thread/turns/list")
        turn = running_turn(live.session_id)
        turn["items"].append({"id": "m", "type": "agentMessage", "text": "Missed."})
        live.bridge.turns = [turn]
        await live.complete()
        slow.set()
        ended = await live.until(lambda session: session.status == "completed")
        assert "Missed." == ended.last_message


async def test_a_session_that_has_ended_by_its_stop_no_longer_gives_up_its_turn(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("thread/backgroundTerminals/clean")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.ref.ask, StopSession())
            await live.bridge.until_called("turn/interrupt")
            turn: dict[str, Any] = {"id": TURN, "status": "interrupted", "items": [], "error": None}
            await live.notify("turn/completed", turn=turn)
        await live.bridge.until_called("thread/backgroundTerminals/clean")
        await trio.sleep(1.2 * STOP_SECONDS)
        assert "thread/unsubscribe" not in live.bridge.methods()


async def test_a_question_that_comes_while_nothing_can_be_read_is_asked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with live_session(tmp_path / "db") as live:
        readers = live.rig.storage.readers

        def connection(*_: object) -> NoReturn:
            raise sqlite3.OperationalError("unable to open database file")

        with monkeypatch.context() as patched:
            patched.setattr(type(readers), "connection", connection)
            await live.ask("c1:1", FILE_CHANGE, itemId="i")
            await live.settled()
        await live.until(lambda session: session.status == "waiting_approval")


async def test_a_question_that_was_answered_elsewhere_before_the_turn_is_known_is_none(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        slow = live.bridge.gate("turn/start")
        await live.bridge.until_called("turn/start")
        await live.ask("c1:1", COMMAND, itemId="i", command="touch /x")
        await live.ref.tell(CodexRequestResolved(THREAD, "c1:1", answered_here=False))
        slow.set()
        await live.until(lambda session: session.codex_turn_id is not None)
        await live.settled()
        assert "running" == (await live.session()).status
        assert not await live.rig.storage.read(lambda db: approvals.every(db, {}))


async def test_a_thread_that_was_opened_is_not_opened_again_before_it_is_committed(
    tmp_path: Path,
) -> None:
    cut_off: dict[str, Any] = {**STARTING, "codex_thread_id": "unused"}
    async with live_session(tmp_path / "db", **cut_off) as live:
        opened: list[str] = []

        def open_another(_: object) -> dict[str, Any]:
            opened.append(f"opened {len(opened)}")
            return {"thread": {"id": opened[-1]}}

        def resume(_: object) -> NoReturn:
            raise CodexError("thread/resume", -32600, "no rollout found")

        live.bridge.replies |= {"thread/start": open_another, "thread/resume": resume}
        slow = live.bridge.gate("thread/start")
        await live.bridge.until_called("thread/start")
        await live.ref.tell(BridgeConnected("", None))
        await live.settled()
        slow.set()
        running = await live.until(lambda session: session.status == "running")
        assert (["opened 0"], "opened 0") == (opened, running.codex_thread_id)


async def test_an_app_server_that_was_replaced_just_before_it_is_prompted_costs_no_session(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", **STARTING) as live:
        opened: list[str] = []

        def open_another(_: object) -> dict[str, Any]:
            opened.append(f"opened {len(opened)}")
            return {"thread": {"id": opened[-1]}}

        def resume(_: object) -> NoReturn:
            raise CodexError("thread/resume", -32600, "no rollout found")

        def start(params: Mapping[str, Any]) -> dict[str, Any]:
            if params["threadId"] == "opened 0":
                raise CodexError("turn/start", -32600, "thread not found: opened 0")
            return {"turn": {"id": TURN}}

        live.bridge.replies |= {
            "thread/start": open_another,
            "thread/resume": resume,
            "turn/start": start,
        }
        ended = await live.until(lambda session: session.status != "starting")
        assert ("running", "opened 1") == (ended.status, ended.codex_thread_id)


@pytest.mark.parametrize("status", ["created", "running"])
async def test_a_wish_of_which_nobody_knows_whether_it_was_written_is_heeded_if_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    async with live_session(tmp_path / "db", status=status) as live:
        await live.settled()
        starting = PatchSession(SessionChanges(status="running"))
        wish = starting if status == "created" else StopSession()
        stuck = threading.Event()

        def wait(_tx: Transaction) -> None:
            stuck.wait(10)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.rig.storage.write, wait)
            await trio.testing.wait_all_tasks_blocked()
            with monkeypatch.context() as patched:
                patched.setattr(storage, "WRITE_SECONDS", 0.2)
                with pytest.raises((Unavailable, ActorCrashed)):
                    await live.ref.ask(wish)
            await live.restarted()
            stuck.set()
        if status == "running":
            await live.bridge.until_called("turn/interrupt")
        else:
            await live.until(lambda session: session.status == "queued")
            await live.ref.tell(GrantSlot())
            await live.until(lambda session: session.status == "running")


async def test_two_questions_that_are_alike_and_wait_together_are_answered_each(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.settled()
        for request_id in ("c1:1", "c1:2"):
            await live.ask(request_id, ELICITATION, **FORM_PARAMS)
        await live.until(lambda session: session.status == "waiting_approval")
        await live.settled()
        for asked in await live.rig.storage.read(lambda db: approvals.every(db, {})):
            reject = partial(settle_approval, approval_id=asked.id, status="rejected", actor="ada")
            await live.ref.tell(ApprovalSettled(await live.rig.storage.write(reject)))
        await live.until(lambda session: session.status == "running")
        await live.settled()
        answers = [answer for answer in live.bridge.asked if isinstance(answer, AnswerRequest)]
        assert ["c1:1", "c1:2"] == sorted(answer.request_id for answer in answers)


@pytest.mark.parametrize("late", [CodexTimeout("thread/turns/list", 30), TooBusy("Not now.")])
async def test_a_codex_that_is_slow_to_say_how_the_turn_stands_costs_no_turn(
    tmp_path: Path, late: Exception
) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.settled()
        listed = live.bridge.methods().count("thread/turns/list")

        def list_late(_: object) -> NoReturn:
            raise late

        live.bridge.replies["thread/turns/list"] = list_late
        await live.ref.tell(CodexLagged(THREAD, 1))
        await live.bridge.until_called("thread/turns/list", listed + 1)
        await live.settled()
        assert "running" == (await live.session()).status
        live.bridge.replies["thread/turns/list"] = lambda _: {"data": live.bridge.turns}
        await live.bridge.until_called("thread/turns/list", listed + 2)


async def test_a_stop_that_meets_a_connection_just_lost_interrupts_the_turn_on_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interruption, "STOP_SECONDS", 10)
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.settled()

        def lose(_: object) -> NoReturn:
            del live.bridge.replies["turn/interrupt"]
            raise BridgeUnavailable("The connection to Codex was lost.")

        live.bridge.replies["turn/interrupt"] = lose
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.ref.ask, StopSession())
            await live.bridge.until_called("turn/interrupt", 2)
            turn: dict[str, Any] = {"id": TURN, "status": "interrupted", "items": [], "error": None}
            await live.notify("turn/completed", turn=turn)
        assert "Stopped by api." == (await live.session()).exit_reason


async def test_a_turn_that_waits_for_a_person_is_not_silent_and_one_that_has_its_answer_is(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        await live.ask("c1:1", COMMAND, itemId="i", command="touch /x")
        await live.until(lambda session: session.status == "waiting_approval")
        joined = live.bridge.methods().count("thread/resume")
        await live.ref.tell(TurnSilent(seconds=0, count=1))
        await live.ref.tell(TurnSilent(seconds=0, count=2))
        await live.settled()
        assert (await live.session()).stop_requested is None
        live.bridge.loses_answers = True
        approval = await live.rig.storage.write(
            lambda tx: settle_approval(tx, 1, status="approved", actor="ada")
        )
        await live.ref.tell(ApprovalSettled(approval))
        await live.ref.tell(TurnSilent(seconds=0, count=1))
        await live.bridge.until_called("thread/resume", joined + 1)
        await live.ref.tell(TurnSilent(seconds=0, count=2))
        await live.bridge.until_called("turn/interrupt")


@pytest.mark.parametrize("heard", [True, False])
async def test_of_steering_that_a_lost_connection_cut_off_the_transcript_says_what_became_of_it(
    tmp_path: Path, *, heard: bool
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:

        def lose(_: object) -> NoReturn:
            raise BridgeUnavailable("The connection to Codex was lost.")

        live.bridge.replies["turn/steer"] = lose
        with pytest.raises(Unavailable, match="lost"):
            await live.ref.ask(SteerSession(message="Left."))
        (asked,) = await live.events("session.steer.")
        if heard:
            said = {"id": "m", "type": "userMessage", "clientId": steer_id(1, asked["id"])}
            await live.notify("item/completed", item=said)
        await live.complete()
        await live.gone()
        told = [event["type"] for event in await live.events("session.steer.")]
        outcome = "acknowledged" if heard else "rejected"
        assert ["session.steer.requested", f"session.steer.{outcome}"] == told


async def test_a_thread_of_which_its_app_server_kept_nothing_is_opened_anew(
    tmp_path: Path,
) -> None:
    def resume(_: object) -> NoReturn:
        raise CodexError("thread/resume", -32600, "rollout at /srv/rollout.jsonl is empty")

    lost: dict[str, Any] = {**STARTING, "codex_thread_id": "lost"}
    async with live_session(tmp_path / "db", **lost) as live:
        live.bridge.replies["thread/resume"] = resume
        running = await live.until(lambda session: session.status != "starting")
        assert ("running", THREAD) == (running.status, running.codex_thread_id)


@pytest.mark.parametrize("fault", [Unavailable("The database is locked."), RuntimeError("Oh.")])
async def test_a_fault_that_passes_while_the_folder_is_made_ready_costs_no_session(
    tmp_path: Path, fault: Exception
) -> None:
    async with live_session(tmp_path / "db", faults=[fault], **STARTING) as live:
        ended = await live.until(lambda session: session.status != "starting")
        assert ("running", None) == (ended.status, ended.exit_reason)


async def test_a_session_whose_actor_fails_as_it_leaves_codex_leaves_it_all_the_same(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("thread/backgroundTerminals/clean")
        failed = {"id": TURN, "status": "failed", "items": [], "error": {"message": "No."}}
        await live.notify("turn/completed", turn=failed)
        await live.bridge.until_called("thread/backgroundTerminals/clean")
        await live.rig.system.restart(live.ref.path, reason="a test")
        await live.bridge.until_called("thread/backgroundTerminals/clean", 2)
        live.bridge.gates.clear()


async def test_a_follow_up_that_is_stopped_in_the_queue_ends_no_command_of_its_thread(
    tmp_path: Path,
) -> None:
    queued: dict[str, Any] = {"status": "queued", "codex_turn_id": None, "origin": "followup"}
    async with live_session(tmp_path / "db", **queued) as live:
        assert "stopped" == (await live.ref.ask(StopSession())).status
        await live.gone()
        assert "thread/backgroundTerminals/clean" not in live.bridge.methods()


async def test_what_came_of_steering_that_was_cut_off_is_told_with_the_turns_end(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:

        def lose(_: object) -> NoReturn:
            del live.bridge.replies["turn/steer"]
            raise BridgeUnavailable("The connection to Codex was lost.")

        live.bridge.replies["turn/steer"] = lose
        with pytest.raises(Unavailable):
            await live.ref.ask(SteerSession(message="Left."))
        (cut_off,) = await live.events("session.steer.")
        slow = live.bridge.gate("turn/steer")
        live.bridge.replies["turn/steer"] = lambda _: {"turnId": TURN}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live.ref.ask, SteerSession(message="Right."))
            await live.bridge.until_called("turn/steer", 2)
            await live.complete()
            await live.until(lambda session: session.status == "completed")
            told = [event for event in await live.events("session.steer.") if event["causationId"]]
            assert "session.steer.rejected" == told[-1]["type"]
            assert cut_off["id"] == told[-1]["causationId"]
            slow.set()
        told = await live.events("session.steer.acknowledged")
        assert 1 == len(told)
