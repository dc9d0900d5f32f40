"""The way in which actors and routes read and write.

Writes go to the one writer, `/store` (see `writer`). Reads run in worker threads, on connections of
their own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self, TypeVar

import attrs
import trio
from sqlite_utils import Database

from command_center.actors.core.events import (
    EventsMessage,
    PublishLive,
    tell_live,
)
from command_center.actors.core.writer import STORE_ERRORS, Unit, Write, refusal_of
from command_center.actors.rules.errors import Unavailable, Unconfirmed
from command_center.runtime import (
    ActorCrashed,
    ActorRef,
    ActorStopped,
    AskTimeout,
    Context,
    Deferred,
    origin,
)
from command_center.store import Readers, Transaction

T = TypeVar("T")

LONG_READS_AT_ONCE = 2
"""Pages of lists that are read at the same time."""

WRITE_SECONDS = 60.0
"""Seconds that a caller waits for its commit."""


class RequestOrigin(str):
    """An origin that knows more of its request than the id, for the transactions done for it.

    It goes along from message to message as every origin does.

    Attributes:
        device: the device that asks, as events name it; None for nobody's.
        requested_by: what the request calls who asks.
        note: gets each unit's transaction and value, in the writer's thread.
    """

    __slots__ = ("device", "note", "requested_by")

    device: str | None
    requested_by: str
    note: Callable[[Transaction, object], None] | None

    @classmethod
    def of(
        cls,
        before: str | None,
        *,
        device: str | None = None,
        requested_by: str | None = None,
        note: Callable[[Transaction, object], None] | None = None,
    ) -> Self:
        """Return the origin `before`, which knows this, too."""
        made = cls(before or "")
        known = before if isinstance(before, RequestOrigin) else None
        made.device = device if device or known is None else known.device
        made.requested_by = requested_by or (known.requested_by if known else "api")
        made.note = note if note or known is None else known.note
        return made


@attrs.frozen
class Storage:
    """The way in which actors and routes read and write."""

    readers: Readers
    _store: Callable[[], ActorRef[Write]]
    hub: Callable[[], ActorRef[EventsMessage]]
    """Finds `/events`."""
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False, kw_only=True)
    """Texts that must never be stored or shown."""
    _reading_long: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(LONG_READS_AT_ONCE), init=False, repr=False
    )

    async def write(self, unit: Unit[T]) -> T:
        """Run the unit; durable when this returns. It is done for what the caller works for.

        Raises:
            NotFound, Invalid, Unavailable: for the store's own errors.
            Exception: what the unit raised; then nothing of it was written.
        """
        begun_by = origin.get()
        if begun_by is not None:
            unit = done_for(begun_by, unit)
        try:
            answer: T = await self._store().ask(Write(unit), timeout=WRITE_SECONDS)
        except (ActorCrashed, AskTimeout) as error:
            raise Unconfirmed(f"The store did not answer: {error}", retry_after=1.0) from error
        except ActorStopped as error:
            raise Unavailable(f"The store is stopped: {error}", retry_after=1.0) from error
        return answer

    def answer(self, ctx: Context, unit: Unit[T]) -> Deferred[T]:
        """Have the store answer the message in hand, once the unit is durable, with its value.

        For a handler that has nothing left to do then; it returns this. The asker gets the errors
        that `write` raises, or where the store is gone the runtime's own.
        """
        begun_by = origin.get()
        if begun_by is not None:
            unit = done_for(begun_by, unit)
        return ctx.forward(self._store(), Write(unit))

    async def read(self, query: Callable[[Database], T]) -> T:
        """Run a query in a worker thread, on one consistent snapshot.

        Raises:
            NotFound, Invalid, Unavailable: for the store's own errors.
        """
        try:
            return await trio.to_thread.run_sync(partial(self._read, query))
        except STORE_ERRORS as error:
            raise refusal_of(error) from error

    async def read_long(self, query: Callable[[Database], T]) -> T:
        """Run a query for a page, as `read` does, but few at once; the others wait.

        So whoever asks for many pages keeps neither short reads nor the loop from their turn.

        Raises:
            NotFound, Invalid, Unavailable: for the store's own errors.
        """
        async with self._reading_long:
            return await self.read(query)

    def _read(self, query: Callable[[Database], T]) -> T:
        with self.readers.connection() as db:
            return query(db)

    def live(self, event: PublishLive) -> None:
        """Say something to whoever watches now."""
        tell_live(self.hub(), event)


def done_for(name: str, unit: Unit[T]) -> Unit[T]:
    """Wrap a unit so that its transaction is put down to what it is done for, and noted there."""

    def run(tx: Transaction) -> T:
        tx.origin = str(name)
        if not isinstance(name, RequestOrigin):
            return unit(tx)
        tx.device, tx.requested_by = name.device, name.requested_by
        value = unit(tx)
        if name.note is not None:
            name.note(tx, value)
        return value

    return run
