"""One JSON message a line, read from a stream that may send anything."""

from __future__ import annotations

import trio

from command_center.actors.codex.errors import MessageTooLong

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""The longest message taken from Codex; a turn's diff may be long, but memory is bounded."""

_CHUNK = 64 * 1024

_HEAD = 200
"""Bytes that are kept of a line which is skipped."""


class LineReader:
    """Splits a byte stream into lines, in time that is linear in what was sent.

    A line that never ended because the stream did is dropped: it is half a message.
    """

    def __init__(self, stream: trio.abc.ReceiveStream, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._stream = stream
        self._limit = limit
        self._buffer = bytearray()
        self._searched = 0
        self._skipped: bytes | None = None
        self.half_line = 0
        """The length of the unfinished line at the stream's end, in bytes."""

    async def next(self) -> bytes | None:
        """Return the next line that isn't blank, without its end; None at the end of the stream.

        Raises `MessageTooLong` once for a line over the limit, which is skipped.
        """
        while True:
            end = self._buffer.find(b"\n", self._searched)
            if end >= 0:
                line = bytes(self._buffer[:end]).strip()
                del self._buffer[: end + 1]
                self._searched = 0
                if self._skipped is not None:
                    head, self._skipped = self._skipped, None
                    raise MessageTooLong(self._limit, head)
                if line:
                    return line
                continue
            self._searched = len(self._buffer)
            if self._searched > self._limit:
                if self._skipped is None:
                    self._skipped = bytes(self._buffer[:_HEAD])
                self._buffer.clear()
                self._searched = 0
            chunk = await self._stream.receive_some(_CHUNK)
            if not chunk:
                self.half_line = len(self._buffer)
                return None
            self._buffer += chunk
