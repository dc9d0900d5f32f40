"""Our connection under a plain ASGI app, on real sockets, without a worker around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from command_center.http.connection import App, Connection, Connections, Limits

QUICK = Limits(idle=5, head=5, read=5, write=5, linger=1, goodbye=0.2)


@attrs.define
class Server:
    """Where an app is served, and its connections."""

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
async def connected(app: App, limits: Limits = QUICK) -> AsyncIterator[Server]:
    """Serve `app` for the length of a test, which takes ten seconds at most."""
    connections = Connections(limits)

    async def handle(stream: trio.SocketStream) -> None:
        await Connection(app, connections, {}, stream).run()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, handle, 0, host="127.0.0.1")
            nursery.start_soon(connections.watch)
            listeners: list[trio.SocketListener] = await nursery.start(serve)
            yield Server(listeners[0].socket.getsockname()[1], connections)
            nursery.cancel_scope.cancel()


async def everything(stream: trio.SocketStream) -> bytes:
    """What comes until the other side ends."""
    return b"".join([chunk async for chunk in stream])


async def until(stream: trio.SocketStream, ending: bytes) -> bytes:
    """What comes until it ends so."""
    read = b""
    while not read.endswith(ending):
        part = await stream.receive_some()
        assert part, read
        read += part
    return read
