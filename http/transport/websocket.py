"""One WebSocket, from its handshake to its close: the frames are wsproto's, the task is ours.

Like `connection`, all of it happens in the connection's task: the app's `receive` reads from the
socket, its `send` writes. Pings are answered, and sent, while the app receives. No compression is
agreed on: events are small, and a compressor's memory would be most of what a subscriber costs.

An app that tells many clients the same need not wake a task for each. By the extension `FRAMES` it
is given `offer`, which any task may call: it writes whole frames to the socket at once, or refuses
them where that would need waiting. What the socket takes only in part is ours to finish: the rest
goes out before anything else does, as soon as there is room, while the app receives.
"""

from __future__ import annotations

import base64
import binascii
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h11
import trio
from wsproto.connection import Connection as Frames
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage
from wsproto.utilities import generate_accept_token

from command_center.http.transport.channel import ClientChannel, date_line
from command_center.http.wire.asgi import Message
from command_center.http.wire.problems import Problem, Refused, problem_of

CHUNK = 4096
"""Bytes read at once: clients have little to say, and thousands of tiny frames take long."""

VERSION = b"13"

KEY_BYTES = 16
"""Bytes of a handshake's key, before base64."""

FRAMES = "command_center.frames"
"""The extension by which an app may send `frames` (whole, encoded) in a `websocket.send`, and
`offer` them without waiting; an encrypted connection takes no offer."""

NORMAL = 1000
ABNORMAL = 1006
TOO_BIG = 1009
FAILED = 1011
RESTARTING = 1012


def asks_for_websocket(request: h11.Request) -> bool:
    """Return True if a request asks for a WebSocket; HTTP/1.0 has none (RFC 9110, 7.8)."""
    told: dict[bytes, list[bytes]] = {b"upgrade": [], b"connection": []}
    for name, value in request.headers:
        if name in told:
            told[name] += [part.strip() for part in value.lower().split(b",")]
    return (
        b"websocket" in told[b"upgrade"]
        and b"upgrade" in told[b"connection"]
        and request.method == b"GET"
        and request.http_version == b"1.1"
    )


def _handshake_problem(request: h11.Request) -> str | None:
    """Return what is wrong with a handshake, by RFC 6455, 4.2.1 and 11.3.1; None if nothing is."""
    keys = [value.strip() for name, value in request.headers if name == b"sec-websocket-key"]
    if not keys:
        return "The WebSocket handshake has no key."
    try:
        is_key = len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == KEY_BYTES
    except binascii.Error:
        is_key = False
    if not is_key:
        return "The key of a WebSocket handshake is 16 bytes in base64, once."
    names = {name for name, value in request.headers if value != b"0"}
    if names & {b"content-length", b"transfer-encoding"}:
        return "A WebSocket handshake has no body."
    return None


class WebSocket:
    """A request to become a WebSocket, and the WebSocket that it becomes if the app accepts."""

    def __init__(self, connection: ClientChannel, request: h11.Request) -> None:
        self._connection = connection
        self._limits = connection.limits
        self._stream = connection.stream
        self._headers = dict(request.headers)
        self._request = request
        self._frames: Frames | None = None
        self._come = connection.http.trailing_data[0]
        self._rejection: dict[str, Any] | None = None
        self._rejected = bytearray()
        self._answered = False
        self._told = False
        self._closed_with: int | None = None
        self._messages: deque[Message] = deque()
        self._parts: list[Any] = []
        self._length = 0
        self._pinged = False
        self._sending = trio.Lock()
        self._socket: socket.socket | None = None
        self._unsent = b""
        self._awaiting_input = trio.CancelScope()
        self._closed = trio.Event()
        self._over = trio.Event()
        self._is_answered = False
        self._scope = trio.CancelScope()

    async def run(self) -> None:
        """Serve the WebSocket until it is closed; the connection is of no use afterwards."""
        if self._headers.get(b"sec-websocket-version") != VERSION:
            await self._connection.refuse(
                Problem(
                    426,
                    "This server speaks version 13 of the WebSocket protocol.",
                    {
                        "Sec-WebSocket-Version": "13",
                        "Upgrade": "websocket",
                        "Connection": "Upgrade",
                    },
                )
            )
        elif (problem := _handshake_problem(self._request)) is not None:
            await self._connection.refuse(Problem(400, problem))
        else:
            with self._scope, self._borrowed_socket():
                await self._serve()
            self._over.set()

    def offer(self, frames: bytes) -> bool:
        """Take whole frames if they can be sent without waiting; False if not.

        What was taken is sent before all that is sent after it. Where the client is gone or
        closing begins, it is thrown away with whatever else was on its way.
        """
        if (
            self._socket is None
            or self._unsent
            or self._sending.locked()
            or self._frames is None
            or self._frames.state is not ConnectionState.OPEN
        ):
            return False
        try:
            sent = self._socket.send(frames)
        except BlockingIOError:
            return False
        except OSError:
            self._end(ABNORMAL)
            return True
        if sent < len(frames):
            self._unsent = frames[sent:]
            self._awaiting_input.cancel()
        return True

    @contextmanager
    def _borrowed_socket(self) -> Iterator[None]:
        """Hold the stream's socket a second time: trio's own can't send without waiting.

        Nor can one that is encrypted, whose socket is left alone.
        """
        if not isinstance(self._stream, trio.SocketStream):
            yield
            return
        self._socket = socket.socket(fileno=self._stream.socket.fileno())
        try:
            self._socket.settimeout(0)
            yield
        finally:
            self._socket.detach()
            self._socket = None

    async def leave(self) -> None:
        """Close with 1012, wait a moment for the answer and the app, and end the app's task."""
        with trio.move_on_after(self._limits.goodbye):
            await self._close(RESTARTING, "The server restarts.")
            if self._frames is not None:
                await self._over.wait()
        self._scope.cancel()

    async def _serve(self) -> None:
        scope = self._connection.scope(self._request, "websocket", "ws")
        del scope["method"]
        offered = {} if self._socket is None else {"offer": self.offer}
        scope["extensions"] |= {"websocket.http.response": {}, FRAMES: offered}
        scope["subprotocols"] = [
            part.strip().decode("latin-1")
            for name, value in self._request.headers
            if name == b"sec-websocket-protocol"
            for part in value.split(b",")
            if part.strip()
        ]
        code, problem = NORMAL, Problem(500, "The handshake got no answer.")
        try:
            await self._connection.app(scope, self.receive, self.send)
        except* Exception as error:  # noqa: BLE001 - the edge of the app
            code, problem = FAILED, problem_of(error)
        if not self._answered:
            await self._connection.refuse(problem)
        elif self._frames is None:
            await self._connection.linger()  # not before: until here the app may have read
        else:
            await self._close(code)
            await self._await_close()

    async def receive(self) -> Message:
        """Return the next message, after the handshake; at the end the close, again and again."""
        if not self._told:
            self._told = True
            return {"type": "websocket.connect"}
        while not self._messages:
            if self._closed_with is not None:
                return {"type": "websocket.disconnect", "code": self._closed_with}
            await self._read()
        return self._messages.popleft()

    async def send(self, message: Message) -> None:
        """Send what the app sends; to a client that is gone it is thrown away."""
        kind = message["type"]
        if kind == "websocket.send" and self._frames is not None:
            await self._send_message(message)
        elif kind == "websocket.close" and self._frames is not None:
            await self._close(message.get("code") or NORMAL, message.get("reason") or "")
        elif self._answered:
            if kind not in {"websocket.close", "websocket.send"}:
                raise ValueError(kind)
        elif kind == "websocket.accept":
            await self._accept(message)
        elif kind == "websocket.close":
            self._answered = True
            await self._connection.write_problem(Problem(403, "The WebSocket was refused."))
        elif kind == "websocket.http.response.start":
            self._rejection = dict(message)
        elif kind == "websocket.http.response.body" and self._rejection is not None:
            self._rejected += message.get("body", b"")
            if not message.get("more_body", False):
                await self._reject()
        else:
            raise ValueError(kind)

    async def _accept(self, message: Message) -> None:
        try:
            self._connection.begin_stream(message)
        except Refused as refused:  # answered here, for the app thinks that it has accepted
            self._answered = True
            await self._connection.write_problem(refused.problem)
            self._end(ABNORMAL)
            self._awaiting_input.cancel()
            return
        headers = [
            (b"upgrade", b"WebSocket"),
            (b"connection", b"Upgrade"),
            (b"sec-websocket-accept", generate_accept_token(self._headers[b"sec-websocket-key"])),
            *message.get("headers", ()),
        ]
        if message.get("subprotocol") is not None:
            headers.append((b"sec-websocket-protocol", message["subprotocol"].encode("ascii")))
        head = self._connection.http.send(
            h11.InformationalResponse(status_code=101, headers=headers)
        )
        self._answered = True
        await self._write(head)
        self._frames = Frames(ConnectionType.SERVER, [])
        self._awaiting_input.cancel()

    async def _reject(self) -> None:
        assert self._rejection is not None  # noqa: S101 - for the type checker: `send` saw to it
        self._answered = True
        headers = [
            header
            for header in self._rejection.get("headers", ())
            if header[0] not in {b"content-length", b"connection"}
        ]
        headers.append((b"content-length", str(len(self._rejected)).encode()))
        headers.append((b"connection", b"close"))
        http = self._connection.http
        response = h11.Response(status_code=self._rejection["status"], headers=headers)
        head = http.send(response)
        await self._write(
            head[:-2]
            + date_line()
            + b"\r\n"
            + http.send(h11.Data(data=bytes(self._rejected)))
            + http.send(h11.EndOfMessage())
        )

    async def _read(self) -> None:
        """Take what has come before the handshake was answered, or read once.

        A client that is silent is pinged, and if it stays so taken for gone. What was offered and
        is not out yet is sent first.
        """
        if self._unsent:
            await self._finish()
        if self._come and self._frames is not None:
            await self._take()
            return
        data = None
        with trio.move_on_after(self._limits.heartbeat) as self._awaiting_input:
            try:
                data = await self._stream.receive_some(CHUNK)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
        if data is None and trio.current_time() < self._awaiting_input.deadline:
            return  # not silent for long: woken to do what comes first
        self._come += data or b""  # before the turn, in which the reader may be cancelled
        await self._connection.turn()
        if data is None and not self._pinged:
            self._pinged = True
            if self._frames is not None:
                await self._send(Ping())
            return
        self._pinged = False
        if not data:
            self._end(ABNORMAL)
            return
        if self._frames is not None:
            await self._take()
        elif len(self._come) > self._limits.message_bytes:
            self._end(TOO_BIG)

    async def _take(self) -> None:
        """Take what has come as frames; only whoever reads does."""
        assert self._frames is not None  # noqa: S101 - for the type checker: accepted by now
        data, self._come = self._come, b""
        self._frames.receive_data(data)
        for event in self._frames.events():
            if isinstance(event, TextMessage | BytesMessage):
                part = event.data
                self._length += len(part.encode() if isinstance(part, str) else part)
                if self._length > self._limits.message_bytes:
                    await self._close(TOO_BIG, "The message is too long.")
                    self._end(TOO_BIG)
                    return
                if part:
                    self._parts.append(part)
                if event.message_finished:
                    self._deliver(text=isinstance(event, TextMessage))
            elif isinstance(event, Ping):
                await self._send(event.response())
            elif isinstance(event, CloseConnection):
                code = int(event.code)
                if self._frames.state is ConnectionState.REMOTE_CLOSING:
                    await self._send(event.response())
                elif self._frames.state is ConnectionState.OPEN:  # what came is no frame
                    await self._close(code, event.reason or "")
                else:
                    self._is_answered = True
                self._end(code)
                return

    def _deliver(self, *, text: bool) -> None:
        self._messages.append(
            {
                "type": "websocket.receive",
                "text": "".join(self._parts) if text else None,
                "bytes": None if text else b"".join(self._parts),
            }
        )
        self._parts.clear()
        self._length = 0

    async def _close(self, code: int, reason: str = "") -> None:
        if self._frames is not None and self._frames.state is ConnectionState.OPEN:
            await self._send(CloseConnection(code=code, reason=reason))

    async def _send(self, event: Any) -> None:
        """Send a frame; once closing has begun only the close itself may follow."""
        assert self._frames is not None  # noqa: S101 - for the type checker: accepted by now
        async with self._sending:
            open_for = {ConnectionState.OPEN}
            if isinstance(event, CloseConnection):
                open_for.add(ConnectionState.REMOTE_CLOSING)
            if self._frames.state in open_for:
                await self._write(self._frames.send(event))

    async def _send_message(self, message: Message) -> None:
        data = message.get("bytes")
        if "frames" in message:
            await self._send_frames(message["frames"])
        elif data is None:
            await self._send(TextMessage(data=message["text"]))
        else:
            await self._send(BytesMessage(data=data))

    async def _send_frames(self, frames: bytes) -> None:
        """Send whole frames that are encoded already; none once closing has begun."""
        assert self._frames is not None  # noqa: S101 - for the type checker: accepted by now
        async with self._sending:
            if self._frames.state is ConnectionState.OPEN:
                await self._write(frames)

    async def _finish(self) -> None:
        """Send the rest of what was offered."""
        async with self._sending:
            await self._write(b"")

    async def _write(self, data: bytes) -> None:
        """Send bytes; a client that is gone, or does not read in time, is given up."""
        if self._closed.is_set():
            return
        data, self._unsent = self._unsent + data, b""
        try:
            await self._connection.write(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._end(ABNORMAL)

    def _end(self, code: int) -> None:
        if self._closed_with is None:
            self._closed_with = code
        self._closed.set()

    async def _await_close(self) -> None:
        """Wait a moment for the client's close after ours, so that it reads what we sent."""
        with trio.move_on_after(self._limits.goodbye):
            while not self._closed.is_set():
                await self._read()
            if self._closed_with != ABNORMAL and not self._is_answered:
                await self._connection.linger()  # whoever has answered has read all
