"""Old events are compressed by themselves where that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from command_center.actors.store_care.event_compression import EventCompression
from command_center.runtime import ChildSpec
from command_center.store import Transaction, events
from command_center.store.backups.contents import DATABASE
from command_center.store.event_segments import SIZE
from tests.actors.rows import Rig, rig
from tests.made_up import made_up


def tell(tx: Transaction) -> None:
    for _ in range(SIZE * 3):
        tx.emit(made_up("session.item", {"text": "word " * 40}), actor="test")


async def start(made: Rig, days: int, later: timedelta) -> None:
    actor = lambda: EventCompression(made.storage, days=days, now=lambda: datetime.now(UTC) + later)  # noqa: E731
    await made.system.start_child("/", ChildSpec(id="event-compression", start=actor))


@pytest.mark.parametrize(("days", "later", "moved"), [(7, 8, SIZE * 3), (7, 6, 0), (0, 999, 0)])
async def test_what_is_older_than_the_days_is_compressed_and_nothing_else(
    tmp_path: Path, days: int, later: int, moved: int
) -> None:
    async with rig(tmp_path / DATABASE) as made:
        await made.storage.write(tell)
        before = await made.storage.read(lambda db: events.after(db, 0))
        await start(made, days, timedelta(days=later))
        with trio.fail_after(20):
            while made.system.snapshot_of("/event-compression").description["events"] < moved:  # noqa: ASYNC110 - its description
                await trio.sleep(0.01)
        await trio.testing.wait_all_tasks_blocked(0.05)
        count = "SELECT count(*) FROM events WHERE body = ''"
        assert moved == (await made.storage.read(lambda db: db.execute(count).fetchone()))[0]
        assert before == await made.storage.read(lambda db: events.after(db, 0))
