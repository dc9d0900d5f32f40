"""Backups are made when they are due, made up for once, and told of, also where they fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import msgspec
import pytest
import trio

from command_center.actors.backups import Backups, BackupSettings
from command_center.actors.contracts.backups import BACKUPS, BackupsShown, ListBackups, MakeBackup
from command_center.actors.rules.errors import Unavailable
from command_center.runtime import ChildSpec
from command_center.store import EventFilter, StoreUnavailable, events
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.places import kept_backups, place_of
from tests.actors.rows import Rig, rig

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@attrs.define
class Kept:
    """The actor, its data folder, and the clock that it looks at."""

    folder: Path
    rig: Rig
    moment: datetime = NOON

    async def ask(self, message: Any) -> Any:
        return await self.rig.system.lookup(BACKUPS).ask(message)

    async def shown(self) -> BackupsShown:
        found = await self.ask(ListBackups())
        assert isinstance(found, BackupsShown)
        return found

    async def told(self) -> list[tuple[str, dict[str, Any]]]:
        wanted = EventFilter(types=("backup.created", "backup.failed"))
        found, _ = await self.rig.storage.read(
            lambda db: events.after(db, 0, limit=50, wanted=wanted)
        )
        return [(one.type, msgspec.json.decode(one.body)["data"]) for one in found]

    async def until_told(self, count: int) -> list[tuple[str, dict[str, Any]]]:
        with trio.fail_after(20):
            while len(told := await self.told()) < count:  # noqa: ASYNC110 - the log
                await trio.sleep(0.01)
        return told

    async def days_pass(self, days: int) -> None:
        """Have the clock go on, and the actor look at it some times."""
        self.moment += timedelta(days=days)
        await trio.sleep(0.1)


@asynccontextmanager
async def keeping(folder: Path, **settings: Any) -> AsyncIterator[Kept]:
    async with rig(folder / DATABASE) as made:
        kept = Kept(folder, made)

        def start() -> Backups:
            return Backups(
                made.storage,
                folder / DATABASE,
                folder,
                BackupSettings(**settings),
                zone=ZoneInfo("UTC"),
                now=lambda: kept.moment,
                look_seconds=0.01,
            )

        await made.system.start_child("/", ChildSpec(id="backups", start=start))
        yield kept


async def test_one_is_made_at_each_due_time_and_the_newest_are_kept(tmp_path: Path) -> None:
    async with keeping(tmp_path, every="daily@13:00", keep=2) as it:
        ((kind, data),) = await it.until_told(1)  # the first one is made at once
        assert ("backup.created", "scheduled-20260301T120000.000000Z.zip") == (kind, data["name"])
        assert "2026-03-01T13:00:00.000Z" == (await it.shown()).next_at
        await it.days_pass(0)
        assert 1 == len(await it.told())
        for count in range(2, 5):
            await it.days_pass(1)
            await it.until_told(count)
        mine = await it.ask(MakeBackup(requested_by="ada"))
        shown = await it.shown()
        assert ["20260304", "20260304", "20260303"] == [
            one.name.partition("-")[2][:8] for one in shown.items
        ]
        assert mine in shown.items
        assert not mine.is_scheduled
        assert ("daily@13:00", "2026-03-04T13:00:00.000Z") == (shown.schedule, shown.next_at)
    assert kept_backups(tmp_path) == shown.items


async def test_what_came_due_while_nothing_ran_is_made_up_for_once(tmp_path: Path) -> None:
    for days in (-9, 3650):  # ahead is one that was made while the clock was wrong
        moment = NOON + timedelta(days=days)
        old = place_of(tmp_path, moment, is_scheduled=True, is_encrypted=False)
        old.parent.mkdir(exist_ok=True)
        old.write_bytes(b"")
    async with keeping(tmp_path, every="daily@13:00") as it:
        await it.until_told(1)
        await it.days_pass(0)
        assert 1 == len(await it.told())


async def test_one_that_fails_is_told_once_and_is_due_again_the_next_time(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("no folder")
    async with keeping(tmp_path, every="daily@13:00") as it:
        ((kind, data),) = await it.until_told(1)
        assert ("backup.failed", True) == (kind, data["isScheduled"])
        await it.days_pass(0)
        assert 1 == len(await it.told())
        (tmp_path / "backups").unlink()
        shown = await it.shown()
        assert data["reason"] == shown.last_failure
        assert "2026-03-01T13:00:00.000Z" == shown.next_at
        await it.days_pass(1)
        assert "backup.created" == (await it.until_told(2))[-1][0]
        assert (await it.shown()).last_failure is None


async def test_without_a_schedule_one_is_made_when_it_is_asked_for(tmp_path: Path) -> None:
    async with keeping(tmp_path) as it:
        assert (tmp_path / "backups").is_dir()  # from runs it is hidden only where it is there
        await it.days_pass(400)
        assert ([], None, None) == ((s := await it.shown()).items, s.schedule, s.next_at)
        made = await it.ask(MakeBackup(requested_by="ada"))
        assert [made] == (await it.shown()).items
        (tmp_path / DATABASE).rename(tmp_path / "gone")
        with pytest.raises(Unavailable, match="there is no database"):
            await it.ask(MakeBackup(requested_by="ada"))


async def test_a_backup_with_what_may_be_taken_back_is_not_kept(tmp_path: Path) -> None:
    def refuse() -> None:
        raise StoreUnavailable("another centre may lead by now", act="read")

    async with keeping(tmp_path) as it:
        readers = it.rig.storage.readers
        readers._settle = refuse
        with pytest.raises(Unavailable, match="another centre may lead"):
            await it.ask(MakeBackup(requested_by="ada"))
        readers._settle = None
        assert [] == kept_backups(tmp_path)
        assert "backup.failed" == (await it.told())[-1][0]
        assert (await it.ask(MakeBackup(requested_by="ada"))) in kept_backups(tmp_path)
