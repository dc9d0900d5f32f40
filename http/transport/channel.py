"""The connection, as the request or the WebSocket on it sees it.

`connection` starts both, so they cannot import it. They are given a `ClientChannel`.
"""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Protocol

import attrs
import h11

from command_center.http.transport.encryption import ClientStream
from command_center.http.wire.asgi import App, Message, Scope
from command_center.http.wire.problems import Problem

CHUNK = 64 * 1024
"""Bytes that are read or written at once."""


@attrs.frozen(kw_only=True)
class ConnectionLimits:
    """Limits of clients: their number, their time in seconds, and their input in bytes.

    Attributes:
        idle: between two requests.
        head: from a request's first byte to the end of its head.
        read: without a byte while a body is awaited.
        half_closed: in which an answer may begin once the client has ended its input. It may read
            on, or be gone: nothing tells which until something is sent.
        write: for taking 64 KiB of what is sent to it.
        unsent_bytes: that wait for all clients together; above, the one that is stuck is cut.
        linger: how long input is thrown away before a connection with input left is closed.
        goodbye: for answering a WebSocket's close; once the server ends, for lingering, too, and
            for taking 64 KiB.
        heartbeat: of a WebSocket's silence before it is pinged, and then before it is given up.
        connections: that may be open at once, if there are file descriptors for so many.
        head_bytes: of a request's line and headers together.
        message_bytes: of a WebSocket message.
    """

    idle: float = 30.0
    head: float = 10.0
    read: float = 30.0
    half_closed: float = 5.0
    write: float = 30.0
    linger: float = 2.0
    goodbye: float = 0.5
    heartbeat: float = 20.0
    connections: int = 8192
    head_bytes: int = 32 * 1024
    message_bytes: int = 1024 * 1024
    unsent_bytes: int = 32 * 1024 * 1024


class ClientChannel(Protocol):
    """One client's connection, as the request or the WebSocket on it uses it.

    Attributes:
        app: what the client's requests are given to.
        http: the parser, which keeps what has come and is not yet read.
        due: when the client is cut unless it has moved on by then, in trio's time.
    """

    app: App
    stream: ClientStream
    limits: ConnectionLimits
    http: h11.Connection
    due: float

    @property
    def leaving(self) -> bool:
        """Return True once the server ends, and no further request is taken."""

    def scope(self, request: h11.Request, kind: str, scheme: str) -> Scope:
        """Return what an ASGI app is told of a request."""

    async def read(self) -> bool:
        """Read what has come into the parser; return False at the end of the client's input."""

    def begin_stream(self, head: Message) -> None:
        """Take a place for a stream until the request or the WebSocket ends.

        `head` begins its answer; the id that this gives the request is the refusal's, too.

        Raises:
            Refused: there is none.
        """

    async def turn(self) -> None:
        """Wait until it is this connection's turn to go on; for what a client or a timer began."""

    async def write(self, data: bytes) -> None:
        """Send bytes; raise BrokenResourceError if the client is gone."""

    async def write_problem(self, problem: Problem, *, bare: bool = False) -> None:
        """Send an answer that is the last one (`bare`: without its body)."""

    async def refuse(self, problem: Problem, *, bare: bool = False) -> None:
        """Send an answer that is the last one, then linger."""

    async def linger(self) -> None:
        """End the output, and throw away the input for a moment."""

    def cut(self) -> None:
        """End what the connection is at, whatever that is."""


def date_line() -> bytes:
    """Return the Date of an answer as a header; it is made once a second."""
    global _date  # noqa: PLW0603 - a cache of one
    now = int(time.time())
    if _date[0] != now:
        _date = (now, f"date: {formatdate(now, usegmt=True)}\r\n".encode("ascii"))
    return _date[1]


_date: tuple[int, bytes] = (0, b"")
