"""Old events are removed by themselves where that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from command_center.actors.contracts.backups import RETENTION, HistoryReleased
from command_center.actors.ledger.repositories import delete_repository
from command_center.actors.rules.keeping import Keeping, parse_keeping
from command_center.actors.store_care.retention import Retention
from command_center.runtime import ChildSpec
from command_center.store import Transaction, events, items, sessions
from command_center.store.backups.contents import DATABASE
from command_center.store.queries.turns import turns_of_items
from tests.actors.rows import Rig, insert_repository, insert_session, insert_task, rig, settle
from tests.made_up import made_up


def tell(tx: Transaction) -> None:
    for _ in range(2500):
        tx.emit(made_up("session.item", {"text": "word " * 100}), actor="test")


async def start(
    made: Rig, keeping: Keeping, later: timedelta, *, transcript_days: int | None = None
) -> None:
    def actor() -> Retention:
        return Retention(
            made.storage,
            keeping,
            transcript_days=transcript_days,
            now=lambda: datetime.now(UTC) + later,
        )

    await made.system.start_child("/", ChildSpec(id="retention", start=actor))


@pytest.mark.parametrize(
    ("bound", "days", "removed"),
    [
        ("7d", 8, 2000),
        ("7d", 6, 0),
        ("1MB", 2, 1000),
        ("1MB", 0, 0),
        ("7d 1GB", 2, 0),
        (None, 9, 0),
    ],
)
async def test_what_is_beyond_the_bound_is_removed_and_told_and_nothing_else(
    tmp_path: Path, bound: str | None, days: int, removed: int
) -> None:
    keeping = parse_keeping(bound)
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(tell)
        await start(made, keeping, timedelta(days=days))
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < removed:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        await trio.testing.wait_all_tasks_blocked(0.05)
        ids = "SELECT min(id), count(*) FROM events"
        left = await made.storage.read(lambda db: db.execute(ids).fetchone())
        assert (removed + 1, 2500 - removed + bool(removed)) == left
        assert removed + 1 == made.system.snapshot_of("/retention").description["oldestId"]
        wanted = events.EventFilter(types=("store.events.removed",))
        told, _ = await made.storage.read(lambda db: events.after(db, 0, wanted=wanted))
        assert bool(removed) == len(told)
        assert all(b'"first":1,"last":%d,' % removed in event.body for event in told)


async def test_what_a_former_life_has_left_is_removed_though_nothing_more_is_due(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(tell)
        await made.storage.write(
            lambda tx: tx.db.execute("UPDATE removed_events SET up_to = 1000").rowcount
        )
        await start(made, Keeping(), timedelta())
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 1000:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        assert 1001 == made.system.snapshot_of("/retention").description["oldestId"]


async def test_the_history_of_a_repository_that_is_deleted_is_removed_at_once(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(insert_repository)
        await made.storage.write(
            lambda tx: [tx.emit(made_up("a.b"), actor="t", repository_id=1) for _ in range(300)]
        )
        await start(made, Keeping(), timedelta())
        await made.storage.write(
            lambda tx: delete_repository(tx, 1, "ada", with_history=True),
        )
        await made.system.lookup(RETENTION).tell(HistoryReleased())
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 300:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        left = events.EventFilter(repository_id=1)
        (told,), _ = await made.storage.read(lambda db: events.after(db, 0, wanted=left))
        assert ("repo.deleted", True) == (told.type, b'"historyRemoved":true' in told.body)


async def test_old_transcripts_go_step_by_step_and_those_of_open_tasks_stay(
    tmp_path: Path,
) -> None:
    def fill(tx: Transaction) -> None:
        repository = insert_repository(tx)
        for is_open in (False, True):
            task = insert_task(tx, repository)
            ended = insert_session(tx, task, status="completed", finished_at=tx.now)
            if is_open:
                insert_session(tx, task)
            for number in range(130):
                items.insert(
                    tx,
                    session_id=ended.id,
                    turn_id="t",
                    item_id=str(number),
                    type="agentMessage",
                    status="completed",
                    body={"type": "agentMessage", "text": f"cucumber {number}"},
                )

    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(fill)
        await start(made, Keeping(), timedelta(days=8), transcript_days=9)
        await settle(made)
        assert 260 == await made.storage.read(lambda db: items.count(db, {}))
        await made.system.stop_child("/retention", reason="to begin anew")
        await start(made, Keeping(), timedelta(days=8), transcript_days=7)
        with trio.fail_after(20):
            while made.system.snapshot_of("/retention").description["removed"] < 130:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        await settle(made)
        told = events.EventFilter(types=("session.transcript.removed",))
        (event,), _ = await made.storage.read(lambda db: events.after(db, 0, wanted=told))
        session, stays = await made.storage.read(
            lambda db: (sessions.get(db, 1), items.every(db, {}))
        )
        assert (1, event.ts) == (event.session_id, session.transcript_removed_at)
        assert {2} == {item.session_id for item in stays}
        assert {"t"} == await made.storage.read(lambda db: turns_of_items(db, [1]))
        found = await made.storage.read(
            lambda db: db.execute(
                "SELECT count(*) FROM texts WHERE text LIKE 'cucumber%'"
            ).fetchone()
        )
        assert (130,) == tuple(found)


@pytest.mark.parametrize("wrong", ["", "0d", "9", "2 GB", "1d 2d", "1GB 1GB", "3w", "1.5GB"])
def test_what_is_no_bound_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="neither an age nor a size"):
        parse_keeping(wrong)
