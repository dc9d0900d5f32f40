"""The actor of a session takes each message in the phases that its class names, and in no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_center.actors.contracts.sessions import (
    ChangeGoal,
    ClearGoal,
    GoalChanges,
    GrantSlot,
    PatchSession,
    SessionChanges,
    SteerSession,
    StopDeadline,
)
from command_center.actors.contracts.turns import (
    ConnectionBack,
    ConnectionLost,
    DiffChanged,
    GoalTold,
    LaunchFailed,
    NewsDropped,
    NothingAsked,
    OutputDelta,
    ThreadOpened,
    TurnEnded,
    TurnLost,
    TurnOpened,
    TurnSilent,
)
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.actor import SessionActor
from tests.actors.sessions.live import live_session

BEFORE_A_TURN: dict[str, Any] = {
    "codex_thread_id": None,
    "codex_turn_id": None,
    "runner_instance": None,
}

UNTIMELY = (
    GrantSlot(),
    ThreadOpened("other"),
    TurnOpened("other"),
    LaunchFailed("Nothing was launched."),
    DiffChanged("- a"),
    GoalTold(goal={"status": "active", "objective": "O"}),
    NothingAsked(),
    OutputDelta(item_id="i", delta="d"),
    TurnSilent(seconds=0.0, count=2),
    ConnectionBack(),
    NewsDropped(),
    ConnectionLost("It is gone.", ends_turns=True),
    TurnLost("It is gone."),
    TurnEnded(outcome="completed"),
)


class Untouched:
    """Stands for the actor of a session in a phase; a handler that uses any part of it fails."""

    def __init__(self, phase: str) -> None:
        self.state = phase

    def __getattr__(self, part: str) -> Any:
        raise AssertionError(f"a handler was called when {self.state}, and used {part}")


@pytest.mark.parametrize("phase", ["created", "blocked", "queued", "ended"])
@pytest.mark.parametrize(
    "message",
    [NothingAsked(), TurnLost("It is gone."), TurnEnded(outcome="completed")],
    ids=lambda value: type(value).__name__,
)
async def test_what_is_told_of_a_turn_is_passed_over_where_there_is_none(
    message: object, phase: str
) -> None:
    handler = SessionActor.handlers[type(message)]
    assert await handler.call(Untouched(phase), message) is None


@pytest.mark.parametrize("phase", ["starting", "running", "waiting_approval"])
async def test_what_is_told_of_a_turn_is_taken_where_there_is_one(phase: str) -> None:
    with pytest.raises(AssertionError, match=f"called when {phase}, and used _turn_ends"):
        await SessionActor.handlers[TurnLost].call(Untouched(phase), TurnLost("It is gone."))


@pytest.mark.parametrize("status", ["created", "blocked"])
async def test_what_is_told_of_a_turn_before_there_is_one_changes_nothing(
    status: str, tmp_path: Path
) -> None:
    async with live_session(tmp_path / "db.sqlite3", status=status, **BEFORE_A_TURN) as live:
        before = await live.session()
        for message in UNTIMELY:
            await live.ref.tell(message)
        await live.settled()
        assert before == await live.session()
        assert [] == await live.events()
        assert [] == live.bridge.asked


@pytest.mark.parametrize("status", ["created", "blocked", "queued"])
@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SteerSession(message="More."), "has no active turn to steer"),
        (ChangeGoal(GoalChanges(status="paused")), "has no goal that could be changed"),
        (ClearGoal(), "has no goal that could be changed"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_wish_for_a_turn_that_has_not_begun_is_refused_in_its_own_words(
    status: str, request_: SteerSession | ChangeGoal | ClearGoal, words: str, tmp_path: Path
) -> None:
    async with live_session(tmp_path / "db.sqlite3", status=status, **BEFORE_A_TURN) as live:
        with pytest.raises(Conflict, match=words) as refused:
            await live.ref.ask(request_)
        assert f"Session {live.session_id} is {status} " in str(refused.value)
        assert [] == await live.events("session.steer")


async def test_a_session_whose_actor_is_about_to_leave_refuses_what_was_asked_by_its_name(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        live.bridge.gate("thread/backgroundTerminals/clean")
        await live.ref.tell(TurnLost("It is gone."))
        await live.bridge.until_called("thread/backgroundTerminals/clean")
        with pytest.raises(Conflict, match="is interrupted and cannot become running"):
            await live.ref.ask(PatchSession(SessionChanges(status="running")))


async def test_a_turn_that_runs_takes_no_slot_and_begins_no_second_time(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3") as live:
        for message in (GrantSlot(), ThreadOpened("other"), LaunchFailed("It was late.")):
            await live.ref.tell(message)
        await live.settled()
        now = await live.session()
        assert ("running", "t", "u") == (now.status, now.codex_thread_id, now.codex_turn_id)


async def test_a_turn_that_has_not_heeded_its_stop_in_time_is_given_up(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3", status="running") as live:
        await live.ref.tell(StopDeadline())
        ended = await live.until(lambda session: session.finished_at)
        assert "interrupted" == ended.status
