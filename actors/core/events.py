"""`/events`: from the durable log, and from what is said only once, to whoever watches.

**No gap, no repeat.** A subscription starts at the last event that was published, `live_from`. Its
owner reads the log from where it wants to begin up to `live_from`, and then drains the
subscription. The hub publishes events in the order of their ids and never one twice: what is
committed while the hub is down, or told to an incarnation that crashed, it reads from the log.

**Nobody waits for a slow subscriber.** Each has a bounded buffer. One that overflows is closed and
keeps what it has; its owner tells the client to resume by event id.

**A subscriber that keeps up wakes no task.** While its owner waits for news, an event is offered to
the subscription's outlet, which writes it to the client there and then if that needs no waiting.
What the outlet refuses is buffered, and so is all that follows until the owner waits again.

**Busy times gather.** The hub hands on what it was told in one turn of the scheduler together, so
that the more there is to say, the fewer writes an event costs.

Events that are said only live (`session.output.delta` and the like) have `"id": null`, are not
stored, and cannot be resumed.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec
import trio

from command_center.runtime import Actor, ActorRef, Address, MailboxFull, handles
from command_center.store import (
    EventData,
    EventFilter,
    Readers,
    StoredEvent,
    event_type,
    events,
    plain_data,
    redact,
)
from command_center.store.lists.pages import PAGE_BYTES
from command_center.store.long_texts.shortening import shorten
from command_center.store.timestamps import now_timestamp

BUFFER = 2000
"""Frames that a subscriber may lag behind before it is closed."""

BUFFER_BYTES = 16 * 1024 * 1024
"""Bytes of events that a subscriber may lag behind; one that is larger goes alone."""


class PublishLive(msgspec.Struct, frozen=True, kw_only=True):
    """Show this to whoever watches now; nobody can ask for it later."""

    told: EventData
    actor: str = "codex"
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: str | None = None

    def event(self, secrets: Sequence[str] = ()) -> StoredEvent:
        """Return the event as a subscriber gets it: its id is null, and 0 to the filters."""
        ids = {name: value for name in _IDS if (value := getattr(self, name)) is not None}
        ts = now_timestamp()
        data = redact(plain_data(self.told), secrets)
        shown = shorten(data)
        wire = {
            "id": None,
            "type": event_type(type(self.told)),
            "ts": ts,
            **{f"{name.removesuffix('_id')}Id": value for name, value in ids.items()},
            "actor": self.actor,
            "correlationId": self.correlation_id,
            "causationId": None,
            "data": shown,
            **({} if shown is data else {"shortened": True}),
        }
        return StoredEvent(
            id=0,
            type=event_type(type(self.told)),
            ts=ts,
            correlation_id=self.correlation_id,
            body=msgspec.json.encode(wire),
            **ids,
        )


_IDS = ("repository_id", "task_id", "session_id", "approval_id", "automation_id")


class PublishCommitted(msgspec.Struct, frozen=True):
    """These events were committed; in the order of their ids."""

    events: tuple[StoredEvent, ...]


EventsMessage: TypeAlias = PublishCommitted | PublishLive
EVENTS: Address[EventsMessage] = Address("/events")


class Published:
    """An event on its way to all who watch, put into each form that it is sent in but once."""

    __slots__ = ("_forms", "event")

    def __init__(self, event: StoredEvent) -> None:
        """Carry the event."""
        self.event = event
        self._forms: dict[Callable[[StoredEvent], bytes], bytes] | None = None

    def form(self, encode: Callable[[StoredEvent], bytes]) -> bytes:
        """Return the event as `encode` makes it, for all who want it so."""
        if self._forms is None:  # most that a client gets again have but one form
            made = encode(self.event)
            self._forms = {encode: made}
            return made
        found = self._forms.get(encode)
        if found is None:
            found = self._forms[encode] = encode(self.event)
        return found


Outlet: TypeAlias = Callable[[Sequence[Published]], bool]
"""Takes events for a watcher without waiting, in their order, or refuses them all (False)."""


class Subscription:
    """One watcher's buffer. Made by `Fanout.subscribe`, drained by one task."""

    def __init__(
        self,
        wanted: EventFilter,
        live_from: int,
        after: int = 0,
        outlet: Outlet | None = None,
    ) -> None:
        """Buffer what matches `wanted`, of events after `live_from` and `after`.

        Whoever has seen an event in an answer may watch from it on before the hub has heard of it.
        """
        self.wanted = wanted
        self.live_from = live_from
        self.after = after
        self.closed: str | None = None
        """The reason that nothing more will come: `lagging` or `shutdown`; None while it may."""
        self._buffer: deque[Published] = deque()
        self._bytes = 0
        self._news = trio.Event()
        self._outlet = outlet
        self._waiting = False

    def push(self, batch: Sequence[Published]) -> None:
        """Hand on what is wanted of the events, buffer it, or close where there is no room."""
        if self.closed is not None:
            return
        wanted = [published for published in batch if self._wants(published.event)]
        if not wanted:
            return
        if self._waiting and self._outlet is not None and self._outlet(wanted):
            return
        self._waiting = False
        self._news.set()
        for published in wanted:
            size = len(published.event.body)
            if len(self._buffer) >= BUFFER or 0 < self._bytes > BUFFER_BYTES - size:
                self.close("lagging")
                return
            self._buffer.append(published)
            self._bytes += size

    def _wants(self, event: StoredEvent) -> bool:
        return not 0 < event.id <= self.after and self.wanted.matches(event)

    def close(self, reason: str) -> None:
        """Let the watcher have what is buffered, and then the reason."""
        if self.closed is None:
            self.closed = reason
        self._news.set()

    async def take(self) -> list[Published]:
        """Return what is buffered, as far as a page holds it; an empty list once it is closed.

        There is at least one event otherwise. So a watcher that is slow has no more on its way to
        it than that, whatever waits: what waits is shared with the others, what is sent is not.

        A caller that is cancelled while it waits misses nothing.
        """
        while not self._buffer:
            if self.closed is not None:
                return []
            self._news = trio.Event()
            self._waiting = True
            try:
                await self._news.wait()
            finally:
                self._waiting = False
        taken: list[Published] = []
        size = 0
        while self._buffer and size < PAGE_BYTES:
            taken.append(self._buffer.popleft())
            size += len(taken[-1].event.body)
        self._bytes -= size
        return taken

    async def drain(self) -> list[bytes]:
        """Return the events' texts alone; otherwise as `take`."""
        return [published.event.body for published in await self.take()]


class Fanout:
    """The subscribers, and the last event that each was told. It outlives restarts of the hub."""

    def __init__(self) -> None:
        """Watched by nobody."""
        self.last_id: int | None = None
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        """Count the subscribers."""
        return len(self._subscriptions)

    @contextlib.contextmanager
    def subscribe(
        self, wanted: EventFilter, *, after: int = 0, outlet: Outlet | None = None
    ) -> Iterator[Subscription]:
        """Watch what matches from now on, for as long as the context lasts.

        With an `outlet`, an event that comes while the owner waits in `take` goes there first.
        """
        subscription = Subscription(wanted, self.last_id or 0, after, outlet)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def publish(self, news: Iterable[StoredEvent]) -> None:
        """Hand on events; those at or below the last id were handed on before."""
        batch = []
        for event in news:
            if event.id:
                if self.last_id is not None and event.id <= self.last_id:
                    continue
                self.last_id = event.id
            batch.append(Published(event))
        if batch:
            for subscription in self._subscriptions:
                subscription.push(batch)

    def close(self) -> None:
        """Nothing more will come to anybody."""
        for subscription in self._subscriptions:
            subscription.close("shutdown")


class EventHub(Actor):
    """Publishes what was committed, in order, and fills every gap from the log."""

    def __init__(self, fanout: Fanout, readers: Readers, secrets: Sequence[str] = ()) -> None:
        """Publish to `fanout`; read what was missed through `readers`.

        `secrets` are taken out of what is said live.
        """
        self._fanout = fanout
        self._readers = readers
        self._secrets = tuple(secrets)
        self._gathered: list[StoredEvent] = []
        self._newest_id = 0
        self._news = trio.Event()

    async def on_start(self) -> None:
        """Catch up with the log; the first incarnation starts at its end."""
        if self._fanout.last_id is None:
            self._fanout.last_id = await trio.to_thread.run_sync(self._newest)
        await self._catch_up()
        self.ctx.start_task(self._hand_on)

    async def on_stop(self) -> None:
        """Hand on what was gathered last."""
        self._publish()

    def describe(self) -> Mapping[str, object]:
        """Show how many watch, and the last event that they were told of."""
        return {"subscribers": len(self._fanout), "lastEventId": self._fanout.last_id}

    @handles(PublishCommitted)
    async def committed(self, message: PublishCommitted) -> None:
        """Hand on a batch; events that are missing before it come from the log."""
        if message.events[0].id > self._newest_id + 1:
            self._publish()
            await self._catch_up()
        self._gather(message.events)
        self._newest_id = max(self._newest_id, message.events[-1].id)

    @handles(PublishLive)
    async def live(self, message: PublishLive) -> None:
        """Hand on what is said only live; encoded once, and only if somebody watches."""
        if len(self._fanout) > 0:
            self._gather([message.event(self._secrets)])

    def _gather(self, news: Iterable[StoredEvent]) -> None:
        self._gathered.extend(news)
        self._news.set()

    async def _hand_on(self) -> None:
        """Hand on what is gathered, whenever the handlers have let others run."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            self._publish()

    def _publish(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._fanout.publish(gathered)

    async def _catch_up(self) -> None:
        while True:
            last_id = self._fanout.last_id or 0
            missed, following = await trio.to_thread.run_sync(self._page, last_id)
            self._fanout.publish(missed)
            if following is None:
                self._newest_id = self._fanout.last_id or 0
                return

    def _page(self, after: int) -> tuple[list[StoredEvent], int | None]:
        with self._readers.connection() as db:
            return events.after(db, after)

    def _newest(self) -> int:
        with self._readers.connection() as db:
            return events.last_id(db)


def tell_live(hub: ActorRef[PublishLive], live: PublishLive) -> None:
    """Say something live; where the hub is behind, it is not said: the finished item will be."""
    with contextlib.suppress(MailboxFull):
        hub.try_tell(live)
