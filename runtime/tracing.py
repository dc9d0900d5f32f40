"""Traces of one actor's messages, which end by themselves."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable

import attrs
import trio

from command_center.runtime.mailbox import Envelope


class Outcome(enum.Enum):
    """The outcomes of a message that was taken in hand."""

    HANDLED = "handled"
    REFUSED = "refused"
    LOST = "lost"


@attrs.frozen(kw_only=True)
class TraceRecord:
    """A message that an actor took in hand. Times are in seconds, to the millisecond.

    Attributes:
        message: the name of its type; a trace shows no content.
        taken_at: by the system's clock.
        waited: from its sending until the actor took it.
    """

    message: str
    asked: bool
    taken_at: float
    waited: float
    took: float
    outcome: Outcome


class Trace:
    """Records messages until there were `messages` of them, or the deadline has passed.

    Iterate over it to receive the records; the iteration ends with the trace. The actor never
    waits for whoever reads.
    """

    def __init__(self, on_end: Callable[[Trace], None], *, messages: int, deadline: float) -> None:
        self._on_end = on_end
        self._left = messages
        self._deadline = deadline
        # Room for every record that there can be, so that sending never waits.
        self._send, self._receive = trio.open_memory_channel[TraceRecord](messages)

    def record(self, envelope: Envelope, taken_at: float, done_at: float, outcome: Outcome) -> None:
        """Record what became of a message, unless the trace is over; called by the actor's loop."""
        if self._left == 0:
            return
        if taken_at >= self._deadline:
            self.close()
            return
        message, reply, sent_at, _ = envelope
        self._send.send_nowait(
            TraceRecord(
                message=type(message).__name__,
                asked=reply is not None,
                taken_at=round(taken_at, 3),
                waited=round(taken_at - sent_at, 3),
                took=round(done_at - taken_at, 3),
                outcome=outcome,
            )
        )
        self._left -= 1
        if self._left == 0:
            self.close()

    def close(self) -> None:
        """End the trace now; what is recorded can still be read."""
        self._left = 0
        self._on_end(self)
        self._send.close()

    async def receive(self) -> TraceRecord | None:
        """Return the next record, or None at the trace's end."""
        with trio.move_on_at(self._deadline):
            try:
                return await self._receive.receive()
            except trio.EndOfChannel:
                return None
        self.close()
        return None

    def __aiter__(self) -> AsyncIterator[TraceRecord]:
        return self

    async def __anext__(self) -> TraceRecord:
        record = await self.receive()
        if record is None:
            raise StopAsyncIteration
        return record
