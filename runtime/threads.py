"""Threads beside the loop: which work may have how many of them at once.

trio lets 40 threads run for all who name no limit of their own, and the store is read in them. So
nothing else may stay in one of those: a disk that is slow, or a caller with much to compute, would
keep everybody waiting who only wants to read a row. All other work names what it is:

- `CHECKOUTS`: files that somebody else may have written. They may be many, long, slow to open.
- `PROCESSOR`: work for the processor alone. One interpreter runs one thread at a time and lets the
  next one have it after `SWITCH_SECONDS`; each further busy thread makes the loop wait once more.
  So there is one, and who has much to do takes it piece by piece, in turns with the others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

import trio

T = TypeVar("T")
Args = TypeVarTuple("Args")

PIECE_SECONDS: Final = 0.05
"""Seconds that a piece of long work should take, before others have their turn."""

SWITCH_SECONDS: Final = 0.0005
"""Seconds that a busy thread keeps the interpreter while another one waits for it."""


class Threads:
    """A kind of work, and how much of it is done at once; the rest waits, first come, first served.

    hashing = Threads("hashing", at_once=2)
    digest = await hashing.run(compute, data)
    """

    def __init__(self, name: str, *, at_once: int) -> None:
        self.name = name
        self.at_once = at_once
        self._limiter: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar(name)

    async def run(self, work: Callable[[*Args], T], *arguments: *Args) -> T:
        """Do it in a thread and return what it returns, or raise what it raises.

        Who is cancelled while it waits leaves the queue; what has begun is waited for.
        """
        return await trio.to_thread.run_sync(work, *arguments, limiter=self._limited())

    def _limited(self) -> trio.CapacityLimiter:
        try:
            return self._limiter.get()
        except LookupError:
            made = trio.CapacityLimiter(self.at_once)
            self._limiter.set(made)
            return made


CHECKOUTS: Final = Threads("checkouts", at_once=16)
PROCESSOR: Final = Threads("processor", at_once=1)


def switch_often() -> None:
    """Have busy threads of this process let go of the interpreter soon."""
    sys.setswitchinterval(SWITCH_SECONDS)
