"""`/file-shrinking`: gives the room that was freed in the database's file back to the disk.

It does so while nothing is told, some pages at a time, with a rest some times as long after each
step: whoever writes waits for one step at most. A twentieth of the file stays free, as what is
written next needs it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, Refusal
from command_center.store import Transaction, events
from command_center.store.queries import file_size

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 60.0
"""Seconds between two looks whether there is room, and nobody works."""

STEP: Final = 64
"""Pages that are moved at a time: some milliseconds, and a quarter of a megabyte."""

PAUSE: Final = 3.0
"""Seconds of rest for each second of work."""


class FileShrinking(Actor):
    """Gives free pages back while nobody works."""

    def __init__(self, storage: Storage, *, look_seconds: float = LOOK_SECONDS) -> None:
        """Look that often whether there is anything to give back, and all is quiet."""
        self._storage = storage
        self._look_seconds = look_seconds
        self._can_shrink: bool | None = None
        self._free: int | None = None
        self._last_event = -1

    async def on_start(self) -> None:
        """Begin to look."""
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show how much is free, and whether the file is one that can give it back."""
        return {"freeBytes": self._free, "canShrink": self._can_shrink}

    async def _follow(self) -> None:
        while True:
            try:
                if await self._look() >= file_size.LEAST:
                    while await self._step():
                        pass
            except (Refusal, sqlite3.Error) as error:  # no store, a full disk
                log.warning("file_shrinking.failed", reason=str(error))
            await trio.sleep(self._look_seconds)

    async def _look(self) -> int:
        """Return how many pages may be given back; none where events came since the last look."""

        def look(db: Database) -> tuple[bool, int, int, int]:
            spare = file_size.spare_pages(db)
            return file_size.can_shrink(db), file_size.free_bytes(db), spare, events.last_id(db)

        self._can_shrink, self._free, spare, last = await self._storage.read(look)
        is_quiet, self._last_event = last == self._last_event, last
        return spare if self._can_shrink and is_quiet else 0

    async def _step(self) -> bool:
        """Give some pages back; say whether to go on."""
        begun = trio.current_time()
        await self._storage.write(_give_back)
        await trio.sleep((trio.current_time() - begun) * PAUSE)
        return await self._look() > 0


def _give_back(tx: Transaction) -> None:
    file_size.give_back(tx.db, STEP)
