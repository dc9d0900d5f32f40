"""Steering that crosses with the end of its turn, or is cut off: the transcript tells the truth."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest
import trio
import trio.testing

from command_center.actors.codex.errors import BridgeUnavailable, CodexError
from command_center.actors.contracts.messages import NewMessage, Said, SayNow
from command_center.actors.contracts.sessions import (
    SteerSession,
    StopSession,
)
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.sessions.steering import said_of, steer_id
from command_center.runtime import ActorCrashed, ActorStopped
from command_center.store import followups
from tests.actors.sessions.live import TURN, live_session


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
        events = await live.events("session.steer.")
        assert ["session.steer.requested", "session.steer.acknowledged"] == [
            event["type"] for event in events
        ]
        said = await live.rig.storage.read(lambda db: said_of(db, events[0]["id"]))
        assert isinstance(said, Said)
        assert ("steer", TURN) == (said.how, said.turn_id)


async def test_steering_that_codex_never_answers_is_rejected_when_the_turn_has_ended(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        live.bridge.gate("turn/steer")
        async with trio.open_nursery() as nursery:

            async def say(message: SteerSession | SayNow) -> None:
                with pytest.raises(Conflict, match="ended"):
                    await live.ref.ask(message)

            nursery.start_soon(say, SteerSession(message="Left."))
            nursery.start_soon(say, SayNow(NewMessage(message="Right.")))
            await live.bridge.until_called("turn/steer", times=2)
            await live.complete()
        told = [event["type"] for event in await live.events("session.steer.")]
        assert [
            "session.steer.rejected",
            "session.steer.rejected",
            "session.steer.requested",
            "session.steer.requested",
        ] == sorted(told)
        # It may have been heard, so it is not said again.
        assert [] == await live.rig.storage.read(lambda db: followups.every(db, {}))


async def test_a_message_that_the_turn_refuses_waits_for_its_end_unless_it_was_for_it_alone(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:

        def refuse(_: object) -> NoReturn:
            raise CodexError("turn/steer", -32600, "no active turn to steer")

        live.bridge.replies["turn/steer"] = refuse
        for_it_alone = SayNow(NewMessage(message="Left.", how="steer"))
        with pytest.raises(Conflict, match="no active turn to steer"):
            await live.ref.ask(for_it_alone)
        said = await live.ref.ask(SayNow(NewMessage(message="Right.", requested_by="ada")))
        assert said is not None
        assert ("followup", None) == (said.how, said.turn_id)
        (waits,) = await live.rig.storage.read(lambda db: followups.every(db, {}))
        assert (said.followup, "Right.", "ada") == (waits, waits.message, waits.requested_by)
        asked = (await live.events("session.steer.requested"))[0]["id"]
        outcome = await live.rig.storage.read(lambda db: said_of(db, asked))
        assert isinstance(outcome, Conflict)
        told = [event["type"] for event in await live.events("session.")]
        assert told.count("session.steer.rejected") == 2
        assert "session.followup.queued" == told[-1]


async def test_a_session_that_is_being_stopped_is_told_nothing_and_keeps_nothing_for_later(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:

        def refuse(_: object) -> NoReturn:
            raise CodexError("turn/steer", -32600, "no active turn to steer")

        async def say(message: SteerSession | SayNow) -> None:
            with pytest.raises(Conflict, match="being stopped"):
                await live.ref.ask(message)

        slow = live.bridge.gate("turn/steer")
        live.bridge.replies["turn/steer"] = refuse
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as saying:
                saying.start_soon(say, SayNow(NewMessage(message="On its way.")))
                await live.bridge.until_called("turn/steer")
                nursery.start_soon(live.ref.ask, StopSession())
                await live.bridge.until_called("turn/interrupt")
                await say(SayNow(NewMessage(message="Late.")))
                await say(SayNow(NewMessage(message="Late.", how="steer")))
                await say(SteerSession(message="Late."))
                slow.set()
            await live.complete()
        assert 1 == live.bridge.methods().count("turn/steer")
        assert [] == await live.rig.storage.read(lambda db: followups.every(db, {}))


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
