"""Spans of requests, of sessions and of what Codex does for them, by what is told of each.

A request that begins something gives its id to all that follows, so its span is the root of the
trace. A session is one actor: its span goes from its queue to its end, and has its events. Below it
stands the turn of Codex.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import attrs

from command_center.http.otlp.spans import (
    NANOSECONDS,
    Span,
    TraceParent,
    Value,
    request_span_of,
    span_of,
    trace_of,
)
from command_center.store import StoredEvent

MOST_SESSIONS: Final = 2000
"""Sessions that are followed at a time; the oldest one is given up for one more."""
MOST_EVENTS: Final = 128
"""Events of a session that its span has, as most receivers take no more."""

ENDS: Final = frozenset({"completed", "failed", "stopped", "interrupted"})
FAILED: Final = frozenset({"failed", "interrupted"})
SERVER_ERROR: Final = 500


@attrs.frozen(kw_only=True)
class AnsweredRequest:
    """A request that was answered; `start` and `end` are nanoseconds since 1970.

    Attributes:
        caller: the span of another program that it is part of, if it names one.
    """

    name: str
    method: str
    route: str
    status: int
    start: int
    end: int
    correlation_id: str | None = None
    session_id: int | None = None
    caller: TraceParent | None = None


def request_span(told: AnsweredRequest) -> Span:
    """Return the span of a request: the root of its story, or a part of the one that it joined."""
    story = told.correlation_id or told.name
    caller = None if told.caller is None else told.caller.span_id
    attributes: dict[str, Value] = {
        "http.request.method": told.method,
        "http.route": told.route,
        "http.response.status_code": told.status,
        "command_center.request_id": told.name,
    }
    if told.session_id is not None:
        attributes["command_center.session_id"] = told.session_id
    return Span(
        trace_id=trace_of(story),
        span_id=request_span_of(told.name),
        parent_id=caller if story == told.name else request_span_of(story),
        name=f"{told.method} {told.route}",
        kind="server",
        start=told.start,
        end=told.end,
        attributes=attributes,
        is_error=told.status >= SERVER_ERROR,
    )


@attrs.define
class _Life:
    """A session that has not ended: when it was first heard of, and what was told since."""

    story: str
    start: int
    turn: int | None = None
    events: list[tuple[int, str]] = attrs.field(factory=list)


@attrs.define
class Stories:
    """Makes spans of events, in the order in which they come."""

    _lives: OrderedDict[int, _Life] = attrs.field(factory=OrderedDict)

    def told(self, event: StoredEvent) -> Iterator[Span]:
        """Yield the spans that end with an event."""
        if event.correlation_id is None:
            return
        at = nanoseconds(event.ts)
        if event.session_id is None:
            yield _moment(event, event.correlation_id, at)
            return
        life = self._lives.get(event.session_id)
        if life is None:
            life = self._lives[event.session_id] = _Life(event.correlation_id, at)
            if len(self._lives) > MOST_SESSIONS:
                self._lives.popitem(last=False)
        if len(life.events) < MOST_EVENTS:
            life.events.append((at, event.type))
        if event.type == "session.started":
            life.turn = at
        kind, _, what = event.type.partition(".")
        if kind == "session" and what in ENDS:
            del self._lives[event.session_id]
            yield from _ended(event, event.session_id, life, at)


def _ended(event: StoredEvent, session_id: int, life: _Life, end: int) -> Iterator[Span]:
    trace_id, path = trace_of(life.story), f"/sessions/{session_id}"
    own = span_of(f"session {session_id} {life.start}")
    is_error = event.type.removeprefix("session.") in FAILED
    attributes: dict[str, Value] = {
        "command_center.actor": path,
        "command_center.session_id": session_id,
        "command_center.outcome": event.type,
    }
    for name in ("repository_id", "task_id"):
        if (number := getattr(event, name)) is not None:
            attributes[f"command_center.{name}"] = number
    yield Span(
        trace_id=trace_id,
        span_id=own,
        parent_id=request_span_of(life.story),
        name=path.replace(str(session_id), "*"),
        start=life.start,
        end=end,
        attributes=attributes,
        events=tuple(life.events),
        is_error=is_error,
    )
    if life.turn is not None:
        yield Span(
            trace_id=trace_id,
            span_id=span_of(f"turn {session_id} {life.turn}"),
            parent_id=own,
            name="codex turn",
            kind="client",
            start=life.turn,
            end=end,
            attributes={"command_center.session_id": session_id},
            is_error=is_error,
        )


def _moment(event: StoredEvent, story: str, at: int) -> Span:
    """Return an event that is no session's, as a span that takes no time."""
    return Span(
        trace_id=trace_of(story),
        span_id=span_of(f"event {event.id} {at}"),
        parent_id=request_span_of(story),
        name=event.type,
        start=at,
        end=at,
        attributes={"command_center.event_id": event.id},
    )


def nanoseconds(moment: str) -> int:
    """Return a timestamp of the log as nanoseconds since 1970."""
    return round(datetime.fromisoformat(moment).timestamp() * 1000) * (NANOSECONDS // 1000)
