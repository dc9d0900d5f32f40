"""TLS: an encrypted stream in the place of a socket's, and the certificate, read anew when changed.

The stream has what a connection uses of a socket's. Its end is TLS's own (`close_notify`), after
which what still comes is thrown away unread. It cannot send without waiting, so that events of a
WebSocket are not offered to it (`websocket.FRAMES`).
"""

from __future__ import annotations

import os
import ssl
import stat
from pathlib import Path
from typing import TypeAlias

import attrs
import structlog
import trio

from command_center.http.transport.turns import LoopTurns

log: structlog.stdlib.BoundLogger = structlog.get_logger("command_center.http")


class UnusableCertificate(Exception):
    """The certificate or its key cannot be used; its text is one line for the operator."""


@attrs.define(eq=False)
class Certificate:
    """A certificate with its chain, and its key, by their files.

    Attributes:
        context: for the next connection; of what was in the files when they were last good.
    """

    cert: Path
    key: Path
    context: ssl.SSLContext = attrs.field(init=False, repr=False)
    _seen: tuple[object, ...] = attrs.field(init=False, repr=False, default=())

    def __attrs_post_init__(self) -> None:
        """Read the files.

        Raises:
            UnusableCertificate: they cannot be read, or are none, or do not fit, or others may read
                the key.
        """
        self._seen = self._look()
        self.context = self._read()

    def current(self) -> ssl.SSLContext:
        """Return the context, made anew if a file was changed since the last time.

        What cannot be used changes nothing, and is told the log once.
        """
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self.context = self._read()
            except UnusableCertificate as error:
                log.error("certificate.unusable", reason=str(error))  # noqa: TRY400 - it is no fault of the program
            else:
                log.info("certificate.changed", file=str(self.cert))
        return self.context

    def _look(self) -> tuple[object, ...]:
        looks: list[object] = []
        for path in (self.cert, self.key):
            try:
                found = path.stat()
            except OSError:
                looks.append(None)
            else:
                looks.append((found.st_mtime_ns, found.st_ino, found.st_size, found.st_mode))
        return tuple(looks)

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            _check_mode(self.key)
            context.load_cert_chain(self.cert, self.key, password=_refuse_password)
        except ssl.SSLError as error:
            reason = error.reason or str(error)
            raise UnusableCertificate(
                f"CC_TLS_CERT {self.cert} and CC_TLS_KEY {self.key} cannot be used: {reason}. "
                "They must be PEM files that fit each other."
            ) from error
        except OSError as error:
            name = error.filename or self.cert
            raise UnusableCertificate(f"{name} cannot be read: {error.strerror}.") from error
        return context


def _check_mode(key: Path) -> None:
    if os.name != "nt" and key.stat().st_mode & stat.S_IRWXO:
        raise UnusableCertificate(
            f"CC_TLS_KEY {key} can be read by every user of this machine. "
            f"Run chmod 600 {key}, and make a new key if somebody else may have read it."
        )


def _refuse_password() -> str:
    raise UnusableCertificate(
        "CC_TLS_KEY has a password, which nobody could type. Give a key without one."
    )


class _Half(trio.abc.Stream):
    """A socket's stream whose end is only that of its output."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._stream.send_eof()


class EncryptedStream(trio.abc.HalfCloseableStream):
    """The server's side of TLS on a socket; the handshake is made when it is first used."""

    def __init__(
        self, stream: trio.SocketStream, context: ssl.SSLContext, turns: LoopTurns
    ) -> None:
        self.socket = stream.socket
        self._stream = stream
        self._tls = trio.SSLStream(_Half(stream), context, server_side=True)
        self._turns = turns
        self._has_begun = False
        self._has_ended = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; raise BrokenResourceError if the client is gone or speaks no TLS."""
        await self._tls.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Return when there may be room."""
        await self._tls.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Return what has come; after our end, what nobody needs any more.

        The handshake waits for its turn, since it takes longer than most requests.
        """
        if not self._has_begun:
            self._has_begun = True
            await trio.lowlevel.wait_readable(self.socket)
            await self._turns.take()
        if self._has_ended:
            return bytes(await self._stream.receive_some(max_bytes))
        return bytes(await self._tls.receive_some(max_bytes))

    async def send_eof(self) -> None:
        """End the output, by TLS and by TCP."""
        if not self._has_ended:
            self._has_ended = True
            await self._tls.aclose()

    async def aclose(self) -> None:
        """Close at once."""
        await self._stream.aclose()


ClientStream: TypeAlias = trio.SocketStream | EncryptedStream
"""The stream of a client's connection."""
