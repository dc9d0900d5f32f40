"""Turns that no session began are found, whatever stood in the way when Codex told of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from command_center.actors.codex.messages import CodexNotification
from command_center.actors.sessions.runners.codex import foreign_turns
from command_center.actors.sessions.runners.codex.foreign_turns import ForeignTurns
from command_center.runtime import ChildSpec
from command_center.store import Session, Transaction, orphaned_turns, sessions
from tests.actors.hosts.machines import this_machine
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig
from tests.actors.sessions.live import THREAD, Neighbour, PlayedBridge, played

FOREIGN = {
    "id": "foreign",
    "status": "inProgress",
    "items": [{"id": "p", "type": "userMessage", "content": [{"type": "text", "text": "Go on."}]}],
}


BEFORE = "2026-11-01T00:00:00.000Z"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less time than in earnest."""
    monkeypatch.setattr(foreign_turns, "PAUSE_SECONDS", 0.05)


@attrs.frozen
class Watched:
    """A thread of ours in which a foreign turn runs, and its last session."""

    rig: Rig
    bridge: PlayedBridge
    last: Session

    async def tell_active(self) -> None:
        """Have Codex tell that the thread is active; return when that is handled."""
        told = {"threadId": THREAD, "status": {"type": "active", "activeFlags": []}}
        ref = self.rig.system.lookup("/foreign-turns")
        await ref.tell(CodexNotification(THREAD, "thread/status/changed", told))
        for _ in range(5):
            await trio.testing.wait_all_tasks_blocked(0.005)

    async def adopted(self) -> Session | None:
        """The session that the turn was given."""
        return await self.rig.storage.read(
            lambda db: sessions.find(db, {"origin": "codex", "codex_thread_id": THREAD})
        )

    async def until_adopted(self) -> Session:
        """The session that the turn is given, long before all threads are looked at again."""
        with trio.fail_after(30):
            while (found := await self.adopted()) is None:  # noqa: ASYNC110 - a row says nothing of itself
                await trio.sleep(0.01)
            return found


@asynccontextmanager
async def watched(
    path: Path, begin: Callable[[Transaction, Session], object], **fields: object
) -> AsyncIterator[Watched]:
    """`/foreign-turns` beside a bridge; the last session has these fields."""
    bridge = PlayedBridge()
    bridge.turns = [FOREIGN]
    bridge.status = {"type": "active", "activeFlags": []}
    bridge.replies["thread/goal/get"] = lambda _: {"goal": None}
    bridge.replies["thread/loaded/list"] = lambda _: {"data": [], "nextCursor": None}
    bridge.replies["thread/resume"] = lambda _: {
        "thread": {"id": THREAD},
        "cwd": "/srv/r",
        "sandbox": {"type": "workspaceWrite"},
        "approvalsReviewer": "user",
        "model": "gpt-5.4",
    }
    made: list[Rig] = []
    others = [
        ChildSpec(id=name, start=lambda: Neighbour(lambda: made[0])) for name in ("slots", "tasks")
    ]
    async with rig(path, played(bridge), *others) as found:
        made.append(found)

        def insert(tx: Transaction) -> Session:
            task = insert_task(tx, insert_repository(tx))
            given = {"runner": "app-server", "codex_thread_id": THREAD, "codex_turn_id": "ours"}
            last = insert_session(tx, task, **{**given, **fields})
            begin(tx, last)
            return last

        last = await found.storage.write(insert)
        (host,) = this_machine(path.parent)
        spec = ChildSpec(
            "foreign-turns",
            lambda: ForeignTurns(found.storage, host, instance_id="this", max_sessions=4),
        )
        await found.system.start_child("/", spec)
        yield Watched(found, bridge, last)


async def test_a_turn_is_found_that_begins_before_the_last_one_of_the_thread_is_settled(
    tmp_path: Path,
) -> None:
    def leave(tx: Transaction, last: Session) -> None:
        orphaned_turns.note(tx, last.id)

    async with watched(tmp_path / "db", leave, status="stopped", finished_at="2026") as at:
        await at.tell_active()
        assert await at.adopted() is None
        await at.rig.storage.write(lambda tx: orphaned_turns.forget(tx, at.last.id))
        assert "Go on." == (await at.until_adopted()).prompt


async def test_a_status_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    async with watched(tmp_path / "db", lambda *_: None, status="completed") as at:
        actor = at.rig.system.lookup("/foreign-turns")
        told = {"threadId": THREAD, "status": "active"}
        await actor.tell(CodexNotification(THREAD, "thread/status/changed", told))
        await at.tell_active()
        assert 0 == at.rig.system.snapshot_of("/foreign-turns").restarts


async def test_a_turn_is_found_that_begins_as_the_session_before_leaves(tmp_path: Path) -> None:
    """Its actor may be gone before it is known that it has ended."""

    def nothing(_tx: Transaction, _last: Session) -> None:
        pass

    async with watched(tmp_path / "db", nothing, status="running") as at:
        await at.tell_active()
        assert await at.adopted() is None
        end = partial(sessions.update, status="completed", finished_at="2026")
        await at.rig.storage.write(lambda tx: end(tx, at.last.id))
        assert "Go on." == (await at.until_adopted()).prompt


async def test_a_turn_without_an_end_is_looked_at_again_until_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process carries it on, of which Codex tells nothing."""
    monkeypatch.setattr(foreign_turns, "LOOK_AGAIN_SECONDS", 0.05)

    def nothing(_tx: Transaction, _last: Session) -> None:
        pass

    async with watched(tmp_path / "db", nothing, status="completed", finished_at=BEFORE) as at:
        began = time.time()
        at.bridge.status = {"type": "notLoaded"}
        open_turn = {**FOREIGN, "rootTurnId": "foreign", "startedAt": began, "completedAt": None}
        at.bridge.turns = [{**open_turn, "status": "interrupted"}]
        await at.tell_active()
        assert await at.adopted() is None
        at.bridge.turns = [{**open_turn, "status": "completed", "completedAt": began + 1}]
        found = await at.until_adopted()
        assert ("Go on.", "completed") == (found.prompt, found.status)
