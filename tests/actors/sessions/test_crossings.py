"""Messages that cross: a wish on its way while the turn begins, ends, or is found again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
import trio.testing

from command_center.actors.codex.approvals import COMMAND
from command_center.actors.codex.errors import CodexTimeout
from command_center.actors.contracts.sessions import (
    ApprovalSettled,
    GrantSlot,
    PatchSession,
    SessionChanges,
    SteerSession,
    StopSession,
)
from command_center.actors.contracts.turns import NewsDropped, TurnSilent
from command_center.actors.core import storage
from command_center.actors.ledger.approvals import settle_approval
from command_center.actors.rules.errors import Conflict, TooBusy, Unavailable
from command_center.actors.sessions import interruption
from command_center.runtime import ActorCrashed
from command_center.store import Transaction, approvals
from tests.actors.sessions.live import STARTING, THREAD, TURN, live_session, running_turn

STOP_SECONDS = 1.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn has less time to end than in earnest."""
    monkeypatch.setattr(interruption, "STOP_SECONDS", STOP_SECONDS)


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
            await live.begun_again()
            await trio.testing.wait_all_tasks_blocked(0.1)  # it has read what it can
            stuck.set()
            await live.settled()
        if status == "running":
            await live.bridge.until_called("turn/interrupt")
        else:
            await live.until(lambda session: session.status == "queued")
            await live.ref.tell(GrantSlot())
            await live.until(lambda session: session.status == "running")


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
        await live.ref.tell(NewsDropped())
        await live.bridge.until_called("thread/turns/list", listed + 1)
        await live.settled()
        assert "running" == (await live.session()).status
        live.bridge.replies["thread/turns/list"] = lambda _: {"data": live.bridge.turns}
        await live.bridge.until_called("thread/turns/list", listed + 2)


async def test_a_turn_that_begins_just_then_may_be_listed_as_interrupted(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.settled()
        listed = live.bridge.methods().count("thread/turns/list")
        lists = [[{**turn, "status": "interrupted"} for turn in live.bridge.turns]] * 2
        live.bridge.replies["thread/turns/list"] = lambda _: {
            "data": lists.pop() if lists else live.bridge.turns
        }
        await live.ref.tell(NewsDropped())
        await live.bridge.until_called("thread/turns/list", listed + 3)
        await live.settled()
        assert "running" == (await live.session()).status


async def test_a_turn_that_stays_listed_as_interrupted_in_an_idle_thread_is_over(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        await live.settled()
        live.bridge.turns = [{**turn, "status": "interrupted"} for turn in live.bridge.turns]
        live.bridge.status = {"type": "idle"}
        await live.ref.tell(NewsDropped())
        ended = await live.until(lambda session: session.finished_at)
        assert "interrupted" == ended.status


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
