"""The probe of the store: whether it is written, and who waits for that."""

from __future__ import annotations

from pathlib import Path

import trio
from sqlite_utils import Database

from command_center.actors.core.store_probe import KEPT_SECONDS, StoreProbe
from command_center.actors.core.writer import STORE
from tests.actors.rows import rig
from tests.made_up import made_up


def proofs(db: Database) -> int:
    found: int = db.execute("SELECT proofs FROM log_identity").fetchone()[0]
    return found


async def test_a_store_whose_events_were_just_committed_is_not_written_to(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        assert made.system.snapshot_of(STORE).description["secondsSinceEvent"] is None
        await made.storage.write(lambda tx: tx.emit(made_up("a.b", {}), actor="c"))
        since = made.system.snapshot_of(STORE).description["secondsSinceEvent"]
        assert 0 <= since < 60
        before = await made.storage.read(proofs)
        assert "ok" == await StoreProbe(made.storage).state(None)
        assert before + 1 == await made.storage.read(proofs)
        assert "ok" == await StoreProbe(made.storage).state(KEPT_SECONDS / 2)
        assert before + 1 == await made.storage.read(proofs)


async def test_who_asks_again_and_again_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    async with rig(tmp_path / "db.sqlite3") as made:
        probe = StoreProbe(made.storage)
        assert "ok" == await probe.state(None)
        made.storage.readers.close()
        probe._probed -= KEPT_SECONDS
        assert "ok" == await probe.state(KEPT_SECONDS / 2)
        with trio.fail_after(30):
            while "unreadable" != await probe.state(KEPT_SECONDS / 2):
                await trio.lowlevel.checkpoint()
        assert "unreadable" == await probe.state(None)
