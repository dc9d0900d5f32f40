"""`/event-compression`: compresses the texts of old events, a hundred at most at a time.

They are read and compressed in a thread; the transaction only looks whether they are still so, and
puts them into their segment. Then it rests some times as long, so that others write in between.
Whenever it is cut off, an event's text is in the log or in its segment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
import trio

from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, Refusal
from command_center.store import events
from command_center.store.timestamps import to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 600.0
"""Seconds between two looks for what has become old."""

PAUSE: Final = 3.0
"""Seconds of rest for each second of work."""


class EventCompression(Actor):
    """Compresses what is older than some days."""

    def __init__(
        self,
        storage: Storage,
        *,
        days: int,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Compress what is older than `days`, nothing for 0; `now` tells the time."""
        self._storage = storage
        self._days = days
        self._now = now
        self._done = 0

    async def on_start(self) -> None:
        """Begin, if it is wanted."""
        if self._days:
            self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show after how many days, and how many events were gone through since the start."""
        return {"days": self._days, "events": self._done}

    async def _follow(self) -> None:
        while True:
            try:
                while await self._step():
                    pass
            except (Refusal, sqlite3.Error) as error:  # no store, a full disk, a damaged file
                log.warning("event_compression.failed", reason=str(error))
            await trio.sleep(LOOK_SECONDS)

    async def _step(self) -> bool:
        begun = trio.current_time()
        before = to_timestamp(self._now() - timedelta(days=self._days))
        packed = await self._storage.read_long(lambda db: events.pack(db, before))
        if packed is None:
            return False
        is_kept = await self._storage.write(lambda tx: events.keep_packed(tx.db, packed))
        if is_kept:
            self._done += packed.last - packed.first + 1
            await trio.sleep((trio.current_time() - begun) * PAUSE)
        return is_kept
