"""One connection to one server: the greeting, TLS, who we are, and then lines both ways.

It lives until it breaks, and never comes back: `client` makes the next one. What waits to be sent
is bounded, and who sends more waits for room. A server that does not answer a ping is lost.
"""

import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import attrs
import msgspec
import trio

from command_center.actors.nats.addresses import NatsAddress
from command_center.actors.nats.credentials import NatsCredentials
from command_center.actors.nats.errors import (
    NatsDisconnected,
    NatsProtocolError,
    NatsRefused,
    PayloadTooLarge,
)
from command_center.actors.nats.wire import (
    Info,
    NatsDelivery,
    NatsFault,
    Operation,
    Ping,
    Pong,
    WireParser,
)

MAX_WAITING: Final = 8 * 1024 * 1024
"""Bytes that may wait to be sent; who sends more waits."""

T = TypeVar("T")

_READ = 65_536
_PERMISSION = "permissions violation"


@attrs.frozen(kw_only=True)
class NatsOptions:
    """Servers, who we are, and how patient we are; times are seconds.

    Attributes:
        addresses: the servers of the cluster; any of them will do.
        name: our name, as the server shows it.
        credentials: a key by which we show who we are, where no address has a password.
        tls: what certificates are trusted, and our own; the system's where there is None.
        connect_seconds: until when one server must have let us in.
        ping_seconds: between two pings. One that is not answered by the next one's time ends the
            connection.
        backoff: between two rounds of all servers, at first.
        max_backoff: the most that this grows to.
        inbox: the beginning of the subjects to which answers come.
    """

    addresses: tuple[NatsAddress, ...]
    name: str = "command-center"
    credentials: NatsCredentials | None = None
    tls: ssl.SSLContext | None = None
    connect_seconds: float = 5.0
    ping_seconds: float = 2.0
    backoff: float = 0.1
    max_backoff: float = 5.0
    inbox: str = "_INBOX"


class NatsConnection:
    """A connection that a server has accepted. ``open_connection`` makes it.

    Attributes:
        info: what the server says of itself.
        address: the server's.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        parser: WireParser,
        info: Info,
        address: NatsAddress,
        early: list[Operation],
    ) -> None:
        self.info = info
        self.address = address
        self._stream = stream
        self._parser = parser
        self._early = early
        self._waiting = bytearray()
        self._to_send = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._pongs: deque[trio.Event] = deque()
        self._ended: str | None = None
        self._scope = trio.CancelScope()

    async def send(self, data: bytes, *, size: int = 0) -> None:
        """Queue lines; wait for room. Cancelled before there is some, nothing is queued.

        Raises:
            NatsDisconnected: the connection has ended.
            PayloadTooLarge: the message's `size` is more than the server takes.
        """
        if size > self.info.max_payload:
            raise PayloadTooLarge(size, self.info.max_payload)
        await trio.lowlevel.checkpoint_if_cancelled()
        while (
            self._ended is None and self._waiting and len(self._waiting) + len(data) > MAX_WAITING
        ):
            await self._room.park()
        self.send_now(data)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def send_now(self, data: bytes) -> None:
        """Queue a short line, beyond the bound.

        Raises:
            NatsDisconnected: the connection has ended.
        """
        if self._ended is not None:
            raise NatsDisconnected(self._ended)
        self._waiting += data
        self._to_send.unpark()

    async def flush(self) -> None:
        """Wait until the server has seen all that was queued.

        Raises:
            NatsDisconnected: the connection ended before.
        """
        pong = self._ping()
        await pong.wait()
        if self._ended is not None:
            raise NatsDisconnected(self._ended)

    async def run(
        self, ping_seconds: float, take: Callable[[NatsDelivery | NatsFault], None]
    ) -> str:
        """Serve the connection until it ends, and return the reason.

        Args:
            ping_seconds: between two pings.
            take: called with each message, and with each error that does not end the connection.
        """

        async def until_it_ends(task: Callable[[], Awaitable[str]]) -> None:
            self.end(await task())

        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(until_it_ends, lambda: self._receive(take))
                    nursery.start_soon(until_it_ends, self._transmit)
                    nursery.start_soon(until_it_ends, lambda: self._keep_asking(ping_seconds))
        finally:
            self.end("it was closed")
            await trio.aclose_forcefully(self._stream)
        return self._ended or ""

    def end(self, reason: str) -> None:
        """End it: nothing is taken any more, and ``run`` returns. Only the first reason counts."""
        if self._ended is not None:
            return
        self._ended = reason
        self._scope.cancel()
        self._room.unpark_all()
        for pong in self._pongs:
            pong.set()

    def _ping(self) -> trio.Event:
        self.send_now(b"PING\r\n")
        pong = trio.Event()
        self._pongs.append(pong)
        return pong

    async def _receive(self, take: Callable[[NatsDelivery | NatsFault], None]) -> str:
        operations = self._early
        try:
            while True:
                for operation in operations:
                    if reason := self._handle(operation, take):
                        return reason
                if not (data := await self._stream.receive_some(_READ)):
                    return "the server closed it"
                operations = self._parser.feed(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError) as error:
            return _words(error)
        except (NatsProtocolError, NatsDisconnected) as error:
            return str(error)

    def _handle(
        self, operation: Operation, take: Callable[[NatsDelivery | NatsFault], None]
    ) -> str | None:
        match operation:
            case NatsDelivery():
                take(operation)
            case Ping():
                if len(self._waiting) > MAX_WAITING:
                    return "the server asks, and does not read our answers"
                self.send_now(b"PONG\r\n")
            case Pong():
                if not self._pongs:
                    return "the server answered what nobody had asked"
                self._pongs.popleft().set()
            case Info():
                self.info = operation
                if operation.ldm:
                    return "the server is about to stop"
            case NatsFault(reason):
                take(operation)
                if not reason.lower().startswith(_PERMISSION):
                    return f"the server refused: {reason}"
        return None

    async def _transmit(self) -> str:
        try:
            while True:
                if not self._waiting:
                    await self._to_send.park()
                data, self._waiting = self._waiting, bytearray()
                self._room.unpark_all()
                await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, ssl.SSLError) as error:
            return _words(error)

    async def _keep_asking(self, ping_seconds: float) -> str:
        while True:
            await trio.sleep(ping_seconds)
            pong = self._ping()
            with trio.move_on_after(ping_seconds):
                await pong.wait()
            if not pong.is_set():
                return f"the server was silent for {ping_seconds:g} seconds"


async def open_connection(address: NatsAddress, options: NatsOptions) -> NatsConnection:
    """Connect to a server, and return when it has let us in.

    Raises:
        OSError: it cannot be reached, or not in time.
        NatsRefused: it does not let us in.
        NatsProtocolError: it is no such server, or one that speaks no TLS where that was asked for.
    """
    with trio.move_on_after(options.connect_seconds):
        stream: trio.abc.Stream = await trio.open_tcp_stream(address.host, address.port)
        try:
            return await _greet(stream, address, options)
        except BaseException as error:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)
            if isinstance(error, trio.BrokenResourceError | ssl.SSLError):
                raise OSError(_words(error)) from error
            raise
    raise TimeoutError(f"it did not answer within {options.connect_seconds:g} seconds")


async def _greet(
    stream: trio.abc.Stream, address: NatsAddress, options: NatsOptions
) -> NatsConnection:
    parser = WireParser()
    info, more = await _expect(stream, parser, Info)
    if not info.headers:
        raise NatsProtocolError("The server knows no headers; it is older than NATS 2.2.")
    if address.tls or info.tls_required or options.tls is not None:
        if more or not parser.is_empty:
            # Somebody between might have put in front what is to look as if it came by TLS.
            raise NatsProtocolError("The server went on without TLS.")
        if not info.tls_required and not info.tls_available:
            raise NatsProtocolError("The server speaks no TLS, and nothing is said without it.")
        context = options.tls or ssl.create_default_context()
        secured = trio.SSLStream(stream, context, server_hostname=address.host)
        await secured.do_handshake()
        stream = secured
    hello = msgspec.json.encode(_hello(info, address, options))
    await stream.send_all(b"CONNECT " + hello + b"\r\nPING\r\n")
    _, more = await _expect(stream, parser, Pong)
    return NatsConnection(stream, parser, info, address, more)


def _hello(info: Info, address: NatsAddress, options: NatsOptions) -> dict[str, object]:
    hello: dict[str, object] = {
        "name": options.name,
        "lang": "python-trio",
        "version": "1",
        "protocol": 1,
        "verbose": False,
        "pedantic": False,
        "headers": True,
        "no_responders": True,
    }
    if options.credentials is not None:
        hello |= options.credentials.answer(info.nonce)
    elif address.password:
        hello |= {"user": address.user, "pass": address.password}
    elif address.user:
        hello |= {"auth_token": address.user}
    return hello


async def _expect(
    stream: trio.abc.Stream, parser: WireParser, kind: type[T]
) -> tuple[T, list[Operation]]:
    """Read until the operation comes that is next in a greeting; return what came with it, too."""
    while True:
        data = await stream.receive_some(_READ)
        if not data:
            raise NatsProtocolError("The server closed the connection at once.")
        operations = parser.feed(data)
        for place, operation in enumerate(operations):
            if isinstance(operation, kind):
                return operation, operations[place + 1 :]
            if isinstance(operation, NatsFault):
                raise NatsRefused(operation.reason)
            if not isinstance(operation, Info):
                raise NatsProtocolError("The server does not greet as NATS does.")


def _words(error: Exception) -> str:
    return str(error.__cause__ or error) or type(error).__name__
