"""A turn is found again after a restart, and loses nothing that it said meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import trio
import trio.testing
from sqlite_utils import Database

from command_center.actors.codex.messages import CodexNotification
from command_center.actors.contracts.turns import Fact, ItemSeen, ThreadNews
from command_center.actors.sessions.actor import SessionActor
from command_center.actors.sessions.runners.codex.turn_events import facts_of, heard
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import Actor, ChildSpec, handles
from command_center.store import Agent, Session, Transaction, agents, sessions
from tests.actors.rows import NO_PLACES, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import live_session

SAID = {"type": "agentMessage", "id": "i", "text": "Missed."}
ENDED = {"threadId": "t", "turn": {"id": "u", "status": "completed", "items": [], "error": None}}


class SlowRunner(StubRunner):
    """Finds the turn again, but not before it is let go on."""

    survives_restart = True
    go_on = trio.Event()

    def facts_of(self, news: ThreadNews, session: Session, turn_id: str | None) -> Iterable[Fact]:
        return facts_of(news, session, turn_id)

    async def recover(self, session: Session) -> None:  # noqa: ARG002 - there is one
        await self.go_on.wait()
        item = ItemSeen(turn_id="u", item_id="i", type="agentMessage", completed=True, body=SAID)
        await self._ref.tell(item)


class AllSlots(Actor):
    """Stands for `/slots`, which a session in hand asks for nothing more."""

    @handles(object)
    async def taken(self, message: object) -> None:
        """Take it in."""


async def test_a_turn_that_ends_during_recovery_ends_behind_what_was_missed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "db.sqlite3"
    async with rig(path, ChildSpec(id="slots", start=AllSlots)) as made:

        def insert(tx: Transaction) -> Session:
            task = insert_task(tx, insert_repository(tx))
            return insert_session(
                tx, task, status="running", codex_thread_id="t", codex_turn_id="u"
            )

        session = await made.storage.write(insert)
        services = SessionServices(
            storage=made.storage,
            instance_id="this",
            setup_seconds=60.0,
            approval_seconds=60,
            stall_seconds=0,
            max_sessions=4,
            places=NO_PLACES,
            make_runner=lambda _name, ref: SlowRunner(ref),
            absence=lambda _session: None,
        )
        actor = await made.system.start_child(
            "/", ChildSpec(id="s", start=lambda: SessionActor(session.id, services))
        )
        await trio.testing.wait_all_tasks_blocked(0.05)
        await actor.tell(heard(CodexNotification("t", "turn/completed", ENDED)))
        await trio.testing.wait_all_tasks_blocked(0.05)
        SlowRunner.go_on.set()
        with trio.fail_after(30):
            while True:
                now = await made.storage.read(lambda db: sessions.get(db, session.id))
                if now.finished_at is not None:
                    break
                await trio.sleep(0.02)
    assert ("completed", "Missed.") == (now.status, now.last_message)


async def test_a_turn_that_began_too_lately_to_be_listed_is_looked_for_again(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db.sqlite3", survives_restart=True) as live:
        listed, live.bridge.turns = live.bridge.turns, []
        await live.rig.system.restart(live.ref.path, reason="a test")
        await live.bridge.until_called("thread/turns/list", 2)
        assert "running" == (await live.session()).status
        live.bridge.turns = listed
        await live.settled()
        await live.complete()
        assert "completed" == (await live.until(lambda session: session.finished_at)).status


def every_agent(db: Database) -> list[Agent]:
    return agents.every(db, {})


GOAL = {"objective": "All", "status": "active", "tokenBudget": None}


def turn_of(turn_id: str, status: str, said: str | None = None) -> dict[str, Any]:
    """A turn as Codex lists it; one that runs may be listed as interrupted, and without an end."""
    items = [{"type": "agentMessage", "id": f"{turn_id}-said", "text": said}] if said else []
    ended = 5 if status == "completed" else None
    return {"id": turn_id, "status": status, "items": items, "completedAt": ended}


async def test_a_turn_that_ends_between_two_looks_at_its_thread_is_not_taken_for_lost(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db.sqlite3", survives_restart=True, goal=GOAL) as live:
        bridge = live.bridge
        listed = [
            [turn_of("u", "interrupted")],
            [turn_of("v", "inProgress"), turn_of("u", "completed", "One.")],
        ]
        bridge.status = {"type": "idle"}
        bridge.replies["thread/turns/list"] = lambda _: {
            "data": listed.pop(0) if listed[1:] else listed[0],
            "nextCursor": None,
        }
        await live.rig.system.restart(live.ref.path, reason="a test")
        now = await live.until(lambda session: session.turns == 2 or session.finished_at)
        assert ("running", "v", "One.") == (now.status, now.codex_turn_id, now.last_message)


async def test_a_turn_that_codex_has_lost_ends_its_session(tmp_path: Path) -> None:
    async with live_session(tmp_path / "db.sqlite3", survives_restart=True, goal=GOAL) as live:
        live.bridge.status = {"type": "idle"}
        live.bridge.turns = [turn_of("u", "interrupted")]
        await live.rig.system.restart(live.ref.path, reason="a test")
        ended = await live.until(lambda session: session.finished_at)
        assert "The turn ended with its app-server." == ended.exit_reason


async def test_the_turns_of_a_goal_that_pass_while_its_thread_is_read_are_not_missed(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db.sqlite3", survives_restart=True, goal=GOAL) as live:
        bridge = live.bridge
        await bridge.until_called("thread/goal/get")
        await live.settled()
        bridge.turns = [turn_of("u", "completed", "One.")]
        read = bridge.gate("thread/list")
        await live.rig.system.restart(live.ref.path, reason="a test")
        await bridge.until_called("thread/list", 2)
        bridge.goal = {**GOAL, "status": "complete"}
        for turn in (turn_of("v", "completed", "Two."), turn_of("w", "completed", "Three.")):
            bridge.turns = [turn, *bridge.turns]
            begun = {**turn, "status": "inProgress", "items": []}
            await live.notify("turn/started", turnId=turn["id"], turn=begun)
            (item,) = turn["items"]
            await live.notify("item/completed", turnId=turn["id"], item=item)
            await live.notify("turn/completed", turnId=turn["id"], turn=turn)
        read.set()
        ended = await live.until(lambda session: session.finished_at)
        assert ("completed", "Its goal is reached.", 3, "Three.") == (
            ended.status,
            ended.exit_reason,
            ended.turns,
            ended.last_message,
        )


async def test_a_turn_of_a_sub_agent_that_ends_between_two_looks_has_not_been_lost(
    tmp_path: Path,
) -> None:
    async with live_session(tmp_path / "db.sqlite3", survives_restart=True) as live:
        bridge, own = live.bridge, live.bridge.turns
        agent = {"id": "a", "parentThreadId": "t", "status": {"type": "idle"}}
        listed = [turn_of("w", "interrupted"), turn_of("w", "completed", "Looked.")]

        def turns(params: Mapping[str, Any]) -> Mapping[str, Any]:
            if params["threadId"] == "t":
                return {"data": own, "nextCursor": None}
            turn = listed.pop(0) if listed[1:] else listed[0]
            return {"data": [{**turn, "rootTurnId": "u"}], "nextCursor": None}

        bridge.status = {"type": "idle"}
        bridge.replies["thread/turns/list"] = turns
        bridge.replies["thread/list"] = lambda _: {"data": [agent], "nextCursor": None}
        await live.rig.system.restart(live.ref.path, reason="a test")
        with trio.fail_after(10):
            while not (found := await live.rig.storage.read(every_agent)):  # noqa: ASYNC110 - read
                await trio.sleep(0.02)
            while found[0].status == "running":
                await trio.sleep(0.02)
                found = await live.rig.storage.read(every_agent)
        assert ["completed"] == [one.status for one in found]
