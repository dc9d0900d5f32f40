"""Turns: few steps of connections between two looks of the loop at its sockets.

trio runs all tasks that are ready before it looks at the sockets again. Where hundreds of clients
ask, leave or are cut at once, that is one long silence for everybody else: 300 requests of a
millisecond each are 0.3 seconds. So each step of a connection that a client or the clock began
takes a turn. While few do, that costs nothing and lets no other task run. What is beyond waits, the
first that came first; but who asks whether the server lives goes before all others.
"""

from __future__ import annotations

from typing import Never

import trio

STEPS = 8
"""Steps between two looks; one takes a millisecond or two."""


class LoopTurns(trio.abc.Instrument):
    """The turns of one loop's connections, which `run` gives."""

    def __init__(self) -> None:
        self._left = STEPS
        self._first = trio.lowlevel.ParkingLot()
        self._others = trio.lowlevel.ParkingLot()
        self._awaited = trio.Event()

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio's own
        """Begin anew."""
        self._left = STEPS

    async def take(self, *, first: bool = False) -> None:
        """Return when it is one's turn; `first` goes before those that are not."""
        if self._left > 0 and not self._others and not self._first:
            self._left -= 1
            return
        self._awaited.set()
        await (self._first if first else self._others).park()

    async def run(self) -> Never:
        """Give turns, until cancelled."""
        trio.lowlevel.add_instrument(self)
        try:
            while True:
                await self._awaited.wait()
                while self._first or self._others:
                    await trio.lowlevel.checkpoint()
                    given = len(self._first.unpark(count=STEPS - 1))
                    self._others.unpark(count=STEPS - given)
                self._awaited = trio.Event()
        finally:
            trio.lowlevel.remove_instrument(self)
