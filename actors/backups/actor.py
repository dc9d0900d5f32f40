"""`/backups`: makes a backup when its schedule is due, and when somebody asks.

The schedule follows the wall clock. What came due while the server did not run, or while the
machine slept, is made up for once. One that fails is told, and is due again at the next time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import attrs
import msgspec
import structlog
import trio

from command_center.actors.contracts.backups import BackupsShown, ListBackups, MakeBackup
from command_center.actors.contracts.events.backups import BackupMade, BackupNotMade
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.schedule import Schedule, parse
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import StoreUnavailable, Transaction
from command_center.store.backups import places
from command_center.store.backups.errors import BackupFailed
from command_center.store.backups.making import clear_left_work, make_backup
from command_center.store.backups.places import KeptBackup
from command_center.store.timestamps import from_timestamp, to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 30.0
"""Seconds between two looks at the clock."""


@attrs.frozen(kw_only=True)
class BackupSettings:
    """The schedule of backups, and how they are made.

    Attributes:
        every: the schedule; None for none.
        keep: the backups of the schedule that are kept.
        passphrase: closes each of them; None for none.
    """

    every: str | None = None
    keep: int = 7
    passphrase: str | None = attrs.field(default=None, repr=False)


class LookAtSchedule(msgspec.Struct, frozen=True):
    """It is time to look whether one is due."""


class BackingUp(OutsideAct, frozen=True, kw_only=True):
    """The moment of a backup, by which its file is known."""

    moment: str


class Backups(Actor):
    """Makes backups, one at a time, and removes old ones of the schedule."""

    def __init__(
        self,
        storage: Storage,
        database: Path,
        data_dir: Path,
        settings: BackupSettings,
        *,
        zone: ZoneInfo,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Make them of that data folder, on the clocks of `zone`; `now` tells the time."""
        self._storage = storage
        self._database = database
        self._data_dir = data_dir
        self._settings = settings
        self._schedule: Schedule | None = None if settings.every is None else parse(settings.every)
        self._zone = zone
        self._now = now
        self._look_seconds = look_seconds
        self._making = trio.Lock()
        self._last_try = now()
        self._last_failure: str | None = None

    async def on_start(self) -> None:
        """Follow the schedule, if there is one.

        The folder is there from the beginning: from runs is hidden what the data folder has then.
        """
        with contextlib.suppress(OSError):  # who makes a backup says why it cannot
            await trio.to_thread.run_sync(places.make_folder, self._data_dir)
            await trio.to_thread.run_sync(clear_left_work, self._data_dir)
        if self._schedule is not None:
            self.ctx.start_task(self._follow)

    @handles(ListBackups)
    async def show(self, _message: ListBackups) -> Deferred[BackupsShown]:
        """Answer with what lies in the folder now."""
        return self.ctx.answer_later(self._shown)

    @handles(MakeBackup)
    async def make(self, message: MakeBackup) -> Deferred[KeptBackup]:
        """Answer once it is on the disk."""
        return self.ctx.answer_later(partial(self._make, message.requested_by, is_scheduled=False))

    async def _shown(self) -> BackupsShown:
        kept = await trio.to_thread.run_sync(places.kept_backups, self._data_dir)
        due = self._due(kept)
        return BackupsShown(
            items=kept,
            schedule=self._settings.every,
            next_at=None if due is None else to_timestamp(due),
            last_failure=self._last_failure,
        )

    async def _follow(self) -> None:
        while True:
            try:
                kept = await trio.to_thread.run_sync(places.kept_backups, self._data_dir)
                due = self._due(kept)
                if due is not None and due <= self._now():
                    await self._make("backups", is_scheduled=True)
            except (Refusal, OSError) as error:
                log.warning("backup.failed", reason=str(error))
            await trio.sleep(self._look_seconds)

    def _due(self, kept: list[KeptBackup]) -> datetime | None:
        """Return when the next one is due: after the newest, or after the last that failed.

        The first one is due at once.
        """
        if self._schedule is None:
            return None
        now = self._now()
        made = [from_timestamp(one.made_at) for one in kept if one.is_scheduled]
        past = [moment for moment in made if moment <= now]  # else the clock was wrong
        tried = [] if self._last_failure is None else [self._last_try]
        return self._schedule.after(max(past + tried), self._zone) if past or tried else now

    async def _make(self, by: str, *, is_scheduled: bool) -> KeptBackup:
        async with self._making:
            self._last_try = self._now()
            begun = self._storage.intended(BackingUp)
            moment = self._last_try if begun is None else from_timestamp(begun.moment)
            target = places.place_of(
                self._data_dir,
                moment,
                is_scheduled=is_scheduled,
                is_encrypted=self._settings.passphrase is not None,
            )
            await self._storage.intend(BackingUp(moment=to_timestamp(moment)))
            try:
                kept, damaged = await trio.to_thread.run_sync(
                    self._work, target, begun, abandon_on_cancel=True
                )
            except BackupFailed as error:
                self._last_failure = str(error)
                told = BackupNotMade(reason=str(error), is_scheduled=is_scheduled)
                await self._storage.write(lambda tx: _tell(tx, told, by))
                raise Unavailable(f"No backup was made. {error}") from error
            self._last_failure = None
            if damaged:
                self._last_failure = f"It has damaged records: {', '.join(damaged[:3])}."
            news = BackupMade(
                name=kept.name,
                size=kept.size,
                is_scheduled=is_scheduled,
                is_encrypted=kept.is_encrypted,
                damaged=damaged,
            )
            await self._storage.write(lambda tx: _tell(tx, news, by))
            if is_scheduled and not damaged:  # else those from before may be the last whole ones
                prune = partial(places.prune, self._data_dir, self._now(), keep=self._settings.keep)
                await trio.to_thread.run_sync(prune)
            return kept

    def _work(self, target: Path, begun: BackingUp | None) -> tuple[KeptBackup, list[str]]:
        """Make it, unless a former life that has begun it could only not tell of it."""
        if begun is not None and (kept := places.kept_backup(target)) is not None:
            return kept, []
        made = make_backup(
            self._data_dir,
            target,
            database=self._database,
            passphrase=self._settings.passphrase,
            check=trio.from_thread.check_cancelled,
            settle=partial(self._settle, target),
        )
        kept = places.kept_backup(target)
        if kept is None:
            raise BackupFailed(target, "somebody removed it at once.")
        return kept, made.manifest.damaged

    def _settle(self, target: Path) -> None:
        """Return once no failover takes back what was read: a backup has only what is kept."""
        try:
            self._storage.readers.settle()
        except StoreUnavailable as error:
            raise BackupFailed(target, f"{error}.") from error


def _tell(tx: Transaction, told: BackupMade | BackupNotMade, by: str) -> None:
    tx.emit(told, actor=by)
