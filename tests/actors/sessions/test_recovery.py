"""A turn is found again after a restart, and loses nothing that it said meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import trio
import trio.testing

from command_center.actors.codex.messages import CodexNotification
from command_center.actors.contracts.turns import Fact, ItemSeen, ThreadNews
from command_center.actors.sessions.actor import SessionActor
from command_center.actors.sessions.runners.codex.turn_events import facts_of, heard
from command_center.actors.sessions.runners.stub import StubRunner
from command_center.actors.sessions.services import SessionServices
from command_center.runtime import Actor, ChildSpec, handles
from command_center.store import Session, Transaction, sessions
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
