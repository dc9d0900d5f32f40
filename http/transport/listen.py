"""Listening, serving and shutting down: the app on hypercorn's trio worker.

The address is bound before anything else happens, so that a second program on the same port
learns it at once; then the app's start-up runs, then requests are served until `shutdown` is set.
"""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Sequence

import attrs
import trio
from hypercorn.config import Config
from quart_trio import QuartTrio

from command_center.http.config.urls import own_address, url_of
from command_center.http.transport import hypercorn_worker
from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.connection import Connections
from command_center.http.transport.encryption import Certificate
from command_center.http.wire.problems import AddressInUse, AddressUnavailable, UntestedHypercorn
from command_center.http.wire.quart_handlers import Answering, Streaming

GRACE_SECONDS = 5.0
START_SECONDS = 60.0
BACKLOG = 1024

_IN_USE = {errno.EADDRINUSE}
if sys.platform == "win32":
    _IN_USE.add(errno.EACCES)  # what an exclusively bound address answers there


@attrs.frozen
class BoundAddress:
    """Sockets that are bound and listening, and the address to reach them at."""

    host: str
    port: int
    sockets: Sequence[socket.socket] = attrs.field(repr=False)
    is_encrypted: bool = False

    @property
    def url(self) -> str:
        """Return the address as a browser on this machine takes it."""
        return url_of(self.host, self.port, is_encrypted=self.is_encrypted)

    def own_clients(self) -> list[str]:
        """Return the addresses that programs of this machine have which ask at the `url`."""
        found = [own_address(sock.getsockname()[0].partition("%")[0]) for sock in self.sockets]
        # Linux has all of 127.0.0.0/8 come from the first.
        return sorted({*found, *("127.0.0.1" for one in found if one.startswith("127."))})

    def again(self) -> BoundAddress:
        """Return the same address for another server, which may serve once this one has ended.

        Who connects meanwhile waits.
        """
        return attrs.evolve(self, sockets=tuple(sock.dup() for sock in self.sockets))

    def close(self) -> None:
        """Give the address up without having served."""
        for sock in self.sockets:
            sock.close()


def bind(host: str, port: int, *, is_encrypted: bool = False) -> BoundAddress:
    """Listen on an address; port 0 takes a free one.

    A name that stands for several addresses (`localhost`) is listened to on each, on one port.
    Raises AddressInUse, and AddressUnavailable if this machine has no such address.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except (socket.gaierror, UnicodeError) as error:
        raise AddressUnavailable(
            host, port, getattr(error, "strerror", None) or str(error)
        ) from None
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            taken = sockets[0].getsockname()[1] if sockets else port
            sockets.append(_listen(family, (address[0], taken, *address[2:])))
    except OSError as error:
        for sock in sockets:
            sock.close()
        if error.errno in _IN_USE:
            raise AddressInUse(host, port) from None
        raise AddressUnavailable(host, port, error.strerror or str(error)) from None
    return BoundAddress(
        host, sockets[0].getsockname()[1], tuple(sockets), is_encrypted=is_encrypted
    )


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(0)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


async def serve_on(
    app: QuartTrio,
    address: BoundAddress,
    *,
    shutdown: trio.Event,
    grace: float = GRACE_SECONDS,
    limits: ConnectionLimits | None = None,
    certificate: Certificate | None = None,
    task_status: trio.TaskStatus[BoundAddress] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve `app` on an address that is bound already, which is closed at the end.

    With a `certificate` it speaks TLS alone. `task_status.started` tells the address once requests
    are answered. When `shutdown` is set, nothing new is accepted, idle connections close,
    WebSockets close with 1012, event streams end, and requests in hand have `grace` seconds to be
    answered, if their clients read; then the app's own shutdown runs.

    Raises:
        UntestedHypercorn: the installed hypercorn is not one that our connections sit in.
    """
    try:
        hypercorn_worker.check_version()
    except UntestedHypercorn:
        address.close()
        raise
    limits = limits or ConnectionLimits()
    connections = Connections(limits)
    app.asgi_http_class = Answering
    app.asgi_websocket_class = Streaming
    config = configured(grace, limits)
    config.bind = [f"fd://{sock.detach()}" for sock in address.sockets]
    async with trio.open_nursery() as nursery:

        async def leave() -> None:
            await shutdown.wait()
            await connections.leave()

        async def serve(task_status: trio.TaskStatus[list[str]]) -> None:
            await hypercorn_worker.serve(
                app,
                config,
                connections,
                certificate=certificate,
                shutdown_trigger=shutdown.wait,
                task_status=task_status,
            )
            nursery.cancel_scope.cancel()

        await nursery.start(serve)
        nursery.start_soon(leave)
        nursery.start_soon(connections.watch)
        task_status.started(address)


def configured(grace: float, limits: ConnectionLimits) -> Config:
    """Return what hypercorn's worker is told."""
    config = Config()
    config.accesslog = None
    config.errorlog = logging.getLogger("command_center.http.hypercorn")
    config.errorlog.setLevel(logging.WARNING)
    config.graceful_timeout = grace
    config.keep_alive_timeout = limits.idle
    config.startup_timeout = START_SECONDS
    config.backlog = BACKLOG  # the worker listens anew
    config.h11_max_incomplete_size = limits.head_bytes
    config.websocket_max_message_size = limits.message_bytes
    config.include_server_header = False
    return config
