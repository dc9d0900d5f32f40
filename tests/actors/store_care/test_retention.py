"""Old events are removed by themselves where that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from command_center.actors.rules.keeping import Keeping, parse_keeping
from command_center.actors.store_care.retention import Retention
from command_center.runtime import ChildSpec
from command_center.store import Transaction, events
from command_center.store.backups.contents import DATABASE
from tests.actors.rows import Rig, rig
from tests.made_up import made_up


def tell(tx: Transaction) -> None:
    for _ in range(2500):
        tx.emit(made_up("session.item", {"text": "word " * 100}), actor="test")


async def start(made: Rig, keeping: Keeping, later: timedelta) -> None:
    actor = lambda: Retention(made.storage, keeping, now=lambda: datetime.now(UTC) + later)  # noqa: E731
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


@pytest.mark.parametrize("wrong", ["", "0d", "9", "2 GB", "1d 2d", "1GB 1GB", "3w", "1.5GB"])
def test_what_is_no_bound_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="neither an age nor a size"):
        parse_keeping(wrong)
