"""/api/events: the log as pages, and as a stream that begins with the past.

A stream first sends what was committed after `after`, then goes on live, with no gap and no repeat
between the two. A client that is told to resume (close code 1013, or 1012 at shutdown) comes back
with `after` set to the last id that it had. Events said only live have `"id": null`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import trio
from quart import Blueprint, Response, request, websocket

from command_center.actors.center import Center
from command_center.actors.events import Subscription
from command_center.http.decoding import PageQuery, decode_query, page_response
from command_center.store import EventFilter, events

TRY_AGAIN_LATER = 1013
SERVICE_RESTART = 1012

HISTORY_PAGE = 500
"""Events read from the log at once."""


class EventsQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Which events, and from where on; `type` may be given more than once."""

    after: int | None = None
    type: tuple[str, ...] = ()
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: str | None = None
    since: str | None = None
    until: str | None = None
    newest_first: bool = False

    def wanted(self, **subject: int) -> EventFilter:
        """The filter; `subject` is what the path names."""
        fields: dict[str, Any] = {
            name: getattr(self, name) for name in EventFilter.__struct_fields__ if name != "types"
        }
        return EventFilter(types=self.type, **fields | subject)


class StreamQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What a stream sends; without `after` only what is new."""

    after: int | None = None
    type: tuple[str, ...] = ()
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    approval_id: int | None = None
    automation_id: int | None = None
    correlation_id: str | None = None

    def wanted(self) -> EventFilter:
        """The filter."""
        fields = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in {"after", "type"}
        }
        return EventFilter(types=self.type, **fields)


async def list_events(center: Center, query: EventsQuery, **subject: int) -> Response:
    """A page of events, as the texts that were stored."""
    page = await center.storage.read(
        lambda db: events.page(
            db,
            limit=query.limit,
            wanted=query.wanted(**subject),
            last_seen=query.after,
            cursor=query.cursor,
            newest_first=query.newest_first,
        )
    )
    return page_response(page.items, page.next_cursor)


async def frames(
    center: Center, subscription: Subscription, after: int | None
) -> AsyncIterator[bytes]:
    """What was committed after `after`, then what is published, until the subscription closes."""
    last = subscription.live_from if after is None else after
    while last < subscription.live_from:
        start = last
        past = await center.storage.read(
            lambda db: events.after(db, start, limit=HISTORY_PAGE, wanted=subscription.wanted)  # noqa: B023 - read at once
        )
        for event in past:
            if event.id <= subscription.live_from:
                yield event.body
        last = past[-1].id if len(past) == HISTORY_PAGE else subscription.live_from
    while batch := await subscription.drain():
        for frame in batch:
            yield frame


def routes(center: Center) -> Blueprint:
    """The log and its stream."""
    api = Blueprint("events", __name__)

    @api.get("/api/events")
    async def list_all() -> Response:
        return await list_events(center, decode_query(request, EventsQuery))

    @api.websocket("/api/events/stream")
    async def stream() -> None:
        query = decode_query(websocket, StreamQuery)
        await websocket.accept()
        with center.fanout.subscribe(query.wanted()) as subscription:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_discard_input)
                async for frame in frames(center, subscription, query.after):
                    await websocket.send(frame.decode())
                nursery.cancel_scope.cancel()
        if subscription.closed == "lagging":
            await websocket.close(TRY_AGAIN_LATER, "resume after the last id")
        else:
            await websocket.close(SERVICE_RESTART, "resume after the last id")

    return api


async def _discard_input() -> None:
    """Read what the client sends, so that its close is noticed; it has nothing to say."""
    while True:
        await websocket.receive()
