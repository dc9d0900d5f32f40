"""The WebSocket's opening handshake over any byte stream, in a way that always ends.

trio-websocket's low-level `wrap_client_stream` waits for ever when the stream ends before the
handshake does, and lets a refusal escape into the nursery of its caller. Here the stream is
watched, and whatever its reader raises ends with the connection.
"""

from __future__ import annotations

from collections.abc import Iterator

import trio
import trio_websocket

from command_center.actors.codex.lines import MAX_MESSAGE_BYTES

_HEAD_BYTES = 32


class HandshakeFailed(Exception):
    """The other side did not open the WebSocket; `status` and `body` are its answer, if any."""

    def __init__(self, status: int | None, body: bytes = b"") -> None:
        """Keep the answer."""
        super().__init__(f"no WebSocket (HTTP status {status})")
        self.status = status
        self.body = body


class WatchedStream(trio.abc.HalfCloseableStream):
    """Two halves as one stream, which knows how its input began and whether it has ended."""

    def __init__(self, send: trio.abc.SendStream, receive: trio.abc.ReceiveStream) -> None:
        """Take both halves, which may be one and the same object."""
        self._send = send
        self._receive = receive
        self._head = b""
        self.ended = trio.Event()

    @property
    def status(self) -> int | None:
        """Return the status of the HTTP answer with which the input began."""
        protocol, _, rest = self._head.partition(b" ")
        code = rest[:3]
        return int(code) if protocol.startswith(b"HTTP/") and code.isdigit() else None

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send on the one half."""
        await self._send.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait on the one half."""
        await self._send.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive from the other half."""
        try:
            data = await self._receive.receive_some(max_bytes)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.ended.set()
            raise
        if not data:
            self.ended.set()
        elif len(self._head) < _HEAD_BYTES:
            self._head += bytes(data[:_HEAD_BYTES])
        return data

    async def send_eof(self) -> None:
        """End the one half."""
        await self._send.aclose()

    async def aclose(self) -> None:
        """Close both halves."""
        try:
            await self._send.aclose()
        finally:
            await self._receive.aclose()


async def open_over(
    stream: WatchedStream,
    nursery: trio.Nursery,
    *,
    host: str,
    resource: str,
    headers: list[tuple[bytes, bytes]],
) -> trio_websocket.WebSocketConnection:
    """Open a WebSocket over the stream, and read it in the nursery until it is closed.

    Raises `HandshakeFailed`; the stream is the caller's to close then.
    """
    answer = b""

    async def carry(
        task_status: trio.TaskStatus[trio_websocket.WebSocketConnection | None],
    ) -> None:
        nonlocal answer
        opened = False
        try:
            async with trio.open_nursery() as reading:
                reading.start_soon(_cancel_at_the_end, stream, reading.cancel_scope)
                connection = await trio_websocket.wrap_client_stream(
                    reading,
                    stream,  # type: ignore[arg-type]  # any stream will do
                    host,
                    resource,
                    extra_headers=headers,
                    max_message_size=MAX_MESSAGE_BYTES,
                )
                opened = True
                task_status.started(connection)
        except* trio_websocket.ConnectionRejected as rejected:
            first = next(_leaves(rejected))
            answer = bytes(getattr(first, "body", None) or b"")
        except* (
            trio_websocket.HandshakeError,
            trio_websocket.ConnectionClosed,
            trio.BrokenResourceError,
            trio.ClosedResourceError,
        ):
            pass
        if not opened:
            task_status.started(None)

    async def _cancel_at_the_end(watched: WatchedStream, scope: trio.CancelScope) -> None:
        await watched.ended.wait()
        # The reader has seen the end too and closes the connection; it needs no more time.
        await trio.lowlevel.checkpoint()
        scope.cancel()

    connection: trio_websocket.WebSocketConnection | None = await nursery.start(carry)
    if connection is None:
        raise HandshakeFailed(stream.status, answer)
    return connection


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one
