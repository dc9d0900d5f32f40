"""One request and its answer on a connection: the two ends that an ASGI app holds.

What the app receives is read from the socket when it asks, and what it sends is written when it
sends; an answer's head waits for the first part of its body, so that a whole answer is one write.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

import h11
import structlog
import trio

from command_center.http.transport.channel import CHUNK, ClientChannel, date_line
from command_center.http.wire.asgi import WHOLE_BODY, Message, begins_stream
from command_center.http.wire.problems import problem_of

log = structlog.get_logger("command_center.http")


class Exchange:
    """One request and its answer: the ASGI app's two ends."""

    def __init__(self, connection: ClientChannel, request: h11.Request) -> None:
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
        self._awaiting_body = False
        self._buffered = 0
        self._ready: Message | None = None
        """A part of the body that is taken out of the parser, and not yet received."""
        self._reading: trio.CancelScope | None = None
        self._written: trio.Event | None = None
        """Set once what was sent last is written."""

    async def run(self) -> bool:
        """Run the app; whether the connection is good for another request."""
        scope = self._connection.scope(self._request, "http", "http")
        if self._take_body():
            scope["extensions"][WHOLE_BODY] = {}
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
        if self._http.their_state in _UNFINISHED:
            await self._connection.linger()
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def leave(self) -> None:
        """End an event stream and half a request now, for the server ends; the rest is answered."""
        if self._stream:
            self._stopped = True
            self._stop_reading()
        elif self._awaiting_body:
            self._connection.cut()

    async def receive(self) -> Message:
        """Return the next part of the body; after its end, the client's going."""
        while not (self._gone or self._ended or self._stopped):
            if self._ready is not None:
                ready, self._ready = self._ready, None
                return ready
            if self._http.their_state not in _UNFINISHED:
                await self._watch()
                continue
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                break
            if isinstance(event, h11.Data):
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            if isinstance(event, h11.EndOfMessage):
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._read_body()
        if self._written is not None and not self._gone:
            await self._written.wait()  # whoever hears of the end may cancel who writes
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send a part of the answer; its head goes out together with its body's first part.

        What is sent to a client that is gone is thrown away.

        Raises:
            Refused: there is no place for a stream. The client is told so once the app has ended.
        """
        if message["type"] == "http.response.start" and self._start is None:
            if begins_stream(message):
                self._connection.begin_stream(message)
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            if not (self._ended or self._stopped):
                await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise UnexpectedMessage(message["type"])

    def _take_body(self) -> bool:
        """Take what has come of the body together with the head; whether that was all of it.

        Two looks are enough for a body that announced its length, and cost nobody a wait.
        """
        if self._http.they_are_waiting_for_100_continue:
            return False
        body = b""
        for _ in range(2):
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                return False
            if isinstance(event, h11.EndOfMessage):
                self._ready = {"type": "http.request", "body": body, "more_body": False}
                return True
            if not isinstance(event, h11.Data):
                return False
            body += bytes(event.data)
            self._ready = {"type": "http.request", "body": body, "more_body": True}
        return False

    async def _read_body(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            await self._write(
                self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
            )
        if self._connection.leaving:
            self._connection.cut()
        self._awaiting_body = True
        self._connection.due = trio.current_time() + self._connection.limits.read
        try:
            if not await self._connection.read():
                self._gone = True
        except trio.BrokenResourceError:
            self._gone = True
        self._connection.due = math.inf
        self._awaiting_body = False

    async def _watch(self) -> None:
        """Wait until the client is gone, or the answer is complete.

        One that only ends its input still has a moment in which its answer may come.

        What the client sends meanwhile is its next request, which waits; of more than one
        head's length nothing is read, so that it cannot fill the memory.
        """
        with trio.CancelScope() as self._reading:
            while self._buffered <= self._connection.limits.head_bytes:
                is_reset = False
                try:
                    data = await self._connection.stream.receive_some(CHUNK)
                except trio.BrokenResourceError:
                    data, is_reset = b"", True
                self._http.receive_data(data)
                self._buffered += len(data)
                await self._connection.turn()
                if not data:
                    if not (is_reset or self._begun):
                        await trio.sleep(self._connection.limits.half_closed)
                        await self._connection.turn()
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
        """Return the answer's head; the parser writes what frames the body, and nothing else."""
        framing, lines = [], []
        for name, value in start.get("headers", ()):
            if name in _FRAMING:
                framing.append((name, value))
                if name == b"content-length":
                    self._left = int(value)
            else:
                lines.append(header_line(name, value))
        self._stream = begins_stream(start)
        is_head = self._request.method == b"HEAD"  # which tells the length that a GET would have
        if not (more or is_head or self._left < math.inf or start["status"] in _BARE):
            framing.append((b"content-length", str(length).encode()))
        self._skip_body()
        is_last = self._connection.leaving or self._http.their_state in _UNFINISHED
        if is_last and (b"connection", b"close") not in framing:
            framing.append((b"connection", b"close"))
        head = self._http.send(h11.Response(status_code=start["status"], headers=framing))
        self._begun = True
        return b"".join((head[:-2], *lines, date_line(), b"\r\n"))

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
        """Answer for an app that raised or gave no answer; the connection ends with it."""
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
        """Send bytes; after a part of them nothing else would be understood, so that ends it."""
        if self._gone:
            return
        is_sent = False
        self._written = trio.Event()
        try:
            await self._connection.write(data)
            is_sent = True
        except trio.BrokenResourceError:
            pass  # the client is gone
        finally:
            self._written.set()
            if not is_sent:
                self._hang_up()


class UnexpectedMessage(Exception):
    """The app sent what ASGI does not allow at this point."""

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} may not be sent now.")
        self.kind = kind


class UnsendableHeader(Exception):
    """The app sent a header that would end the head, or begin another."""

    def __init__(self, name: bytes) -> None:
        super().__init__(f"The header {name!r} cannot be sent.")
        self.name = name


class UnfinishedAnswer(Exception):
    """The app returned before its answer was complete."""

    def __init__(self) -> None:
        super().__init__("The app returned before its answer was complete.")


@lru_cache(maxsize=512)
def header_line(name: bytes, value: bytes) -> bytes:
    """Return a header as it is sent; raise UnsendableHeader for one that would break the head."""
    if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
        raise UnsendableHeader(name)
    return b"%s: %s\r\n" % (name, value)


_UNFINISHED = frozenset({h11.SEND_BODY, h11.ERROR})
"""States of a client whose request has not come whole."""
_BARE = frozenset({204, 304})
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection"})
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
