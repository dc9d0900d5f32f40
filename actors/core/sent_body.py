"""A request's body that may be left half sent, as at a deadline.

httpx and httpcore make an async generator of bytes. A call that is cancelled while these are sent
leaves it open, for the garbage collector to find, and trio warns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs


@attrs.frozen
class SentBody:
    """Yields its bytes to whoever sends them, and again to whoever sends them again."""

    body: bytes

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once([self.body])


@attrs.frozen
class _Once:
    """Yields what is left of it; unlike a generator, it may be forgotten at any time."""

    _left: list[bytes]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()
