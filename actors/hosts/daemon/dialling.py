"""The WebSocket from a host to its server: opened, checked, and why it was not.

The server's certificate is checked against the authorities of the system, or those that
SSL_CERT_FILE names. Without encryption only this machine itself is dialled: the key would be read
on the way.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import SplitResult, urlsplit

import attrs
import msgspec
import trio
import trio_websocket

from command_center.actors.codex.websocket import HandshakeFailed, WatchedStream, open_over
from command_center.actors.core.message_stream import MessageStream
from command_center.actors.hosts.daemon.identity import CentreNumber, HostIdentity
from command_center.store.host_life import HostLife

CONNECT_SECONDS: Final = 20.0
"""Seconds until a server that does not answer is given up."""

OTHERS_SECONDS: Final = 5.0
"""The same, where there are other centres that may lead by now."""

PATH: Final = "/api/hosts/link"


class CannotDial(Exception):
    """There is no connection; `is_lasting` says that it stays so until somebody does something."""

    def __init__(self, reason: str, *, is_lasting: bool = False) -> None:
        """Say why, in a sentence."""
        super().__init__(reason)
        self.reason = reason
        self.is_lasting = is_lasting


class _Problem(msgspec.Struct):
    message: str


class _Answer(msgspec.Struct):
    error: _Problem


@attrs.frozen
class Dialled:
    """A connection: its bytes, the server, and the reason that it gave when it closed."""

    stream: MessageStream
    centre: CentreNumber
    connection: trio_websocket.WebSocketConnection

    @property
    def goodbye(self) -> str:
        """Return what the server said when it closed the connection; empty if nothing."""
        closed = self.connection.closed
        return "" if closed is None else closed.reason or ""


def read_centre(url: str) -> SplitResult:
    """Read a server's address; raises ValueError with what to do."""
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise ValueError(f"{url} is no address of a server. Give one such as https://example.com.")
    if address.scheme == "http" and not _is_loopback(address.hostname):
        raise ValueError(
            f"{url} is not encrypted, so that others could read this host's key. Give the server "
            "a certificate, or a tunnel, and its https address."
        )
    return address


@asynccontextmanager
async def dialled(
    identity: HostIdentity, life: HostLife, centre: str | None = None
) -> AsyncIterator[Dialled]:
    """Connect to the server for the length of the block, at one of its addresses.

    Raises `CannotDial`, also where the centre at that address does not lead its cluster.
    """
    address = read_centre(centre or identity.centre)
    seconds = OTHERS_SECONDS if identity.others else CONNECT_SECONDS
    try:
        with trio.fail_after(seconds):
            socket = await _connect(address)
    except trio.TooSlowError:
        raise CannotDial(f"{address.geturl()} does not answer.") from None
    failed: CannotDial | None = None
    try:
        async with trio.open_nursery() as nursery:
            try:
                made = await _open(address, socket, identity, life, nursery, seconds=seconds)
            except CannotDial as error:
                failed = error
            else:
                yield made
            nursery.cancel_scope.cancel()
    finally:
        await trio.aclose_forcefully(socket)
    if failed is not None:
        raise failed


async def _connect(address: SplitResult) -> trio.abc.Stream:
    host = address.hostname or ""
    try:
        if address.scheme == "http":
            return await trio.open_tcp_stream(host, address.port or 80)
        context = ssl.create_default_context()
        stream = await trio.open_ssl_over_tcp_stream(
            host, address.port or 443, https_compatible=True, ssl_context=context
        )
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
    except (OSError, trio.BrokenResourceError) as error:
        cause = error.__cause__ or error
        raise CannotDial(f"{address.geturl()} cannot be reached: {cause}.") from None
    return stream


async def _open(
    address: SplitResult,
    socket: trio.abc.Stream,
    identity: HostIdentity,
    life: HostLife,
    nursery: trio.Nursery,
    *,
    seconds: float,
) -> Dialled:
    headers = [
        (b"authorization", f"Bearer {identity.key}".encode()),
        (b"cc-host-life", f"{life.number}.{life.id}".encode()),
    ]
    connection: trio_websocket.WebSocketConnection | None = None
    try:
        with trio.move_on_after(seconds):
            connection = await open_over(
                WatchedStream(socket, socket),
                nursery,
                host=address.netloc.rpartition("@")[2],
                resource=f"{address.path.rstrip('/')}{PATH}",
                headers=headers,
            )
    except HandshakeFailed as refused:
        raise _refused(address, refused) from None
    if connection is None:
        raise CannotDial(f"{address.geturl()} does not answer.")
    told = {name.lower(): value for name, value in connection.handshake_headers}
    centre = CentreNumber.read(told.get(b"cc-centre", b"").decode("latin-1"))
    if centre is None:
        raise CannotDial(f"What answers at {address.geturl()} is no Command Center.")
    return Dialled(_stream_of(connection), centre, connection)


def _stream_of(connection: trio_websocket.WebSocketConnection) -> MessageStream:
    async def send(data: bytes) -> None:
        try:
            await connection.send_message(data)
        except trio_websocket.ConnectionClosed as closed:
            raise trio.BrokenResourceError(str(closed)) from None

    async def receive() -> bytes | str:
        try:
            return await connection.get_message()
        except trio_websocket.ConnectionClosed as closed:
            raise trio.BrokenResourceError(str(closed)) from None

    return MessageStream(send, receive)


def _refused(address: SplitResult, refused: HandshakeFailed) -> CannotDial:
    try:
        told = msgspec.json.decode(refused.body, type=_Answer).error.message
    except msgspec.MsgspecError:
        said = "" if refused.status is None else f" (HTTP {refused.status})"
        return CannotDial(f"{address.geturl()} opens no WebSocket{said}.")
    return CannotDial(told, is_lasting=refused.status in {401, 403, 409})


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
