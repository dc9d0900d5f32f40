"""Bytes that wait until clients take them: bounded over all connections together.

Each answer has a bound, and each client has its time for each piece. But many clients that read
nothing could hold as many answers. Where they come to more than the bound, the client is cut whose
connection has moved on least lately.
"""

from __future__ import annotations

from typing import Protocol


class Sending(Protocol):
    """A connection that sends."""

    def cut(self) -> None:
        """End it, whatever it is at."""


class Unsent:
    """The bytes that wait on each connection, the one first that is stuck for the longest."""

    def __init__(self, most: int) -> None:
        """Hold so many bytes at most, unless one connection alone has more."""
        self._most = most
        self._waiting: dict[Sending, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Return the bytes that wait."""
        return self._bytes

    def add(self, connection: Sending, size: int) -> bool:
        """Count what a connection is about to send; tell whether others were cut for it."""
        self._waiting[connection] = size
        self._bytes += size
        before = len(self._waiting)
        while self._bytes > self._most and len(self._waiting) > 1:
            stuck = next(iter(self._waiting))
            self.discard(stuck)
            stuck.cut()
        return len(self._waiting) < before

    def sent(self, connection: Sending, size: int) -> None:
        """Know that a client has taken so many bytes: it is not stuck."""
        if connection in self._waiting:
            left = self._waiting.pop(connection) - size
            self._waiting[connection] = left
            self._bytes -= size

    def discard(self, connection: Sending) -> None:
        """Forget what a connection had to send, sent or not."""
        self._bytes -= self._waiting.pop(connection, 0)
