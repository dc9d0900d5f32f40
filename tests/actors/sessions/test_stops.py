"""Stops that cross with the beginning of a turn, its end, or the loss of a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest
import trio
import trio.testing

from command_center.actors.codex.errors import BridgeUnavailable
from command_center.actors.contracts.sessions import (
    StopSession,
)
from command_center.actors.sessions import interruption
from command_center.actors.sessions.actor import MAILBOX
from tests.actors.sessions.live import STARTING, THREAD, TURN, live_session, running_turn

STOP_SECONDS = 1.0


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn has less time to end than in earnest."""
    monkeypatch.setattr(interruption, "STOP_SECONDS", STOP_SECONDS)


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


async def test_a_turn_that_completed_while_it_was_found_again_has_completed_in_spite_of_a_stop(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db", survives_restart=True) as live:
        live.bridge.gate("thread/turns/list")
        await live.bridge.until_called("thread/turns/list")
        await live.complete()
        assert "completed" == (await live.ref.ask(StopSession())).status


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


async def test_a_follow_up_that_is_stopped_in_the_queue_ends_no_command_of_its_thread(
    tmp_path: Path,
) -> None:
    queued: dict[str, Any] = {"status": "queued", "codex_turn_id": None, "origin": "followup"}
    async with live_session(tmp_path / "db", **queued) as live:
        assert "stopped" == (await live.ref.ask(StopSession())).status
        await live.gone()
        assert "thread/backgroundTerminals/clean" not in live.bridge.methods()
