"""`/size-watch`: looks how much the database has, and tells where it is more than is wanted.

It is told by an event once, and again each time that it has doubled; `/health` is degraded for as
long as it is so.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog
import trio

from command_center.actors.contracts.backups import SizeState
from command_center.actors.contracts.events.backups import StoreLarge
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, Refusal
from command_center.store import Event, EventFilter, Transaction, event_type, events
from command_center.store.queries.file_size import used_bytes

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 600.0
"""Seconds between two looks."""

TOLD: Final = EventFilter(types=(event_type(StoreLarge),))


class SizeWatch(Actor):
    """Watches how much the database has."""

    def __init__(self, storage: Storage, alarm: int | None) -> None:
        """Tell of more bytes than `alarm`; None of none."""
        self._storage = storage
        self._alarm = alarm
        self._bytes: int | None = None

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show how much there is, and from where on that is too much."""
        return {"state": self._state(), "bytes": self._bytes, "alarmBytes": self._alarm}

    def _state(self) -> SizeState:
        if self._bytes is None:
            return "checking"
        return "ok" if self._alarm is None or self._bytes <= self._alarm else "large"

    async def _follow(self) -> None:
        while True:
            try:
                self._bytes = await self._storage.read(used_bytes)
                if self._state() == "large":
                    await self._storage.write(self._tell)
            except (Refusal, sqlite3.Error) as error:  # no store, a full disk
                log.warning("size_watch.failed", reason=str(error))
            await trio.sleep(LOOK_SECONDS)

    def _tell(self, tx: Transaction) -> None:
        """Tell, unless it was told of half as much, or more, beyond the same bound."""
        found = events.page(tx.db, limit=1, wanted=TOLD, newest_first=True).items
        now, alarm = self._bytes or 0, self._alarm or 0
        if found:
            before = msgspec.json.decode(found[0], type=Event).data
            if before["alarmBytes"] == alarm and now < before["bytes"] * 2:
                return
        tx.emit(StoreLarge(bytes=now, alarm_bytes=alarm), actor="size-watch")
