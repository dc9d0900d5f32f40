"""The body of an answer that comes piece by piece, for as long as there is more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from types import TracebackType
from typing import Protocol, Self

from quart.wrappers.response import ResponseBody


class Source(Protocol):
    """The source of the pieces."""

    def begin(self, stack: ExitStack) -> None:
        """Begin, once the body is sent; what is to be left at its end goes on the stack."""

    async def next(self) -> bytes:
        """Return the next piece.

        Raises:
            StopAsyncIteration: there is none any more.
        """


class Streamed(ResponseBody):
    """Send what a source gives, as a body. The source is left when the client is gone, too."""

    def __init__(self, source: Source) -> None:
        """Begin nothing before the body is sent."""
        self._source = source
        self._stack = ExitStack()

    async def __aenter__(self) -> Self:
        """Begin."""
        self._source.begin(self._stack)
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave."""
        self._stack.close()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece."""
        return await self._source.next()
