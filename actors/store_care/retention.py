"""`/retention`: removes old events and transcripts, and histories of deleted repositories.

Of the oldest, first the cut is moved, and told, in one short transaction: from then on the log
begins behind it. Then the rows go, a hundred at most at a time, with a rest some times as long
after each; a process that ends meanwhile goes on with them at its next start, as the rows below the
cut say what is left. Nothing younger than a day is removed as old, as clients may still come back
to it, and nothing that open work rests on, or that a webhook or an automation is to act on.

A repository may keep less of its events than the log, and other transcripts. Its events go from
within the log, as those of a deleted one do. Of a transcript, first is told that it goes, and then
its items go, whatever is said in its task meanwhile.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.contracts.backups import HistoryReleased
from command_center.actors.contracts.events.backups import (
    EventsRemoved,
    RepositoryEventsRemoved,
    TranscriptRemoved,
)
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Unit
from command_center.actors.ledger import followers
from command_center.actors.ledger.missed_turns import TOLD
from command_center.actors.rules.keeping import ALL, Keeping, parse_keeping
from command_center.runtime import Actor, Refusal, handles
from command_center.store import Repository, Transaction, event_cut, event_type, repositories
from command_center.store.errors import DamagedRecord
from command_center.store.queries import event_removal, transcript_removal
from command_center.store.queries.event_removal import RemovalStep

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 3600.0
"""Seconds between two looks for what has become too old or too much."""

PAUSE: Final = 3.0
"""Seconds of rest for each second of work."""

YOUNG_DAYS: Final = 1
"""The age up to which nothing is removed, however much there is."""

LOOKED_AT: Final = 100
"""Sessions that are looked at together."""

OF_TURNS: Final = tuple(event_type(kind) for kind in TOLD)


class _Old(NamedTuple):
    """The transcripts that are old: of repositories with this bound, or of one of them alone."""

    kept: str | None
    days: int
    repository_id: int | None = None


class Retention(Actor):
    """Removes what is beyond the bound."""

    def __init__(
        self,
        storage: Storage,
        keeping: Keeping,
        transcripts: Keeping,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep events and transcripts within these bounds; `now` tells the time."""
        self._storage = storage
        self._keeping = keeping
        self._released = trio.Event()
        self._transcripts = transcripts
        self._now = now
        self._up_to = 0
        self._done = 0

    async def on_start(self) -> None:
        """Look where the log begins, and go on with what a former life has left."""
        self._up_to = await self._storage.read(event_cut.removed_up_to)
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show the bound, where the log begins, and how many rows went since the start."""
        return {
            "days": self._keeping.days,
            "bytes": self._keeping.size,
            "oldestId": self._up_to + 1,
            "removed": self._done,
            "transcriptDays": self._transcripts.days,
            "transcriptBytes": self._transcripts.size,
        }

    @handles(HistoryReleased)
    async def look_now(self, _message: HistoryReleased) -> None:
        """Look at once for what is to go."""
        self._released.set()

    async def _follow(self) -> None:
        while True:
            self._released = trio.Event()
            for part in (
                self._cut_old,
                self._remove_below_cut,
                self._shorten_histories,
                self._remove_histories,
                self._remove_left_over,
                self._remove_old_transcripts,
                self._remove_large_transcripts,
            ):
                await self._try(part)
            with trio.move_on_after(LOOK_SECONDS):
                await self._released.wait()

    async def _try(self, part: Callable[..., Awaitable[object]], *about: object) -> bool:
        """Do a part, and say whether it was done; one that fails keeps no other from its own."""
        try:
            await part(*about)
        except (Refusal, sqlite3.Error, DamagedRecord) as error:  # no store, a full disk
            log.warning("retention.failed", part=part.__name__, about=about, reason=str(error))
            return False
        return True

    async def _cut_old(self) -> None:
        if self._keeping:
            due = await self._storage.read_long(self._due)
            if due > self._up_to:
                self._up_to = await self._storage.write(lambda tx: self._cut(tx, due))

    async def _remove_below_cut(self) -> None:
        if await self._storage.read(event_removal.is_pending):
            await self._remove(_remove_next)

    async def _remove_histories(self) -> None:
        for repository_id, up_to in await self._storage.read(event_removal.lost_bounds):
            await self._storage.write(partial(_forget, repository_id, up_to))
        if await self._storage.read(event_removal.is_pending):
            await self._remove(_forget_next)

    async def _shorten_histories(self) -> None:
        """Have events of repositories go that keep less of them than the log."""
        for repository in await self._storage.read(_keep_less):
            await self._try(self._shorten_history, repository.id, repository.keep_events or "")

    async def _shorten_history(self, repository_id: int, kept: str) -> None:
        keeping = parse_keeping(kept)

        def read(db: Database) -> int:
            return self._beyond(
                db, keeping, partial(event_removal.beyond_size_of, db, repository_id)
            )

        due = await self._storage.read_long(read)
        await self._storage.write(partial(_shorten, repository_id, kept, due))

    async def _remove_left_over(self) -> None:
        """Go on with transcripts that a former life, or a step that failed, has left."""
        for id_ in await self._storage.read_long(transcript_removal.left_over):
            await self._try(self._remove_items, id_)

    async def _remove_old_transcripts(self) -> None:
        own = await self._storage.read(transcript_removal.own_bounds)
        for kept, keeping in [
            (None, self._transcripts),
            *((kept, _own_bound(kept)) for kept in own),
        ]:
            if keeping.days is not None:
                await self._remove_transcripts(_Old(kept, keeping.days))

    async def _remove_large_transcripts(self) -> None:
        if self._transcripts.size is not None:
            await self._remove_beyond(
                _Old(None, YOUNG_DAYS), transcript_removal.all_bytes, self._transcripts.size
            )
        for repository in await self._storage.read(_keep_own_transcripts):
            size = _own_bound(repository.keep_transcripts).size
            if size is not None:
                taken = partial(transcript_removal.bytes_of_repository, repository_id=repository.id)
                old = _Old(repository.keep_transcripts, YOUNG_DAYS, repository.id)
                await self._try(self._remove_beyond, old, taken, size)

    async def _remove_beyond(self, old: _Old, taken: Callable[[Database], int], size: int) -> None:
        beyond = await self._storage.read_long(taken) - size
        await self._remove_transcripts(old, size=size, beyond=beyond)

    async def _remove_transcripts(
        self, old: _Old, *, size: int | None = None, beyond: float = math.inf
    ) -> None:
        """Remove old transcripts, the oldest first, until so many bytes beyond a size are gone."""
        tried: set[int] = set()
        while beyond > 0 and (found := await self._old_sessions(old, tried)):
            for id_ in found:
                if beyond <= 0:
                    return
                tried.add(id_)
                taken = 0
                if size is not None:
                    taken = await self._storage.read(partial(_transcript_bytes, id_))
                if await self._try(self._remove_transcript, id_, old, size):
                    beyond -= taken

    async def _old_sessions(self, old: _Old, tried: Collection[int]) -> list[int]:
        """Return the next sessions whose transcripts may go, the oldest first."""
        now = self._now()

        def read(db: Database) -> list[int]:
            found = transcript_removal.old_sessions(
                db, old.kept, old.days, now, repository_id=old.repository_id
            )
            return [*islice((id_ for id_ in found if id_ not in tried), LOOKED_AT)]

        return await self._storage.read_long(read)

    async def _remove_transcript(self, session_id: int, old: _Old, size: int | None) -> None:
        released = partial(_release_transcript, session_id, old, size)
        if await self._storage.write(released):
            await self._remove_items(session_id)

    async def _remove_items(self, session_id: int) -> None:
        await self._remove(partial(_remove_items, session_id))

    async def _remove(self, step: Unit[RemovalStep]) -> None:
        """Take steps until there is nothing left, with a rest after each."""
        has_more = True
        while has_more:
            begun = trio.current_time()
            removed = await self._storage.write(step)
            self._done += removed.events
            has_more = removed.has_more
            await trio.sleep((trio.current_time() - begun) * PAUSE)

    def _due(self, db: Database) -> int:
        """Return the last event that is beyond the bound."""
        return self._beyond(db, self._keeping, partial(event_removal.beyond_size, db))

    def _beyond(self, db: Database, keeping: Keeping, beyond_size: Callable[[int], int]) -> int:
        """Return the last event that is too old, or beyond the size and older than a day."""
        now, due = self._now(), 0
        if keeping.days is not None:
            due = event_removal.old_up_to(db, keeping.days, now)
        if keeping.size is not None:
            beyond = beyond_size(keeping.size)
            due = max(due, min(beyond, event_removal.old_up_to(db, YOUNG_DAYS, now)))
        return due

    def _cut(self, tx: Transaction, due: int) -> int:
        """Move the cut, if it can be, and tell; return where it is."""
        before = event_cut.removed_up_to(tx.db)
        unread = followers.first_unread(tx.db)
        up_to = event_removal.cut(tx.db, due if unread is None else min(due, unread - 1))
        if up_to is None:
            return before
        keeping = self._keeping
        told = EventsRemoved(first=before + 1, last=up_to, days=keeping.days, bytes=keeping.size)
        tx.emit(told, actor="retention")
        return up_to


def _keep_less(db: Database) -> list[Repository]:
    """Return the repositories that bound their events."""
    return [one for one in repositories.sound(db, {})[0] if one.keep_events is not None]


def _keep_own_transcripts(db: Database) -> list[Repository]:
    """Return the repositories that bound their transcripts."""
    return [one for one in repositories.sound(db, {})[0] if one.keep_transcripts is not None]


def _own_bound(kept: str | None) -> Keeping:
    """Return the bound of a repository's own transcripts; none where all are kept."""
    return Keeping() if kept == ALL else parse_keeping(kept)


def _shorten(repository_id: int, kept: str, due: int, tx: Transaction) -> None:
    """Have a repository's events up to one that is due go, unless it says otherwise by now."""
    found = repositories.find(tx.db, {"id": repository_id, "keep_events": kept})
    if found is None:
        return
    unread = followers.first_unread(tx.db)
    up_to = due if unread is None else min(due, unread - 1)
    last = event_removal.shorten_history(tx.db, repository_id, up_to)
    if last is not None:
        keeping = parse_keeping(kept)
        told = RepositoryEventsRemoved(last=last, days=keeping.days, bytes=keeping.size)
        tx.emit(told, actor="retention", repository_id=repository_id)


def _forget(repository_id: int, up_to: int, tx: Transaction) -> None:
    event_removal.forget_history(tx.db, repository_id, up_to)


def _forget_next(tx: Transaction) -> RemovalStep:
    return event_removal.forget_next(tx.db, OF_TURNS)


def _remove_next(tx: Transaction) -> RemovalStep:
    return event_removal.remove_next(tx.db, OF_TURNS)


def _transcript_bytes(session_id: int, db: Database) -> int:
    return transcript_removal.bytes_of(db, session_id)


def _release_transcript(session_id: int, old: _Old, size: int | None, tx: Transaction) -> bool:
    """Have the transcript of a session go, and tell; say whether it still may."""
    session = transcript_removal.release(tx, session_id, old.kept)
    if session is None:
        return False
    tx.emit(
        TranscriptRemoved(days=None if size is not None else old.days, bytes=size),
        actor="retention",
        repository_id=session.repository_id,
        task_id=session.task_id,
        session_id=session.id,
        correlation_id=session.correlation_id,
    )
    return True


def _remove_items(session_id: int, tx: Transaction) -> RemovalStep:
    items = transcript_removal.remove_next(tx.db, session_id)
    return RemovalStep(items, has_more=bool(items))
