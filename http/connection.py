"""One HTTP/1.1 connection: a task that reads a request, runs the app on it, and reads the next.

The parser is h11. Everything of one connection happens in its one task: the app is called there,
what it receives is read from the socket when it asks, and what it sends is written when it sends.
So there is no queue between socket and app, a client that sends faster than the app reads waits
in its own socket, and a fault ends one connection.

How long a client may take is limited wherever it is waited for (`Limits`), and a connection that
has to be closed while its client still sends is closed lingering: the answer first, then the rest
of what comes is read and thrown away for a moment, since closing at once would make the client's
system discard the answer with the connection.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from email.utils import formatdate
from typing import Any, Never, TypeAlias
from urllib.parse import unquote

import attrs
import h11
import structlog
import trio

from command_center.http.errors import JSON, Problem, problem_of
from command_center.http.websocket_connection import WebSocket, asks_for_websocket

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = Mapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("command_center.http")

CHUNK = 64 * 1024
LOOK_SECONDS = 0.5


@attrs.frozen(kw_only=True)
class Limits:
    """How long a client may take, in seconds, and how much it may send, in bytes.

    Attributes:
        idle: between two requests.
        head: from a request's first byte to the end of its head.
        read: without a byte while a body is awaited.
        write: for taking what is sent to it.
        linger: how long input is thrown away before a connection with input left is closed.
        goodbye: for answering a WebSocket's close.
        head_bytes: of a request's line and headers together.
        message_bytes: of a WebSocket message.
    """

    idle: float = 30.0
    head: float = 10.0
    read: float = 30.0
    write: float = 30.0
    linger: float = 2.0
    goodbye: float = 0.5
    head_bytes: int = 32 * 1024
    message_bytes: int = 1024 * 1024


class Connections:
    """The connections of one server: timed by one task, so that no request starts a timer.

    And told together that the server ends.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.leaving = False
        self._open: set[Connection] = set()
        shortest = min(limits.idle, limits.head, limits.read, limits.write)
        self._interval = min(LOOK_SECONDS, shortest / 4)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> None:
        """Count it in."""
        self._open.add(connection)

    def discard(self, connection: Connection) -> None:
        """Count it out."""
        self._open.discard(connection)

    async def watch(self) -> Never:
        """Cut connections whose client takes too long, until cancelled."""
        while True:
            await trio.sleep(self._interval)
            now = trio.current_time()
            for connection in tuple(self._open):
                if connection.due < now:
                    connection.cut()

    async def leave(self) -> None:
        """End every connection as soon as that is polite.

        Idle ones close at once, WebSockets with 1012 (service restart), event streams end; a
        request in hand gets its answer, and its connection closes then. Returns when the
        WebSockets have had their moment to answer; requests in hand may be left.
        """
        self.leaving = True
        async with trio.open_nursery() as nursery:
            for connection in tuple(self._open):
                nursery.start_soon(connection.leave)


class Connection:
    """One client's connection; `run` serves it until either side ends it, and closes it."""

    def __init__(
        self,
        app: App,
        connections: Connections,
        state: Mapping[str, Any],
        stream: trio.SocketStream,
    ) -> None:
        self.app = app
        self.state = state
        self.stream = stream
        self.limits = connections.limits
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=self.limits.head_bytes)
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        self.due = math.inf
        self._connections = connections
        self._serving = trio.CancelScope()
        self._in_head = False
        self._exchange: Exchange | None = None
        self._websocket: WebSocket | None = None

    @property
    def leaving(self) -> bool:
        """Whether the server ends, so that no further request is taken."""
        return self._connections.leaving

    async def run(self) -> None:
        """Serve the connection; a fault in it is logged and ends nothing else."""
        self._connections.add(self)
        try:
            self.client = self.stream.socket.getpeername()[:2]
            self.server = self.stream.socket.getsockname()[:2]
            with self._serving:
                await self._serve()
            if self._in_head:
                self._in_head = False
                await self.refuse(Problem(408, "The request's head took too long to come."))
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client is gone, and nobody is left to be told
        except* Exception as error:  # the edge of a connection
            log.exception("connection.failed", exc_info=error)
        finally:
            self._connections.discard(self)
            await trio.aclose_forcefully(self.stream)

    async def leave(self) -> None:
        """Take no further request; see `Connections.leave`."""
        if self._websocket is not None:
            await self._websocket.leave()
        elif self._exchange is not None:
            self._exchange.leave()
        else:
            self._in_head = False
            self.cut()

    def cut(self) -> None:
        """End what the connection is at, whatever that is."""
        self._serving.cancel()

    async def write(self, data: bytes) -> None:
        """Send bytes; raises BrokenResourceError if the client is gone.

        One that does not read in time is cut.
        """
        self.due = trio.current_time() + self.limits.write
        await self.stream.send_all(data)
        self.due = math.inf

    async def read(self) -> bool:
        """Read what has come into the parser; False at the end of the client's input."""
        data = await self.stream.receive_some(CHUNK)
        self.http.receive_data(data)
        return bool(data)

    async def linger(self) -> None:
        """Say that nothing more will be sent, and throw away what comes, for a moment."""
        with trio.move_on_after(self.limits.linger):
            await self.stream.send_eof()
            while await self.stream.receive_some(CHUNK):
                pass

    async def _serve(self) -> None:
        while not self.leaving:
            request = await self._next_request()
            if request is None:
                return
            if asks_for_websocket(request):
                self._websocket = WebSocket(self, request)
                await self._websocket.run()
                return
            self._exchange = Exchange(self, request)
            again = await self._exchange.run()
            self._exchange = None
            if not again:
                return
            self.http.start_next_cycle()

    async def _next_request(self) -> h11.Request | None:
        """The next request's head; None if there is none, which its sender was told then."""
        self._in_head = bool(self.http.trailing_data[0])
        allowed = self.limits.head if self._in_head else self.limits.idle
        self.due = trio.current_time() + allowed
        while True:
            try:
                event = self.http.next_event()
            except h11.RemoteProtocolError as error:
                self._in_head = False
                await self._refuse(error)
                return None
            if isinstance(event, h11.Request):
                self._in_head = False
                self.due = math.inf
                problem = _unacceptable(event)
                if problem is not None:
                    await self.refuse(problem)
                elif not self._serving.cancel_called:
                    return event
                return None
            if event is not h11.NEED_DATA or (self.leaving and not self._in_head):
                self._in_head = False
                return None
            if await self.read() and not self._in_head:
                self._in_head = True
                self.due = trio.current_time() + self.limits.head

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        status = error.error_status_hint
        if status == 431:  # noqa: PLR2004 - the status is the clearest name for it
            message = f"The request's head is larger than {self.limits.head_bytes} bytes."
        else:
            message = f"That is not an HTTP/1.1 request: {error}."
        await self.refuse(Problem(status, message))

    async def refuse(self, problem: Problem, *, bare: bool = False) -> None:
        """Answer what got no answer of an app (`bare`: without the body), and close.

        Written without the parser, which may be what failed.
        """
        body = problem.body()
        head = (
            f"HTTP/1.1 {problem.status} \r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n"
        ) + "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items())
        self.http.send_failed()
        await self.write(f"{head}\r\n".encode("latin-1") + (b"" if bare else body))
        await self.linger()

    def scope(self, request: h11.Request, kind: str, scheme: str) -> Scope:
        """What an ASGI app is told of a request."""
        path, _, query = request.target.partition(b"?")
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": scheme,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": list(request.headers),
            "client": self.client,
            "server": self.server,
            "state": dict(self.state),
            "extensions": {},
        }


class Exchange:
    """One request and its answer: the ASGI app's two ends."""

    def __init__(self, connection: Connection, request: h11.Request) -> None:
        self._connection = connection
        self._http = connection.http
        self._request = request
        self._start: Message | None = None
        self._begun = False
        self._left: float = math.inf
        self._ended = False
        self._gone = False
        self._stream = False
        self._stopped = False
        self._buffered = 0
        self._reading: trio.CancelScope | None = None

    async def run(self) -> bool:
        """Run the app; whether the connection is good for another request."""
        scope = self._connection.scope(self._request, "http", "http")
        try:
            await self._connection.app(scope, self.receive, self.send)
        except* Exception as error:  # noqa: BLE001 - the edge of the app
            await self._fail(error)
        if self._stopped and self._begun and not self._ended and not self._gone:
            self._ended = True
            await self._write(self._http.send(h11.EndOfMessage()))
        if not self._begun and not self._gone:
            await self._fail(UnfinishedAnswer())
        elif not self._ended and not self._gone:
            log.warning("answer.unfinished", path=scope["path"])
            self._gone = True
        if self._gone:
            return False
        if self._http.their_state is h11.SEND_BODY or self._http.their_state is h11.ERROR:
            await self._connection.linger()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def leave(self) -> None:
        """The server ends: an event stream ends now, anything else is answered first."""
        if self._stream:
            self._stopped = True
            self._stop_reading()

    async def receive(self) -> Message:
        """The next part of the body, or after its end the client's going."""
        while not (self._gone or self._ended or self._stopped):
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                break
            if isinstance(event, h11.Data):
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            if isinstance(event, h11.EndOfMessage):
                return {"type": "http.request", "body": b"", "more_body": False}
            if event is h11.NEED_DATA and self._http.their_state is h11.SEND_BODY:
                await self._read_body()
            elif event in (h11.NEED_DATA, h11.PAUSED):
                await self._watch()
            else:
                break
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the answer; its head goes out together with its body's first part.

        What is sent to a client that is gone is thrown away.
        """
        if message["type"] == "http.response.start" and self._start is None:
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            if not (self._ended or self._stopped):
                await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise UnexpectedMessage(message["type"])

    async def _read_body(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self._write(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            )
        self._connection.due = trio.current_time() + self._connection.limits.read
        try:
            if not await self._connection.read():
                self._gone = True
        except trio.BrokenResourceError:
            self._gone = True
        self._connection.due = math.inf

    async def _watch(self) -> None:
        """Wait until the client is gone, or the answer is complete.

        What the client sends meanwhile is its next request, which waits; of more than one
        head's length nothing is read, so that it cannot fill the memory.
        """
        with trio.CancelScope() as self._reading:
            while self._buffered <= self._connection.limits.head_bytes:
                try:
                    data = await self._connection.stream.receive_some(CHUNK)
                except trio.BrokenResourceError:
                    data = b""
                self._http.receive_data(data)
                self._buffered += len(data)
                if not data:
                    self._gone = True
                    return
            await trio.sleep_forever()

    async def _send_body(self, body: bytes, more: bool) -> None:  # noqa: FBT001 - ASGI's own
        assert self._start is not None  # noqa: S101 - for the type checker: `send` saw to it
        data = b"" if self._begun else self._head(self._start, len(body), more)
        bare = self._request.method == b"HEAD" or self._start["status"] in _BARE
        if body and not bare:
            data += self._http.send(h11.Data(data=body))
        self._left -= len(body)
        if not more or bare or self._left <= 0:
            self._ended = True
            data += self._http.send(h11.EndOfMessage())
        await self._write(data)
        if self._ended:
            self._stop_reading()

    def _head(self, start: Message, length: int, more: bool) -> bytes:  # noqa: FBT001 - ASGI's
        headers = list(start.get("headers", ()))
        for name, value in headers:
            if name == b"content-length":
                self._left = int(value)
            elif name == b"content-type":
                self._stream = value.startswith(b"text/event-stream")
        if not more and self._left is math.inf and start["status"] not in _BARE:
            headers.append((b"content-length", str(length).encode()))
        self._skip_body()
        if self._connection.leaving or self._http.their_state is not h11.DONE:
            headers.append((b"connection", b"close"))
        headers.append((b"date", date_header()))
        data = self._http.send(h11.Response(status_code=start["status"], headers=headers))
        self._begun = True
        return data

    def _skip_body(self) -> None:
        """Throw away what has come of a body that the app did not ask for."""
        if self._http.they_are_waiting_for_100_continue:
            return
        try:
            while self._http.their_state is h11.SEND_BODY:
                if self._http.next_event() is h11.NEED_DATA:
                    return
        except h11.RemoteProtocolError:
            return

    async def _fail(self, error: BaseException) -> None:
        """The app raised, or returned without its answer; the connection ends with it."""
        problem = problem_of(error)
        if not self._begun and not self._gone:
            bare = self._request.method == b"HEAD"
            await self._connection.refuse(problem, bare=bare)
        self._gone = True

    def _hang_up(self) -> None:
        self._gone = True
        self._stop_reading()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def _write(self, data: bytes) -> None:
        if self._gone:
            return
        try:
            await self._connection.write(data)
        except trio.BrokenResourceError:
            self._hang_up()


def _unacceptable(request: h11.Request) -> Problem | None:
    """What the parser lets through and we do not: two lengths of a body are how to smuggle one."""
    if request.http_version not in _VERSIONS:
        return Problem(505, "The version of HTTP here is 1.1.")
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        return Problem(400, "A body has a length or is chunked, not both.")
    return None


class UnexpectedMessage(Exception):
    """The app sent what ASGI does not allow at this point."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} may not be sent now.")
        self.kind = kind


class UnfinishedAnswer(Exception):
    """The app returned before its answer was complete."""

    def __init__(self) -> None:
        super().__init__("The app returned before its answer was complete.")


_BARE = frozenset({204, 304})
_VERSIONS = frozenset({b"1.1", b"1.0"})
_date: tuple[int, bytes] = (0, b"")


def date_header() -> bytes:
    """The Date of an answer, made once a second."""
    global _date  # noqa: PLW0603 - a cache of one
    now = int(time.time())
    if _date[0] != now:
        _date = (now, formatdate(now, usegmt=True).encode("ascii"))
    return _date[1]
