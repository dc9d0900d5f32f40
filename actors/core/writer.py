"""`/store`: the one writer.

A *unit* is a function of a `Transaction`: it reads and writes there, and what it returns is the
answer. Units that arrive while a commit is under way are committed together by the next one; each
stands alone, so one that raises is undone alone. The answer comes when the commit is durable, and
events are published after that.

The writer's connection belongs to one thread, made with each incarnation of the actor. `storage` is
the way to it; reads do not pass through here.
"""

from __future__ import annotations

import bisect
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import attrs
import msgspec
import structlog
import trio

from command_center.actors.core.events import (
    PublishCommitted,
)
from command_center.actors.rules.errors import (
    Damaged,
    Invalid,
    NotFound,
    Unavailable,
    Unconfirmed,
)
from command_center.runtime import (
    Actor,
    ActorRef,
    Address,
    Deferred,
    MailboxFull,
    Request,
    handles,
)
from command_center.store import (
    RENEW_SECONDS,
    ClaimLost,
    CommitResult,
    ConstraintViolated,
    DamagedRecord,
    DatabaseClaim,
    Done,
    Failed,
    InvalidCursor,
    InvalidRecord,
    NotReplicated,
    Outcome,
    RecordNotFound,
    Replica,
    StoredEvent,
    StoreUnavailable,
    StoreUnconfirmed,
    Transaction,
    Writer,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

T = TypeVar("T")
Unit = Callable[[Transaction], T]

BATCH = 256
"""The most units in one commit."""

CLOSE_SECONDS = 5.0
"""Seconds that the writer's thread may take to finish its batch and close the file."""


class Write(Request[Any]):
    """Run the unit in a transaction and answer when it is durable."""

    __slots__ = ("unit",)

    def __init__(self, unit: Unit[Any]) -> None:
        """Carry a function; nothing of it crosses a wire."""
        self.unit = unit


class _Settles(Protocol):
    """A place that takes the outcome of a unit."""

    def send(self, value: Any) -> None: ...

    def fail(self, error: Exception) -> None: ...


STORE: Address[Write] = Address("/store")


class WriterDied(Exception):
    """The writer's thread ended by an exception, which the log has."""


class Store(Actor):
    """Hands units to the writer's thread, and their outcomes back."""

    def __init__(
        self,
        path: Path,
        hub: Callable[[], ActorRef[PublishCommitted]],
        *,
        claim: DatabaseClaim | None = None,
        replica: Callable[[], Replica] | None = None,
        on_lost: Callable[[ClaimLost | NotReplicated], None] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        """Write the file at `path`, never `secrets`; tell `hub` which events were committed.

        The file was opened, checked and migrated by `open_database` before. `replica` gives each
        life of this actor whoever must have its commits, too. `on_lost` is told, in the writer's
        thread, that `claim` no longer holds, or that a commit was not replicated: a program ends
        itself then.
        """
        self._path = path
        self._claim = claim
        self._replica = replica
        self._on_lost = on_lost
        self._secrets = secrets
        self._hub = hub
        self._untold: tuple[StoredEvent, ...] | None = None
        self._is_telling = False
        self._stopping = False
        self._thread: _WriterThread

    async def on_start(self) -> None:
        """Open the file in the writer's thread; what is wrong with it is a failed start."""
        self._thread = _WriterThread(
            self._path,
            self._secrets,
            self._publish,
            self._crash_soon,
            self._claim,
            self._replica,
            self._on_lost,
        )
        await trio.to_thread.run_sync(self._thread.start, abandon_on_cancel=True)

    async def on_stop(self) -> None:
        """Commit what was handed over, then close the file."""
        self._stopping = True
        with trio.move_on_after(CLOSE_SECONDS):
            await trio.to_thread.run_sync(self._thread.close, abandon_on_cancel=True)

    def describe(self) -> Mapping[str, object]:
        """Show how much waits for the disk, and how commits have been shared."""
        return self._thread.describe()

    @handles(Write)
    async def write(self, message: Write) -> Deferred[Any]:
        """Queue the unit; its outcome is the answer."""
        reply: Deferred[Any] = self.ctx.defer()
        self._thread.submit(message.unit, reply)
        return reply

    def _crash_soon(self) -> None:
        """On the loop, when the thread has died: so has what it was for."""
        if not self._stopping:
            self.ctx.start_task(self._crash)

    async def _crash(self) -> None:
        raise WriterDied

    def _publish(self, committed: tuple[StoredEvent, ...]) -> None:
        """On the loop, after a commit: the hub fills what it cannot be told from the log."""
        if logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
            _log_events(committed)
        try:
            self._tell(self._hub(), committed)
        except Exception as error:  # noqa: BLE001 - the edge to the writer's thread; the hub catches up from the log
            log.debug("events.unpublished", reason=str(error))

    def _tell(self, hub: ActorRef[PublishCommitted], committed: tuple[StoredEvent, ...]) -> None:
        try:
            hub.try_tell(PublishCommitted(committed))
        except MailboxFull:
            self._untold = committed
            if not (self._is_telling or self._stopping):
                self._is_telling = True
                self.ctx.start_task(self._tell_newest, hub)

    async def _tell_newest(self, hub: ActorRef[PublishCommitted]) -> None:
        """Tell the hub what it had no room for, as soon as it has; all but the newest it reads."""
        while self._untold is not None:
            newest, self._untold = self._untold, None
            await hub.tell(PublishCommitted(newest))
        self._is_telling = False


def _log_events(committed: tuple[StoredEvent, ...]) -> None:
    """Log a line for each event, to find it from a request's line and the other way."""
    for event in committed:
        log.debug(
            "event.committed",
            event_id=event.id,
            type=event.type,
            session_id=event.session_id,
            correlation_id=event.correlation_id,
            causation_id=msgspec.json.decode(event.body, type=_Cause).causation_id,
        )


class _Cause(msgspec.Struct, frozen=True, rename="camel"):
    """The part of an event's text that names its cause."""

    causation_id: int | None = None


@attrs.define
class CommitTimes:
    """Times of commits, in seconds: their number, their sum, and how many took no longer."""

    BOUNDS: ClassVar = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)

    count: int = 0
    total: float = 0.0
    within: list[int] = attrs.field(factory=lambda: [0] * len(CommitTimes.BOUNDS))

    def add(self, seconds: float) -> None:
        """Count one commit."""
        self.count += 1
        self.total += seconds
        for place in range(bisect.bisect_left(self.BOUNDS, seconds), len(self.BOUNDS)):
            self.within[place] += 1

    def describe(self) -> Mapping[str, object]:
        """Return the numbers, each bucket with its upper bound."""
        buckets = [list(pair) for pair in zip(self.BOUNDS, self.within, strict=True)]
        return {"count": self.count, "sum": round(self.total, 6), "buckets": buckets}


@attrs.define
class _WriterThread:
    """The thread that owns the writer's connection."""

    _path: Path
    _secrets: tuple[str, ...]
    _committed: Callable[[tuple[StoredEvent, ...]], None]
    _died: Callable[[], None]
    _claim: DatabaseClaim | None = None
    _replica: Callable[[], Replica] | None = None
    _on_lost: Callable[[ClaimLost | NotReplicated], None] | None = None
    _waiting: queue.SimpleQueue[tuple[Unit[Any], _Settles] | None] = attrs.field(
        factory=queue.SimpleQueue
    )
    _commits: int = 0
    _units: int = 0
    _times: CommitTimes = attrs.field(factory=CommitTimes)
    _told: float | None = None
    _token: trio.lowlevel.TrioToken | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Start, and return when the file is open; raises what opening it raised."""
        opened: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        self._token = trio.from_thread.run_sync(trio.lowlevel.current_trio_token)
        self._thread = threading.Thread(target=self._run, args=(opened,), name="store-writer")
        self._thread.daemon = True
        self._thread.start()
        error = opened.get()
        if error is not None:
            raise error

    def submit(self, unit: Unit[Any], reply: _Settles) -> None:
        """Queue a unit."""
        self._waiting.put((unit, reply))

    def close(self) -> None:
        """Finish what is queued, and return when the file is closed."""
        self._waiting.put(None)
        if self._thread is not None:
            self._thread.join()

    def describe(self) -> Mapping[str, object]:
        """Return counts since the start."""
        return {
            "waiting": self._waiting.qsize(),
            "commits": self._commits,
            "units": self._units,
            "commitSeconds": self._times.describe(),
            "threadId": None if self._thread is None else self._thread.native_id,
            "secondsSinceEvent": self._since_event(),
        }

    def _since_event(self) -> float | None:
        """Return how long ago events were committed; None where none were, or a write failed."""
        return None if self._told is None else round(time.monotonic() - self._told, 3)

    def _run(self, opened: queue.SimpleQueue[Exception | None]) -> None:
        try:
            writer = self._opened()
        except Exception as error:  # noqa: BLE001 - the thread's edge: whoever started it is told
            if isinstance(error, NotReplicated) and self._on_lost is not None:
                self._on_lost(error)
            opened.put(error)
            return
        opened.put(None)
        orderly = False
        try:
            while (batch := self._next_batch()) is not None:
                if batch:
                    self._commit(writer, batch)
                else:
                    writer.renew()
            orderly = True
        except (ClaimLost, NotReplicated) as error:
            if self._on_lost is not None:
                self._on_lost(error)
            raise
        finally:
            if not orderly:
                self._tell_of_death()
            writer.close()

    def _opened(self) -> Writer:
        return Writer(
            self._path,
            is_checked=True,
            claim=self._claim,
            replica=None if self._replica is None else self._replica(),
            secrets=self._secrets,
        )

    def _tell_of_death(self) -> None:
        """Fail all that waits, since the thread is about to end by an exception."""
        assert self._token is not None  # noqa: S101 - set before the thread started
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._died)

    def _next_batch(self) -> list[tuple[Unit[Any], _Settles]] | None:
        """Wait for a unit and take all that are there; none where none came, None at the end."""
        try:
            first = self._waiting.get(timeout=None if self._claim is None else RENEW_SECONDS)
        except queue.Empty:
            return []
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                following = self._waiting.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._waiting.put(None)
                break
            batch.append(following)
        return batch

    def _commit(self, writer: Writer, batch: list[tuple[Unit[Any], _Settles]]) -> None:
        assert self._token is not None  # noqa: S101 - set before the thread started
        begun = time.perf_counter()
        result = writer.commit([unit for unit, _ in batch])
        self._times.add(time.perf_counter() - begun)
        self._commits += 1
        self._units += len(batch)
        if result.events:
            self._told = time.monotonic()
        elif any(_is_of_the_machine(outcome) for outcome in result.outcomes):
            self._told = None
        try:
            self._token.run_sync_soon(self._deliver, batch, result)
        except trio.RunFinishedError:
            return

    def _deliver(self, batch: list[tuple[Unit[Any], _Settles]], result: CommitResult) -> None:
        """On the loop: publish, then answer."""
        if result.events:
            self._committed(result.events)
        for (_, reply), outcome in zip(batch, result.outcomes, strict=True):
            match outcome:
                case Done(value=value):
                    reply.send(value)
                case Failed(error=error):
                    reply.fail(refusal_of(error))


def _is_of_the_machine(outcome: Outcome[Any]) -> bool:
    return isinstance(outcome, Failed) and isinstance(outcome.error, StoreUnavailable)


STORE_ERRORS = (
    ConstraintViolated,
    DamagedRecord,
    InvalidCursor,
    InvalidRecord,
    RecordNotFound,
    StoreUnavailable,
)
"""The store's own errors, of which a caller is told by a refusal."""


def refusal_of(error: Exception) -> Exception:
    """Return the refusal that tells a caller of a store's error; others are as they are."""
    refusal: Exception
    match error:
        case RecordNotFound():
            refusal = NotFound(error.kind, error.id)
        case DamagedRecord():
            refusal = Damaged(str(error), error.kind, error.id)
        case StoreUnconfirmed():
            refusal = Unconfirmed(str(error), retry_after=5.0)
        case StoreUnavailable():
            refusal = Unavailable(str(error), retry_after=5.0)
        case _ if isinstance(error, STORE_ERRORS):
            refusal = Invalid(str(error))
        case _:
            return error
    refusal.__cause__ = error
    return refusal
