"""Turns: few steps of connections between two looks of the loop at its sockets.

trio runs all tasks that are ready before it looks at the sockets again. Where hundreds of clients
ask, leave or are cut at once, that is one long silence for everybody else: 300 requests of a
millisecond each are 0.3 seconds. So each step of a connection that a client or the clock began
takes a turn. While few do, that costs nothing and lets no other task run. What is beyond waits, the
first that came first.

How long a step takes depends on the request, on the threads beside the loop, and on what else the
machine does. So there are fewer where those before took long, and more again where they did not.

Who asks whether the server lives has turns of its own, and waits for nobody but its like.
"""

from __future__ import annotations

import time
from typing import Never

import trio

STEPS = 8
"""Steps between two looks at most."""

PASS_SECONDS = 0.01
"""Seconds between two looks after which half as many steps are between the next two."""


class LoopTurns(trio.abc.Instrument):
    """The turns of one loop's connections, which `run` gives."""

    def __init__(self) -> None:
        self._steps = STEPS
        self._left = self._left_first = STEPS
        self._looked = time.perf_counter()
        self._first = trio.lowlevel.ParkingLot()
        self._others = trio.lowlevel.ParkingLot()
        self._awaited = trio.Event()

    def before_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio's own
        """Have fewer steps after ones that took long."""
        if time.perf_counter() - self._looked > PASS_SECONDS:
            self._steps = max(1, self._steps // 2)
        elif self._steps < STEPS:
            self._steps += 1

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002 - trio's own
        """Begin anew."""
        self._left, self._left_first = self._steps, STEPS
        self._looked = time.perf_counter()

    async def take(self, *, first: bool = False) -> None:
        """Return when it is one's turn; `first` has turns of its own."""
        if first:
            if self._left_first > 0 and not self._first:
                self._left_first -= 1
                return
        elif self._left > 0 and not self._others:
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
                    self._first.unpark(count=STEPS)
                    self._others.unpark(count=self._steps)
                self._awaited = trio.Event()
        finally:
            trio.lowlevel.remove_instrument(self)
