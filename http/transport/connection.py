"""One HTTP/1.1 connection: a task that reads a request, runs the app on it, and reads the next.

The parser is h11. Everything of one connection happens in its one task: the app is called there,
what it receives is read from the socket when it asks, and what it sends is written when it sends.
So there is no queue between socket and app, a client that sends faster than the app reads waits
in its own socket, and a fault ends one connection.

How long a client may take is limited wherever it is waited for (`channel.Limits`). A connection
that has to be closed while its client still sends is closed lingering: the answer first, then the
rest of what comes is read and thrown away for a moment, since closing at once would make the
client's system discard the answer with the connection.
"""

from __future__ import annotations

import math
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Never
from urllib.parse import unquote

import h11
import structlog
import trio

from command_center.http.sockets.socket_owner import PEER, Peer
from command_center.http.transport.accept import Occasional, room_for_connections
from command_center.http.transport.channel import CHUNK, ConnectionLimits, date_line
from command_center.http.transport.encryption import ClientStream, EncryptedStream
from command_center.http.transport.exchange import Exchange
from command_center.http.transport.turns import LoopTurns
from command_center.http.transport.unsent import Unsent
from command_center.http.transport.websocket import WebSocket, asks_for_websocket
from command_center.http.wire.asgi import REQUEST_ID, App, Message, Scope
from command_center.http.wire.problems import JSON, Problem, Refused
from command_center.http.wire.security_headers import EVERY_ANSWER

log = structlog.get_logger("command_center.http")

LOOK_SECONDS = 0.5

FIRST = b"GET /health "
"""The beginning of the request that has the first turn."""


STREAMS_SHARE = 7 / 8
"""The part of all places that streams may have, so that requests are answered beside them."""


class Connections:
    """The connections of one server: timed by one task, so that no request starts a timer.

    And told together that the server ends. There are so many at most; one more takes the place of
    the one whose client has been silent for the longest, be it between two requests, within a
    request's head, or after the last answer. Only where all of them are at work, it is refused.
    Streams, which may stay for ever, have most of the places and not all of them. A stream is what
    is answered as one: whoever only asks for it, and may not have it, takes no place.
    """

    def __init__(
        self, limits: ConnectionLimits, room: Callable[[], float] = room_for_connections
    ) -> None:
        self.limits = limits
        self.leaving = False
        self._room = room
        self._open: set[ClientConnection] = set()
        self._served: set[ClientConnection] = set()
        self._streams: set[ClientConnection] = set()
        self._silent: dict[ClientConnection, None] = {}
        self._crowded = Occasional("connections.silent_ones_closed")
        self._refused = Occasional("connections.all_in_use")
        self._stuck = Occasional("connections.stuck_ones_cut")
        self.unsent = Unsent(limits.unsent_bytes)
        self.turns = LoopTurns()
        shortest = min(limits.idle, limits.head, limits.read, limits.write)
        self._interval = min(LOOK_SECONDS, shortest / 4)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: ClientConnection) -> bool:
        """Count it in; whether there is a place for it."""
        self._open.add(connection)
        served = len(self._served)
        if served >= self.most:
            self.make_room()
            is_freed = len(self._served) < served
            (self._crowded if is_freed else self._refused).tell(connections=served)
            if not is_freed:
                return False
        self._served.add(connection)
        return True

    @property
    def most(self) -> float:
        """Return how many there may be."""
        return min(self.limits.connections, self._room())

    def begin_stream(self, connection: ClientConnection, head: Message) -> None:
        """Count a stream in whose answer begins; refuse it where there is no place for it.

        The refusal takes the request's id from the answer that would have been.
        """
        if len(self._streams) >= self.most * STREAMS_SHARE:
            self._refused.tell(streams=len(self._streams))
            named = {
                name.decode(): value.decode()
                for name, value in head.get("headers", ())
                if name == REQUEST_ID
            }
            raise Refused(
                503,
                "All connections for streams are in use; try again later.",
                {"Retry-After": "10", **named},
            )
        self._streams.add(connection)

    def end_stream(self, connection: ClientConnection) -> None:
        """Count its stream out, if it had one."""
        self._streams.discard(connection)

    def discard(self, connection: ClientConnection) -> None:
        """Count it out."""
        self._streams.discard(connection)
        self._open.discard(connection)
        self._served.discard(connection)
        self._silent.pop(connection, None)

    def awaits(self, connection: ClientConnection) -> None:
        """Know that its client has to say something, or to go."""
        self._silent[connection] = None

    def works(self, connection: ClientConnection) -> None:
        """Know that its client waits for us."""
        self._silent.pop(connection, None)

    def sends(self, connection: ClientConnection, size: int) -> None:
        """Know that it is about to send much; cut those that are stuck if all have too much."""
        if self.unsent.add(connection, size):
            self._stuck.tell(bytes=len(self.unsent))

    def make_room(self) -> bool:
        """Close the connection whose client has been silent for the longest; False without one."""
        for connection in self._silent:
            del self._silent[connection]
            self._served.discard(connection)
            connection.give_up()
            return True
        return False

    async def watch(self) -> Never:
        """Give the connections their turns, and cut those that take too long, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.turns.run)
            while True:
                await trio.sleep(self._interval)
                now = trio.current_time()
                for connection in tuple(self._open):
                    if connection.due < now:
                        connection.cut()
                        await self.turns.take()

    async def leave(self) -> None:
        """End every connection as soon as that is polite.

        Idle ones close at once, and those whose request has not come whole; WebSockets close with
        1012 (service restart), event streams end. A request in hand gets its answer, if its client
        reads it, and its connection closes then. Returns when all have had their moment to answer
        or to read; requests in hand may be left.
        """
        self.leaving = True
        async with trio.open_nursery() as nursery:
            for connection in tuple(self._open):
                await self.turns.take()  # so that nobody's moment passes while others are told
                nursery.start_soon(connection.leave)


class ClientConnection:
    """One client's connection; `run` serves it until either side ends it, and closes it."""

    def __init__(
        self,
        app: App,
        connections: Connections,
        state: Mapping[str, Any],
        stream: ClientStream,
    ) -> None:
        self.app = app
        self.state = state
        self.stream = stream
        self.limits = connections.limits
        self.http = _parser(self.limits)
        self.client: tuple[str, int] | None = None
        self.server: tuple[str, int] | None = None
        self._peer: Peer | None = None
        self.due = math.inf
        self._is_first = False
        self._connections = connections
        self._serving = trio.CancelScope()
        self._in_head = False
        self._lingering: trio.CancelScope | None = None
        self._exchange: Exchange | None = None
        self._websocket: WebSocket | None = None

    @property
    def leaving(self) -> bool:
        """Return True once the server ends, and no further request is taken."""
        return self._connections.leaving

    async def run(self) -> None:
        """Serve the connection; a fault in it is logged and ends nothing else."""
        has_place = self._connections.add(self)
        try:
            self.client = self.stream.socket.getpeername()[:2]
            self.server = self.stream.socket.getsockname()[:2]
            self._peer = Peer(self.client, self.server)
            with self._serving, _leaving_nothing():
                await (self._serve() if has_place else self.refuse(ALL_IN_USE))
                if isinstance(self.stream, EncryptedStream):
                    self.due = trio.current_time() + self.limits.goodbye
                    await self.stream.send_eof()
            if self._in_head:
                self._in_head = False
                with trio.CancelScope() as self._serving:
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
        elif self._lingering is not None:
            self._lingering.deadline = trio.current_time() + self.limits.goodbye
        elif self._exchange is not None:
            self._exchange.leave()
            await self._cut_if_stuck()
        else:
            self.give_up()

    async def _cut_if_stuck(self) -> None:
        """Cut a client that is being sent something, and takes no piece of it for a moment."""
        piece = self.due
        if piece < math.inf:
            await trio.sleep(self.limits.goodbye)
            if self.due == piece:
                self.cut()

    def give_up(self) -> None:
        """Close without a word."""
        self._in_head = False
        self.cut()
        if self._lingering is not None:
            self._lingering.cancel()

    def cut(self) -> None:
        """End what the connection is at, whatever that is."""
        self._serving.cancel()

    async def write(self, data: bytes) -> None:
        """Send bytes; raises BrokenResourceError if the client is gone.

        One that does not read is cut; one that reads slowly has its time for each piece.
        """
        if len(data) <= CHUNK:
            await self.turn()
            await self._write_piece(data)
        else:
            self._connections.sends(self, len(data))
            unsent = self._connections.unsent
            try:
                await self.turn()
                for start in range(0, len(data), CHUNK):
                    piece = data[start : start + CHUNK]
                    await self._write_piece(piece)
                    unsent.sent(self, len(piece))
            finally:
                unsent.discard(self)
        self.due = math.inf

    async def _write_piece(self, piece: bytes) -> None:
        allowed = self.limits.goodbye if self.leaving else self.limits.write
        self.due = trio.current_time() + allowed
        await self.stream.send_all(piece)

    async def read(self) -> bool:
        """Read what has come into the parser; False at the end of the client's input."""
        try:
            data = await self.stream.receive_some(CHUNK)
        except trio.BrokenResourceError:
            await self.turn()
            raise
        self.http.receive_data(data)
        self._is_first = data.startswith(FIRST)
        due, self.due = self.due, math.inf  # what has come is not late, however long it waits
        await self.turn()
        self.due = due
        return bool(data)

    def begin_stream(self, head: Message) -> None:
        """Take a place for a stream, or refuse it."""
        self._connections.begin_stream(self, head)

    async def turn(self) -> None:
        """Wait until it is this connection's turn to go on; once the server ends, it always is."""
        if not self.leaving:
            await self._connections.turns.take(first=self._is_first)

    async def linger(self) -> None:
        """Say that nothing more will be sent, and throw away what comes, for a moment."""
        self._connections.awaits(self)
        seconds = self.limits.goodbye if self.leaving else self.limits.linger
        with trio.move_on_after(seconds) as self._lingering:
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
            self._connections.end_stream(self)
            if not again:
                return
            self.http.start_next_cycle()

    async def _next_request(self) -> h11.Request | None:
        """Return the next request's head; None if there is none, or a refusal was sent."""
        self._connections.awaits(self)
        self._in_head = self._begins_head()
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
                self._connections.works(self)
                problem = _unacceptable(event, self.limits.head_bytes)
                if problem is not None:
                    await self.refuse(problem)
                elif not self._serving.cancel_called:
                    return event
                return None
            if event is not h11.NEED_DATA or (self.leaving and not self._in_head):
                self._in_head = False
                return None
            if await self.read() and not self._in_head and self._begins_head():
                self._in_head = True
                self.due = trio.current_time() + self.limits.head

    def _begins_head(self) -> bool:
        """Return True if something of a head has come; skip empty lines before it (RFC 9112, 2.2).

        They do not put off the end of an idle connection.
        """
        come, has_ended = self.http.trailing_data
        head = _EMPTY_LINES.sub(b"", come, count=1)
        if len(head) < len(come):
            self.http = _parser(self.limits)
            if head:
                self.http.receive_data(head)
            if has_ended:
                self.http.receive_data(b"")
        return bool(head)

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        status = error.error_status_hint
        if status == 431:  # noqa: PLR2004 - the status is the clearest name for it
            message = f"The request's head is larger than {self.limits.head_bytes} bytes."
        else:
            message = f"That is not an HTTP/1.1 request: {error}."
        await self.refuse(Problem(status, message))

    async def refuse(self, problem: Problem, *, bare: bool = False) -> None:
        """Answer what got no answer of an app (`bare`: without the body), and close."""
        await self.write_problem(problem, bare=bare)
        await self.linger()

    async def write_problem(self, problem: Problem, *, bare: bool = False) -> None:
        """Send an answer that is the last; without the parser, which may be what failed."""
        body = problem.body()
        head = (
            f"HTTP/1.1 {problem.status} \r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n"
        ) + "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items())
        self.http.send_failed()
        lines = head.encode("latin-1") + date_line() + _SECURITY_HEADERS
        await self.write(lines + b"\r\n" + (b"" if bare else body))

    def scope(self, request: h11.Request, kind: str, scheme: str) -> Scope:
        """Return what an ASGI app is told of a request."""
        path, _, query = request.target.partition(b"?")
        return {
            "type": kind,
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": request.http_version.decode("ascii"),
            "method": request.method.decode("ascii"),
            "scheme": f"{scheme}s" if isinstance(self.stream, EncryptedStream) else scheme,
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": list(request.headers),
            "client": self.client,
            "server": self.server,
            "state": dict(self.state),
            "extensions": {},
            PEER: self._peer,
        }


@contextmanager
def _leaving_nothing() -> Iterator[None]:
    """Empty the frames that a cancellation leaves, which may hold all that was to be sent.

    They stand in cycles, and so would be kept until a full collection, which may be hours away.
    """
    try:
        yield
    except BaseException as error:
        _empty_frames(error)
        raise


def _empty_frames(error: BaseException) -> None:
    """Empty the frames through which cancellations came, all of which have ended.

    To empty a frame that waits is to end its coroutine. So what caused an exception, and what was
    handled when it came, is left alone: they may lead to an actor or a listener that lives.
    """
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            _empty_frames(each)
    elif isinstance(error, trio.Cancelled):
        traceback.clear_frames(error.__traceback__)


def _parser(limits: ConnectionLimits) -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head_bytes)


def _unacceptable(request: h11.Request, head_bytes: int) -> Problem | None:
    """Return the problem of a request that the parser lets through and we do not.

    Two lengths of a body are how to smuggle one. The parser measures a head only while it is
    incomplete, and one read may complete a larger one.
    """
    size = len(request.target) + sum(len(name) + len(value) + 4 for name, value in request.headers)
    if size > head_bytes:
        return Problem(431, f"The request's head is larger than {head_bytes} bytes.")
    if request.http_version not in _VERSIONS:
        return Problem(505, "This server speaks HTTP/1.1.")
    names = {name for name, _ in request.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        return Problem(400, "Send the body with a length or chunked, not both.")
    return None


_SECURITY_HEADERS = b"".join(b"%s: %s\r\n" % header for header in EVERY_ANSWER)
_EMPTY_LINES = re.compile(rb"\A(?:\r?\n)*(?:\r\Z)?")
_VERSIONS = frozenset({b"1.1", b"1.0"})
ALL_IN_USE = Problem(503, "All connections are in use.", {"Retry-After": "1"})
