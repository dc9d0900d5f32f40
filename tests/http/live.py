"""An app on a real socket, for the length of a test."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import httpx
import hypercorn.trio.run
import trio
from hypercorn.utils import wrap_app
from quart_trio import QuartTrio

from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.encryption import Certificate
from command_center.http.transport.listen import BoundAddress, bind, configured, serve_on

NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients on loopback: each would read all authorities of the system, and ask none of them."""


@asynccontextmanager
async def served(
    app: QuartTrio,
    *,
    grace: float = 1.0,
    limits: ConnectionLimits | None = None,
    certificate: Certificate | None = None,
) -> AsyncIterator[BoundAddress]:
    """Serve `app` on a free port of the loopback; at the end it is shut down and waited for."""
    shutdown = trio.Event()
    serve = partial(
        serve_on,
        app,
        bind("127.0.0.1", 0, is_encrypted=certificate is not None),
        shutdown=shutdown,
        grace=grace,
        limits=limits,
        certificate=certificate,
    )
    async with trio.open_nursery() as nursery:
        address: BoundAddress = await nursery.start(serve)
        try:
            yield address
        finally:
            shutdown.set()


@asynccontextmanager
async def stock_served(
    app: QuartTrio, *, grace: float = 1.0, limits: ConnectionLimits | None = None
) -> AsyncIterator[BoundAddress]:
    """Serve `app` with hypercorn's own connections, to compare ours with."""
    address = bind("127.0.0.1", 0)
    config = configured(grace, limits or ConnectionLimits())
    config.bind = [f"fd://{sock.detach()}" for sock in address.sockets]
    shutdown = trio.Event()
    serve = partial(hypercorn.trio.run.worker_serve, shutdown_trigger=shutdown.wait)
    async with trio.open_nursery() as nursery:
        await nursery.start(serve, wrap_app(app, config.wsgi_max_body_size, "asgi"), config)
        try:
            yield address
        finally:
            shutdown.set()


@asynccontextmanager
async def client_of(app: QuartTrio) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the served app."""
    async with (
        served(app) as address,
        httpx.AsyncClient(base_url=address.url, timeout=60, verify=NO_AUTHORITIES) as client,
    ):
        yield client


async def exchange(address: BoundAddress, sent: bytes) -> bytes:
    """Send bytes on a connection of its own, and read until the server closes it."""
    with trio.fail_after(30):
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(sent)
            return b"".join([chunk async for chunk in stream])
