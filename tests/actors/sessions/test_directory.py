"""Asking and stopping sessions that have no actor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from command_center.actors.codex.messages import Call
from command_center.actors.contracts.messages import NewMessage
from command_center.actors.contracts.sessions import SteerSession, StopSession
from command_center.actors.rules.errors import Conflict, NotFound, Unconfirmed
from command_center.actors.sessions.directory import Sessions
from command_center.runtime import ActorNotFound, ChildSpec
from command_center.store import Session, Transaction, followups
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import (
    Neighbour,
    PlayedBridge,
    live_session,
    orphaned_turns,
    played,
    running_turn,
)

STOP = StopSession(reason="It is set aside.", requested_by="me")


@asynccontextmanager
async def without_actor(
    path: Path, **fields: Any
) -> AsyncIterator[tuple[Sessions, Session, PlayedBridge]]:
    """A session in its row alone, as where its actor is set aside: nobody can start it."""
    made: list[Rig] = []
    bridge = PlayedBridge()
    neighbours = [
        ChildSpec(id=name, start=lambda: Neighbour(lambda: made[0])) for name in ("slots", "tasks")
    ]
    async with rig(path / "db.sqlite3", played(bridge), *neighbours) as found:
        made.append(found)
        await found.system.start_child("/", orphaned_turns(found.storage, path))

        def insert(tx: Transaction) -> Session:
            task = insert_task(tx, insert_repository(tx))
            return insert_session(tx, task, runner="app-server", **fields)

        session = await found.storage.write(insert)
        yield Sessions(found.system.find, found.storage, 60), session, bridge


async def test_a_session_whose_actor_is_set_aside_ends_in_its_row_and_codex_is_told(
    tmp_path: Path,
) -> None:
    turn = {"status": "running", "codex_thread_id": "t", "codex_turn_id": "u"}
    async with without_actor(tmp_path, **turn) as (asked, session, bridge):
        bridge.turns = [running_turn(session.id)]
        ended = await asked.stop(session.id, STOP)
        assert "stopped" == ended.status
        assert "Stopped by me; its actor was set aside." == ended.exit_reason
        with trio.fail_after(30):
            await bridge.until_called("turn/interrupt")
        assert [{"threadId": "t", "turnId": "u"}] == [
            call.params
            for call in bridge.asked
            if isinstance(call, Call) and call.method == "turn/interrupt"
        ]
        assert ended == await asked.stop(session.id, STOP)


async def test_one_that_has_no_turn_ends_without_a_word_to_codex(tmp_path: Path) -> None:
    async with without_actor(tmp_path, status="queued") as (asked, session, bridge):
        assert "stopped" == (await asked.stop(session.id, STOP)).status
        await trio.testing.wait_all_tasks_blocked(0.01)
        assert [] == bridge.methods()


async def test_what_an_actor_alone_can_do_is_refused_without_one(tmp_path: Path) -> None:
    steer = SteerSession(message="Go on.")
    async with without_actor(tmp_path, status="running") as (asked, session, _):
        with pytest.raises(ActorNotFound):
            await asked.ask(session.id, steer)
        await asked.stop(session.id, STOP)
        with pytest.raises(Conflict, match=f"Session {session.id} is stopped; it has ended."):
            await asked.ask(session.id, steer)
        with pytest.raises(NotFound):
            await asked.stop(session.id + 1, STOP)


async def test_what_codex_may_have_heard_is_not_said_again_by_the_actors_next_life(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db") as live:
        slow = live.bridge.gate("turn/steer")
        asked = Sessions(lambda _: live.ref, live.rig.storage, 60)

        async def say(message: NewMessage | SteerSession) -> None:
            with pytest.raises(Unconfirmed, match="transcript"):
                if isinstance(message, NewMessage):
                    await asked.say(live.session_id, message)
                else:
                    await asked.ask(live.session_id, message)

        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(say, NewMessage(message="Left."))
                nursery.start_soon(say, SteerSession(message="Right."))
                await live.bridge.until_called("turn/steer", times=2)
                await live.rig.system.restart(live.ref.path, reason="a test")
        slow.set()
        await live.settled()
        assert 2 == live.bridge.methods().count("turn/steer")
        assert [] == await live.rig.storage.read(lambda db: followups.every(db, {}))
