"""`/retention`: removes the oldest events, where there is a bound of days or bytes.

First the cut is moved, and told, in one short transaction: from then on the log begins behind it.
Then the rows go, a hundred at most at a time, with a rest some times as long after each; a process
that ends meanwhile goes on with them at its next start, as the rows below the cut say what is left.
Nothing younger than a day is removed, as clients may still come back to it, and nothing that open
work rests on or that a webhook waits for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.events.backups import EventsRemoved
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import webhooks
from command_center.actors.ledger.missed_turns import TOLD
from command_center.actors.rules.keeping import Keeping
from command_center.runtime import Actor, Refusal
from command_center.store import Transaction, event_cut, event_type
from command_center.store.queries import event_removal
from command_center.store.queries.event_removal import RemovedEvents
from command_center.store.timestamps import to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 3600.0
"""Seconds between two looks for what has become too old or too much."""

PAUSE: Final = 3.0
"""Seconds of rest for each second of work."""

YOUNG: Final = timedelta(days=1)
"""The age up to which nothing is removed, however much there is."""

OF_TURNS: Final = tuple(event_type(kind) for kind in TOLD)


class Retention(Actor):
    """Removes what is beyond the bound."""

    def __init__(
        self,
        storage: Storage,
        keeping: Keeping,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep what is within the bound; `now` tells the time."""
        self._storage = storage
        self._keeping = keeping
        self._now = now
        self._up_to = 0
        self._done = 0

    async def on_start(self) -> None:
        """Look where the log begins, and go on with what a former life has left."""
        self._up_to = await self._storage.read(event_cut.removed_up_to)
        if self._keeping or self._up_to:
            self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show the bound, where the log begins, and how many rows went since the start."""
        return {
            "days": self._keeping.days,
            "bytes": self._keeping.size,
            "oldestId": self._up_to + 1,
            "removed": self._done,
        }

    async def _follow(self) -> None:
        while True:
            try:
                await self._look()
            except (Refusal, sqlite3.Error) as error:  # no store, a full disk, a damaged file
                log.warning("retention.failed", reason=str(error))
            await trio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        if self._keeping:
            due = await self._storage.read_long(self._due)
            if due > self._up_to:
                self._up_to = await self._storage.write(lambda tx: self._cut(tx, due))
        has_more = True
        while has_more:
            begun = trio.current_time()
            removed = await self._storage.write(_remove_next)
            self._done += removed.events
            has_more = removed.has_more
            await trio.sleep((trio.current_time() - begun) * PAUSE)

    def _due(self, db: Database) -> int:
        """Return the last event that is beyond the bound."""
        now = self._now()
        days, size, young = self._keeping.days, self._keeping.size, to_timestamp(now - YOUNG)
        due = 0
        if days is not None:
            before = min(to_timestamp(now - timedelta(days=days)), young)
            due = event_removal.old_up_to(db, before, to_timestamp(now))
        if size is not None:
            beyond = event_removal.beyond_size(db, size)
            due = max(due, min(beyond, event_removal.old_up_to(db, young, to_timestamp(now))))
        return due

    def _cut(self, tx: Transaction, due: int) -> int:
        """Move the cut, if it can be, and tell; return where it is."""
        before = event_cut.removed_up_to(tx.db)
        waiting = webhooks.first_waiting(tx.db)
        up_to = event_removal.cut(tx.db, due if waiting is None else min(due, waiting - 1))
        if up_to is None:
            return before
        keeping = self._keeping
        told = EventsRemoved(first=before + 1, last=up_to, days=keeping.days, bytes=keeping.size)
        tx.emit(told, actor="retention")
        return up_to


def _remove_next(tx: Transaction) -> RemovedEvents:
    return event_removal.remove_next(tx.db, OF_TURNS)
