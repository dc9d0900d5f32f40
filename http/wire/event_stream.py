"""A stream of events: what was committed, then what is published, with no gap and no repeat.

The same feed goes out in two forms: as WebSocket text frames, and as server-sent events for
clients that have only HTTP. An event is put into each form once, whoever many watch, and what has
gathered while a subscriber was busy is sent to it in one piece.

A subscriber that cannot keep up is told to resume by event id: a WebSocket by close code 1013, an
event stream by its end, after which an EventSource comes back by itself with `Last-Event-ID`.

Both begin with an event that says which log it is and where the stream begins, whatever the filter.
In an event stream it has a name of its own: who listens to events without a name, which an
EventSource calls messages, does not hear it. Its id is the place to come back to, before any event
has come.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache

import trio
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.events.streams import StreamOpened, StreamResumed
from command_center.actors.core.events import Published, PublishLive, Subscription
from command_center.http.wire.joined_deltas import is_delta, joined
from command_center.http.wire.positions import Position
from command_center.http.wire.problems import NotInLog
from command_center.store import EventFilter, StoredEvent, events
from command_center.store.lists.pages import PAGE_BYTES

HEARTBEAT_SECONDS = 15.0
"""Seconds that an event stream is silent at most; proxies cut one that is silent for longer."""

RETRY_MILLISECONDS = 1000
"""After what time an EventSource is to come back."""


class Feed:
    """The events of one subscriber, batch by batch."""

    def __init__(
        self,
        center: Center,
        subscription: Subscription,
        after: int | None,
        coalesce: float = 0.0,
    ) -> None:
        """Begin after the event `after`, or now.

        With `coalesce`, in seconds, a delta waits so long for others to be joined with it. Then the
        subscription has no outlet, which would send each at once.
        """
        self._center = center
        self._subscription = subscription
        self._coalesce = coalesce
        self._held: list[Published] = []
        """The events that wait for others, also while a caller of `next` is cancelled."""
        self._last = begin_of(subscription, after)
        self.is_lost: NotInLog | None = None
        """Says, once the feed has ended, that events were removed before they were sent."""

    async def next(self) -> list[Published]:
        """Return what comes next, at least one event; an empty list once nothing more will."""
        while self._last < self._subscription.live_from and self.is_lost is None:
            past = await self._history()
            if past:
                return past
        if self.is_lost:
            return []
        if not self._coalesce:
            return await self._subscription.take()
        if not self._held:
            self._held = await self._subscription.take()
        await self._gather()
        held, self._held = self._held, []
        return joined(held)

    async def _gather(self) -> None:
        """Wait for more as long as there are only deltas, and no more than a page of them."""
        more = self._held
        size = sum(len(one.event.body) for one in more)
        with trio.move_on_after(self._coalesce):
            while more and size < PAGE_BYTES and all(is_delta(one.event) for one in more):
                more = await self._subscription.take()
                self._held += more
                size += sum(len(one.event.body) for one in more)

    async def _history(self) -> list[Published]:
        start, end = self._last, self._subscription.live_from
        wanted = self._subscription.wanted

        def read(db: Database) -> tuple[list[StoredEvent], int | None]:
            Position(start).check_in(db, self._center.log_id)
            return events.after(db, start, wanted=wanted)

        try:
            found, following = await self._center.storage.read_long(read)
        except NotInLog as error:
            self.is_lost = error
            return []
        self._last = end if following is None else following
        return [Published(event) for event in found if event.id <= end]


class EventStream:
    """The feed as what a `text/event-stream` answer has, piece by piece."""

    def __init__(
        self, center: Center, wanted: EventFilter, after: int | None, coalesce: float = 0.0
    ) -> None:
        """Subscribe when the body is sent; see `Feed` for `coalesce`."""
        self._center = center
        self._coalesce = coalesce
        self._wanted = wanted
        self._after = after
        self._subscription: Subscription
        self._feed: Feed
        self._begun = False
        self._form = server_sent(center.log_id)

    def begin(self, stack: ExitStack) -> None:
        """Subscribe."""
        self._subscription = stack.enter_context(
            self._center.fanout.subscribe(self._wanted, after=self._after or 0)
        )
        self._feed = Feed(self._center, self._subscription, self._after, self._coalesce)

    async def next(self) -> bytes:
        """Return the next events, or a comment where there were none for a while."""
        if not self._begun:
            self._begun = True
            return b"retry: %d\n\n%s" % (RETRY_MILLISECONDS, self._opening())
        batch = None
        with trio.move_on_after(HEARTBEAT_SECONDS):
            batch = await self._feed.next()
        if batch is None:
            return b":\n\n"
        if not batch:
            raise StopAsyncIteration
        return b"".join([published.form(self._form) for published in batch])

    def _opening(self) -> bytes:
        first = first_event(self._center, self._subscription, self._after)
        place = begin_of(self._subscription, self._after)
        head = f"event: {first.type}\nid: {self._center.log_id}:{place}\n"
        return head.encode() + b"data: " + first.body + b"\n\n"


def first_event(center: Center, subscription: Subscription, after: int | None) -> StoredEvent:
    """Return the event that says which log a stream is of, and where in it the stream begins."""
    place = begin_of(subscription, after)
    kind = StreamOpened if after is None else StreamResumed
    return PublishLive(told=kind(log_id=center.log_id, after=place), actor="system").event()


def begin_of(subscription: Subscription, after: int | None) -> int:
    """Return the id after which a stream begins: the one that was asked for, or the newest."""
    return subscription.live_from if after is None else after


@cache
def server_sent(log_id: str) -> Callable[[StoredEvent], bytes]:
    """Return what puts an event of that log into the form of server-sent events.

    Its id names the log, too; one that is said only live has none.
    """
    with_its_place = b"id: " + log_id.encode() + b":%d\ndata: %b\n\n"

    def form(event: StoredEvent) -> bytes:
        if event.id:
            return with_its_place % (event.id, event.body)
        return b"data: %b\n\n" % event.body

    return form


def text_frame(event: StoredEvent) -> bytes:
    """Return the event as an unmasked text frame (RFC 6455), the same for every subscriber."""
    length = len(event.body)
    if length <= _SHORT:
        head = struct.pack("!BB", _TEXT, length)
    elif length <= _MEDIUM:
        head = struct.pack("!BBH", _TEXT, _SHORT + 1, length)
    else:
        head = struct.pack("!BBQ", _TEXT, _SHORT + 2, length)
    return head + event.body


_TEXT = 0x81
"""A text frame that is the whole message."""
_SHORT = 125
_MEDIUM = 0xFFFF
