"""A stream of bytes made of messages, such as those of a WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import trio


@attrs.define(eq=False)
class MessageStream(trio.abc.Stream):
    """Sends each piece as a message, and gives the bytes of those that come.

    Both functions raise trio's errors of streams, or their caller ends what uses the stream. A
    message that is no bytes breaks it.
    """

    _send: Callable[[bytes], Awaitable[object]]
    _receive: Callable[[], Awaitable[Any]]
    _left: bytes = b""
    _is_closed: bool = False
    _receiving: trio.CancelScope = attrs.field(factory=trio.CancelScope)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send one message."""
        self._check()
        await self._send(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        """Wait for nothing; to send is what waits."""
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Give what has come, of one message at most."""
        self._check()
        if self._left:  # a long message lets others have their turn between its parts
            await trio.lowlevel.checkpoint()
            self._check()
        while not self._left:
            came = b""
            with trio.CancelScope() as self._receiving:
                came = await self._receive()
            self._check()
            if not isinstance(came, bytes):
                raise trio.BrokenResourceError("A message came that is no bytes.")
            self._left = came
        size = max_bytes or len(self._left)
        found, self._left = self._left[:size], self._left[size:]
        return found

    async def aclose(self) -> None:
        """Have nothing more be sent or received; the connection is its owner's to close."""
        self.end()
        await trio.lowlevel.checkpoint()

    def end(self) -> None:
        """Close it; whoever receives is told at once."""
        self._is_closed = True
        self._receiving.cancel()

    def _check(self) -> None:
        if self._is_closed:
            raise trio.ClosedResourceError
