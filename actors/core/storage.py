"""The way in which actors and routes read and write.

Writes go to the one writer, `/store` (see `writer`). Reads run in worker threads, on connections of
their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self, TypeVar

import attrs
import msgspec
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
from command_center.runtime.threads import READING
from command_center.store import Readers, Transaction

T = TypeVar("T")


class OutsideAct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what a request is about to do outside of the database, and how to tell that it did.

    It is noted under the request's key. If the server is killed, and the request is sent again, its
    handler looks by it whether it was done (`Storage.intended`).
    """


N = TypeVar("N", bound=OutsideAct)

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
        intent: what a former life was about to do for the same request, encoded.
        cause: the event that led to it; None where no agent made it.
    """

    __slots__ = ("cause", "device", "intent", "note", "requested_by")

    device: str | None
    requested_by: str
    note: Callable[[Transaction, object], None] | None
    intent: bytes | None
    cause: int | None

    @classmethod
    def of(
        cls,
        before: str | None,
        *,
        device: str | None = None,
        requested_by: str | None = None,
        note: Callable[[Transaction, object], None] | None = None,
        intent: bytes | None = None,
        story: str | None = None,
        cause: int | None = None,
    ) -> Self:
        """Return the origin `before`, or a `story` in its place, which knows this, too."""
        made = cls(story or before or "")
        known = before if isinstance(before, RequestOrigin) else None
        made.device = device if device or known is None else known.device
        made.requested_by = requested_by or (known.requested_by if known else "api")
        made.note = note if note or known is None else known.note
        made.intent = intent if intent or known is None else known.intent
        made.cause = cause if cause or known is None else known.cause
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

    async def intend(self, intent: OutsideAct) -> None:
        """Note what is about to be done outside, if it is done for a request that has a key.

        It is durable when this returns. The note is taken as each unit's value is.

        Raises:
            Unavailable: as `write`.
        """
        begun_by = origin.get()
        if isinstance(begun_by, RequestOrigin) and begun_by.note is not None:
            await self.write(lambda _: intent)

    def intended(self, kind: type[N]) -> N | None:
        """Return what a former life was about to do for this request; None if that is not known."""
        begun_by = origin.get()
        if not isinstance(begun_by, RequestOrigin) or begun_by.intent is None:
            return None
        return msgspec.json.decode(begun_by.intent, type=kind)

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
            return await READING.run(self._read, query)
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
        tx.device, tx.requested_by, tx.cause = name.device, name.requested_by, name.cause
        value = unit(tx)
        if name.note is not None:
            name.note(tx, value)
        return value

    return run
