"""Our connection under a plain ASGI app, on real sockets, without a worker around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import msgspec
import trio

from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.connection import ClientConnection, Connections
from command_center.http.wire.asgi import App, Message, Receive, Scope, Send

HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
GET = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n"
LAST_GET = b"GET /a HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n"

QUICK = ConnectionLimits(idle=5, head=5, read=5, write=5, linger=1, goodbye=0.2, half_closed=0.2)


@attrs.define
class Server:
    """A served app, and its connections."""

    port: int
    connections: Connections

    async def connect(self) -> trio.SocketStream:
        """A new connection."""
        return await trio.open_tcp_stream("127.0.0.1", self.port)

    async def exchange(self, sent: bytes) -> bytes:
        """Send on a new connection, and read until the server closes it."""
        async with await self.connect() as stream:
            await stream.send_all(sent)
            return await everything(stream)


@asynccontextmanager
async def connected(
    app: App,
    limits: ConnectionLimits = QUICK,
    connections: Connections | None = None,
    prepare: Callable[[trio.SocketStream], object] = bool,
) -> AsyncIterator[Server]:
    """Serve `app` for the length of a test, which takes ten seconds at most.

    The server's side of each connection is shown to `prepare` first.
    """
    connections = Connections(limits) if connections is None else connections

    async def handle(stream: trio.SocketStream) -> None:
        prepare(stream)
        await ClientConnection(app, connections, {}, stream).run()

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, handle, 0, host="127.0.0.1")
            nursery.start_soon(connections.watch)
            listeners: list[trio.SocketListener] = await nursery.start(serve)
            yield Server(listeners[0].socket.getsockname()[1], connections)
            nursery.cancel_scope.cancel()


async def everything(stream: trio.SocketStream) -> bytes:
    """Return what comes until the other side ends."""
    return b"".join([chunk async for chunk in stream])


async def until(stream: trio.SocketStream, ending: bytes) -> bytes:
    """Return what comes until it ends so."""
    read = b""
    while not read.endswith(ending):
        part = await stream.receive_some()
        assert part, read
        read += part
    return read


async def body_of(receive: Receive) -> bytes:
    """The body that an app receives."""
    body = b""
    while True:
        message: Message = await receive()
        assert "http.request" == message["type"]
        part: bytes = message["body"]
        body += part
        if not message["more_body"]:
            return body


def answering(
    *parts: bytes,
    status: int = 200,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    read: bool = True,
) -> App:
    """An app that answers the parts; without any, it answers the request's body."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        sent = list(parts)
        if read:
            body = await body_of(receive)
            sent = sent or [body]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        for part in sent[:-1]:
            message = {"type": "http.response.body", "body": part, "more_body": True}
            await send(message)
        await send({"type": "http.response.body", "body": sent[-1]})

    return app


def error_in(answer: bytes) -> tuple[int, int]:
    """The status of a refusal, and the one that its JSON tells."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert b"connection: close" in head.lower()
    return int(head.split()[1]), msgspec.json.decode(body)["error"]["statusCode"]
