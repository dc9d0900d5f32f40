"""Every request as it is seen from outside: its id, its line in the log, its numbers.

`RequestLog` is ASGI middleware in front of everything, the gate included. A request has an id,
which is always the server's own: one that a client chose could join a story that is not its own.
The answer names it. What the request brings in `X-Request-Id` stands beside it in its line, if that
is a plain word. The id begins with the trace of a valid `traceparent`. It is the origin of all that
actors do for the request, so it stands in each of their lines as in those of the request itself,
and what begins with the request has it for its correlation. A request that changed something, or
found no place for its stream, has a line of its own when it was answered (at info; others at
debug), with the `correlation_id` of what came of it, which leads to what followed:
`GET /api/events?correlationId=`. Where it was a message that calls tools, these are what its line
tells of, and they are counted beside it.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs
import msgspec
import structlog
from quart import Quart, request, websocket

from command_center.http.middleware.metrics import RequestMetrics
from command_center.http.otlp.spans import NANOSECONDS, TraceParent
from command_center.http.otlp.stories import AnsweredRequest
from command_center.http.wire.asgi import REQUEST_ID, App, Message, Receive, Scope, Send
from command_center.http.wire.problems import JSON, Refused, problem_of
from command_center.runtime import origin
from command_center.store import redact

log: structlog.stdlib.BoundLogger = structlog.get_logger("command_center.http.requests")

NO_ROUTE = "none"
"""The route of a request that was refused before one was found, or that found none."""

_WORD = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_ROUTE = "command_center.route"
_PLACE = "command_center.place"
_TOOLS = "command_center.tools"
_READING = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


Exported: TypeAlias = "Callable[[AnsweredRequest], None]"
"""Is told of each request, to trace it."""


def install_request_log(
    app: Quart,
    metrics: RequestMetrics,
    hidden: Sequence[str] = (),
    exported: Exported | None = None,
) -> None:
    """Log what `app` answers, and what the gate before it refuses; `hidden` is no id."""

    async def note_route() -> None:
        rule, scope = request.url_rule, request.scope
        if rule is not None:
            scope[_ROUTE] = rule.rule  # type: ignore[literal-required]
            scope[_PLACE] = request.view_args  # type: ignore[literal-required]

    async def note_socket() -> None:
        if websocket.url_rule is not None:
            websocket.scope[_ROUTE] = websocket.url_rule.rule  # type: ignore[literal-required]

    app.before_request(note_route)
    app.before_websocket(note_socket)
    app.asgi_app = RequestLog(app.asgi_app, metrics, hidden, exported)  # type: ignore[assignment,method-assign]


@attrs.frozen(kw_only=True)
class ToolCall:
    """The call of a tool within a request.

    Attributes:
        name: of the tool.
        is_reading: it changes nothing.
        status: of the operation's answer.
        session_id: of the session that it names.
        body: the operation's answer, as JSON.
    """

    name: str
    is_reading: bool
    status: int
    session_id: object
    body: bytes = b""


def note_tool(scope: Scope | Any, call: ToolCall) -> None:
    """Have the line of a request, and the counters, tell of a tool that it called."""
    scope.setdefault(_TOOLS, []).append(call)


class RequestLog:
    """ASGI middleware that names, logs and counts each request."""

    def __init__(
        self,
        app: Any,
        metrics: RequestMetrics,
        hidden: Sequence[str],
        exported: Exported | None = None,
    ) -> None:
        """Stand in front of `app`."""
        self._app: App = app
        self._metrics = metrics
        self._hidden = hidden
        self._exported = exported

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer under the request's id."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        name = request_id(caller)
        origin.set(name)
        answer = _Answer(send, name.encode(), scope.get("method", "") not in _READING)
        scope[_ROUTE] = NO_ROUTE
        started = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except* Refused as refused:  # by the connection, which answers it
            answer.status, answer.is_refused = problem_of(refused).status, True
            raise
        finally:
            if scope["type"] == "http":
                self._tell(scope, answer, time.perf_counter() - started, name, caller)

    def _tell(
        self, scope: Scope, answer: _Answer, seconds: float, name: str, caller: TraceParent | None
    ) -> None:
        method, route = scope["method"], scope[_ROUTE]
        self._metrics.answered(method, route, answer.status, seconds)
        is_reading, tool = method in _READING, dict[str, object]()
        place, body = scope.get(_PLACE) or {}, bytes(answer.body)
        for call in scope.get(_TOOLS, ()):
            self._metrics.called(call.name, call.status)
            is_reading, body = call.is_reading, call.body
            place = {"session_id": call.session_id} if isinstance(call.session_id, int) else {}
            tool = {"tool": call.name, "tool_status": call.status}
        subject = {"session_id": place["session_id"]} if "session_id" in place else {}
        about = subject | subject_of(body) if body else subject
        brought = brought_id(scope, self._hidden)
        named = {} if brought is None else {"client_request_id": brought}
        level = log.debug if is_reading and not answer.is_refused else log.info
        level(
            "request.answered",
            method=method,
            path=scope["path"],
            status=answer.status,
            seconds=round(seconds, 6),
            **named,
            **tool,
            **about,
        )
        if self._exported is not None:
            end, story, session = (
                time.time_ns(),
                about.get("correlation_id"),
                about.get("session_id"),
            )
            self._exported(
                AnsweredRequest(
                    name=name,
                    method=method,
                    route=route,
                    status=answer.status,
                    start=end - round(seconds * NANOSECONDS),
                    end=end,
                    correlation_id=story if isinstance(story, str) else None,
                    session_id=session if isinstance(session, int) else None,
                    caller=caller,
                )
            )


@attrs.define
class _Answer:
    """Passes the answer on under the request's id, and keeps what the log tells of it.

    Of a stream it keeps nothing: that goes on, and is about nothing that the log tells.
    """

    _send: Send
    _name: bytes
    _keeps: bool
    status: int = 0
    is_refused: bool = False
    body: bytearray = attrs.field(factory=bytearray)

    async def __call__(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start", "websocket.accept"}:
            self.status = message.get("status", 101)
            headers = [*message.get("headers", ())]
            self._keeps = self._keeps and (b"content-type", JSON.encode()) in headers
            message = {**message, "headers": [*headers, (REQUEST_ID, self._name)]}
        elif kind == "http.response.body" and self._keeps:
            self.body += message.get("body", b"")
        await self._send(message)


class _Named(msgspec.Struct, frozen=True, rename="camel"):
    """The names of a record in an answer."""

    id: int | None = None
    correlation_id: str | None = None


class _Outcome(_Named, frozen=True, rename="camel"):
    """An answer, which may hold a session beside other things."""

    session: _Named | None = None
    session_id: int | None = None


def subject_of(body: bytes) -> dict[str, object]:
    """Return what an answer is about, for the log: its session's id and its correlation.

    The session is one that it holds, or that its record belongs to, such as an approval.
    """
    try:
        outcome = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    session = outcome.session or _Named()
    subject = {
        "session_id": session.id or outcome.session_id,
        "correlation_id": session.correlation_id or outcome.correlation_id,
    }
    return {name: value for name, value in subject.items() if value is not None}


_decoder = msgspec.json.Decoder(_Outcome)


def request_id(caller: TraceParent | None) -> str:
    """Return a new id; it begins with the caller's trace, which what it begins is part of."""
    own = secrets.token_hex(8)
    return own if caller is None else f"{caller.trace_id}-{own}"


def caller_of(scope: Scope) -> TraceParent | None:
    """Return the span that the request is part of; None unless it names one, and only one."""
    named = [value for name, value in scope["headers"] if name == b"traceparent"]
    return TraceParent.read(named[0].decode("latin-1")) if len(named) == 1 else None


def brought_id(scope: Scope, hidden: Sequence[str]) -> str | None:
    """Return the id that the client gave the request; None where that may be a secret."""
    for name, value in scope["headers"]:
        if name == REQUEST_ID and _WORD.fullmatch(value):
            brought = str(value.decode("ascii"))
            return brought if redact(brought, hidden) == brought else None
    return None
