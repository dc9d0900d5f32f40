"""Changes to a thread are refused while anybody works in it, up to the last moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from command_center.actors.codex.messages import Call
from command_center.actors.contracts.threads import (
    DeleteThread,
    ForkThread,
    ListTerminals,
    NewFork,
    PatchThread,
    Reversion,
    RevertThread,
    ThreadAct,
    ThreadChanges,
)
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.actors.sessions.runners.codex.thread_acts import ThreadActs
from command_center.runtime import ActorRef, ChildSpec
from command_center.store import Session, Transaction, items
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import THREAD, TURN, PlayedBridge, played

ACTS: dict[str, ThreadAct] = {
    "thread/archive": PatchThread(THREAD, ThreadChanges(archived=True)),
    "thread/delete": DeleteThread(THREAD),
    "thread/revert": RevertThread(THREAD, Reversion(before_turn_id=TURN)),
}


@attrs.frozen
class Acts:
    """The actor under test, and the Codex that the test plays."""

    rig: Rig
    bridge: PlayedBridge
    ref: ActorRef[Any]

    async def session(self, status: str) -> Session:
        """A session that works in the thread, or has."""

        def insert(tx: Transaction) -> Session:
            ended = {"finished_at": tx.now} if status == "completed" else {}
            task = insert_task(tx, insert_repository(tx))
            found = {"status": status, "codex_thread_id": THREAD, **ended}
            return insert_session(tx, task, **found)

        return await self.rig.storage.write(insert)

    async def refused(self) -> list[str]:
        """The reason for which each act is refused; none is done."""
        reasons = []
        for act in ACTS.values():
            with pytest.raises(Conflict) as caught:
                await self.ref.ask(act, timeout=10)
            reasons.append(str(caught.value))
        assert set() == {*ACTS} & {*self.bridge.methods()}
        return reasons


@asynccontextmanager
async def open_acts(tmp_path: Path) -> AsyncIterator[Acts]:
    """Codex has one thread, in which no turn runs."""
    bridge = PlayedBridge()
    thread = {"id": THREAD, "cwd": str(tmp_path), "status": {"type": "idle"}, "path": "/t"}
    bridge.replies["thread/read"] = lambda _: {"thread": thread}
    bridge.turns = [{"id": TURN, "status": "completed", "items": []}]
    host = this_machine(tmp_path).named("local")
    async with rig(tmp_path / "store.db", played(bridge)) as found:
        spec = ChildSpec(id="acts", start=lambda: ThreadActs(found.storage, host))
        yield Acts(found, bridge, await found.system.start_child("/", spec))


async def test_commands_that_a_completed_session_left_keep_its_thread(tmp_path: Path) -> None:
    async with open_acts(tmp_path) as acts:
        session = await acts.session("completed")
        left = await acts.rig.storage.write(
            lambda tx: items.insert(
                tx,
                session_id=session.id,
                turn_id=TURN,
                item_id="c",
                type="commandExecution",
                status="in_progress",
                body={},
            )
        )
        told = f"Commands of session {session.id} still run for thread {THREAD}. Stop the session"
        assert [True] * 3 == [reason.startswith(told) for reason in await acts.refused()]
        await acts.rig.storage.write(lambda tx: items.update(tx, left.id, status="completed"))
        await acts.ref.ask(ACTS["thread/archive"], timeout=10)
        assert "thread/archive" in acts.bridge.methods()


async def test_messages_in_codexs_own_queue_keep_their_thread(tmp_path: Path) -> None:
    async with open_acts(tmp_path) as acts:
        acts.bridge.replies["thread/queue/list"] = lambda _: {"data": [{}], "nextCursor": None}
        told = f"Codex's own queue of thread {THREAD} has 1 message(s)."
        assert [True] * 3 == [reason.startswith(told) for reason in await acts.refused()]


@pytest.mark.parametrize("method", ACTS)
async def test_a_session_that_begins_while_the_thread_is_looked_at_keeps_it(
    tmp_path: Path, method: str
) -> None:
    async with open_acts(tmp_path) as acts, trio.open_nursery() as nursery:
        is_reached = acts.bridge.gate("thread/queue/list")

        async def begin() -> None:
            await acts.bridge.until_called("thread/queue/list")
            await acts.session("running")
            is_reached.set()

        nursery.start_soon(begin)
        with pytest.raises(Conflict, match="already has session"):
            await acts.ref.ask(ACTS[method], timeout=10)
        assert method not in acts.bridge.methods()


async def test_a_list_of_commands_that_does_not_end_is_cut_and_what_cannot_be_read_left_out(
    tmp_path: Path,
) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6" * 3
    runs = {"processId": "7", "itemId": "c", "cwd": "/srv", "command": f"curl -u x:{secret} /a"}
    odd = {**runs, "processId": 8, "command": "sleep 9", "rssKb": "many", "cpuPercent": [1]}
    unread = {name: value for name, value in runs.items() if name != "processId"}
    async with open_acts(tmp_path) as acts:
        page = {"data": [runs, odd, unread, "no command"], "nextCursor": "again"}
        acts.bridge.replies["thread/backgroundTerminals/list"] = lambda _: page
        found = (await acts.ref.ask(ListTerminals(THREAD), timeout=10)).items
        assert ["7", "8", "7", "8"] == [one.process_id for one in found]
        assert secret not in found[0].command
        assert ("sleep 9", None, None) == (
            *(found[1].command, found[1].cpu_percent, found[1].memory_bytes),
        )


async def test_turns_whose_list_does_not_end_are_looked_through_once(tmp_path: Path) -> None:
    async with open_acts(tmp_path) as acts:
        page = {"data": [{"id": "other"}], "nextCursor": "again"}
        acts.bridge.replies["thread/turns/list"] = lambda _: page
        with pytest.raises(NotFound):
            await acts.ref.ask(ACTS["thread/revert"], timeout=10)


async def test_no_server_is_started_for_a_thread_that_is_loaded_to_be_changed(
    tmp_path: Path,
) -> None:
    async with open_acts(tmp_path) as acts:
        layers = [{"config": {"mcp_servers": {"tracker": {}}}}, {"config": {}}, {}]
        acts.bridge.replies["config/read"] = lambda _: {"layers": layers}
        acts.bridge.replies["thread/fork"] = lambda _: {"thread": {"id": "fork"}}
        await acts.ref.ask(ForkThread(THREAD, NewFork()), timeout=10)
        await acts.ref.ask(ACTS["thread/revert"], timeout=10)
        loaded = [call for call in acts.bridge.asked if isinstance(call, Call)]
        assert [{"tracker": {"enabled": False}}] * 2 == [
            call.params["config"]["mcp_servers"]
            for call in loaded
            if call.method in {"thread/fork", "thread/resume"}
        ]
