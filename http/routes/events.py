"""/api/events: the log as pages, and as a stream that begins with the past.

A stream begins with a frame that says which log it is of and where it begins. Then it sends what
was committed after `after`, and goes on live, with no gap and no repeat between the two. A client
that is told to resume (close code 1013, or 1012 at shutdown) comes back with `after` set to the
last id that it had; an event stream's client names it in `Last-Event-ID`. One that names what is
not in this log is told so at once. Events said only live have `"id": null`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import trio
from quart import Response, request, websocket
from quart_trio.wrappers import TrioResponse
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.core.events import Outlet, Published
from command_center.actors.rules.lengths import Name
from command_center.http.transport.websocket import FRAMES
from command_center.http.wire.codec import Cursor, PageLimit
from command_center.http.wire.event_stream import EventStream, Feed, first_event, text_frame
from command_center.http.wire.operation import SENT_EVENTS, Api
from command_center.http.wire.positions import (
    LAST_EVENT_ID,
    EventId,
    LogId,
    Position,
    position_of,
)
from command_center.http.wire.problems import NotInLog, Problem, error_response
from command_center.http.wire.quart_handlers import Frames
from command_center.http.wire.responses import EventPage
from command_center.http.wire.streamed import Streamed
from command_center.http.wire.timestamps import Moment, normalised
from command_center.store import Event, EventFilter, event_cut, events

api = Api[Center]("Events")

TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012
NOT_IN_LOG = 4410

EVENT_STREAM = "text/event-stream"


class LogQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The events that are wanted, and from where on.

    Attributes:
        after: the id of an event; only later ones are given.
        log_id: the log that `after` is of; 410 if this is another.
        type: may be given more than once, for any of them.
        correlation_id: that of all that has one origin.
    """

    after: EventId | None = None
    log_id: LogId | None = None
    type: tuple[Name, ...] = ()
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: Name | None = None

    def wanted(self, **subject: int) -> EventFilter:
        """Return the filter; `subject` is what the path names."""
        fields: dict[str, Any] = {
            name: getattr(self, name)
            for name in EventFilter.__struct_fields__
            if name in self.__struct_fields__
        }
        return EventFilter(types=self.type, **fields | subject)


class EventsQuery(LogQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The events of a page.

    Attributes:
        limit: the most items to give.
        cursor: the `nextCursor` of the page before.
        since: not before this moment.
        until: before this moment.
        newest_first: the order; else the oldest come first.
    """

    limit: PageLimit = 50
    cursor: Cursor | None = None
    since: Moment | None = None
    until: Moment | None = None
    newest_first: bool = False

    def wanted(self, **subject: int) -> EventFilter:
        """Return the filter; `subject` is what the path names."""
        return msgspec.structs.replace(
            super().wanted(**subject),
            since=normalised("since", self.since),
            until=normalised("until", self.until),
        )


class StreamQuery(LogQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The events that a stream sends: what came after `after`, without it only what is new.

    Attributes:
        opening: has no effect any more: the first frame always says which log it is.
        coalesce: milliseconds that a delta waits for others of its item, to be joined with them.
    """

    opening: bool = True
    coalesce: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


@api.operation("GET", "/api/events", answers={200: EventPage[Event]}, refuses=(410,))
async def list_events(center: Center, query: EventsQuery) -> EventPage[msgspec.Raw]:
    """List the durable log."""
    return await read_events(center, query)


@api.operation("GET", "/api/events/stream", answers={200: SENT_EVENTS}, refuses=(410, 426))
async def stream_events(center: Center, query: StreamQuery) -> Response:
    """Send history after an event, then what happens, as server-sent events."""
    if EVENT_STREAM not in request.headers.get("Accept", "").lower():
        return error_response(
            Problem(
                426,
                f"Ask for a WebSocket, or for server-sent events with Accept: {EVENT_STREAM}.",
                {"Upgrade": "websocket", "Connection": "Upgrade"},
            )
        )
    position = position_of(request.headers.get(LAST_EVENT_ID), query.after, query.log_id)
    await position.check(center)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    source = EventStream(center, query.wanted(), position.after, query.coalesce / 1000)
    body = b"" if request.method == "HEAD" else Streamed(source)
    response = TrioResponse(body, headers=headers, content_type=EVENT_STREAM)
    if request.method == "HEAD":
        del response.headers["Content-Length"]
    response.timeout = None
    return response


@api.websocket("/api/events/stream")
async def send_events(center: Center, query: StreamQuery) -> None:
    """Send history after an event, then what happens, until the client or the server goes."""
    try:
        await Position(query.after, query.log_id).check(center)
    except NotInLog as error:
        await websocket.accept()
        await websocket.close(NOT_IN_LOG, str(error))
        return
    outlet = None if query.coalesce else _outlet()
    with center.fanout.subscribe(
        query.wanted(), after=query.after or 0, outlet=outlet
    ) as subscription:
        # Whoever is let in has missed nothing since.
        await websocket.accept()
        feed = Feed(center, subscription, query.after, query.coalesce / 1000)
        await _send([Published(first_event(center, subscription, query.after))])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_discard_input)
            while batch := await feed.next():
                await _send(batch)
            nursery.cancel_scope.cancel()
    if feed.is_lost is not None:
        await websocket.close(NOT_IN_LOG, str(feed.is_lost))
    elif subscription.closed == "lagging":
        await websocket.close(TRY_AGAIN_LATER, "resume after the last id")
    else:
        await websocket.close(SERVICE_RESTART, "resume after the last id")


async def read_events(center: Center, query: EventsQuery, **subject: int) -> EventPage[msgspec.Raw]:
    """Return a page of events, as the texts that were stored; `subject` is what the path names."""
    wanted = query.wanted(**subject)
    position = Position(query.after, query.log_id)

    def read(db: Database) -> EventPage[msgspec.Raw]:
        position.check_in(db, center.log_id)
        found = events.page(
            db,
            limit=query.limit,
            wanted=wanted,
            last_seen=query.after,
            cursor=query.cursor,
            newest_first=query.newest_first,
        )
        return EventPage(
            items=found.items,
            next_cursor=found.next_cursor,
            oldest_id=event_cut.removed_up_to(db) + 1,
        )

    return await center.storage.read_long(read)


def _outlet() -> Outlet | None:
    """Return what sends events at once, if the WebSocket's connection takes whole frames."""
    offer: Callable[[bytes], bool] | None
    offer = websocket.scope.get("extensions", {}).get(FRAMES, {}).get("offer")
    return None if offer is None else lambda batch: offer(_frames(batch))


def _frames(batch: Sequence[Published]) -> bytes:
    return b"".join([published.form(text_frame) for published in batch])


async def _send(batch: list[Published]) -> None:
    """Send what has gathered: in one piece, where the connection takes frames as they are.

    The batch is emptied, so that a client that reads slowly keeps it in memory but once.
    """
    if FRAMES in websocket.scope.get("extensions", {}):
        frames = Frames(_frames(batch))
        batch.clear()
        await websocket.send(frames)
    else:
        for each in batch:
            await websocket.send(each.event.body.decode())


async def _discard_input() -> None:
    """Read what the client sends, so that its close is noticed; it has nothing to say."""
    while True:
        await websocket.receive()
