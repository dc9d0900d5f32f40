"""Threads beside the loop: which work may have how many of them at once.

trio lets 40 threads run for all who name no limit of their own. Nothing may stay in one of those: a
disk that is slow, or a caller with much to compute, would keep everybody else waiting. Such work
names what it is:

- `READING`: queries of the store. Each of those that are ready to run may go before the loop, so
  there are few.
- `CHECKOUTS`: files that somebody else may have written. They may be many, long, slow to open.
- `FINDING`: looks through many folders of a person's, on whatever disks those are. Who waits for
  one that does not answer gives up, and the thread is left to it; so they take none of the others.
- `PROCESSOR`: work for the processor alone. One interpreter runs one thread at a time and lets the
  next one have it after `SWITCH_SECONDS`; each further busy thread makes the loop wait once more.
  So there is one, and who has much to do takes it piece by piece, in turns with the others.
"""

from __future__ import annotations

import ctypes
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

    async def run(
        self, work: Callable[[*Args], T], *arguments: *Args, is_abandoned: bool = False
    ) -> T:
        """Do it in a thread and return what it returns, or raise what it raises.

        Who is cancelled while it waits leaves the queue; what has begun is waited for, unless it
        `is_abandoned`: then it keeps its thread until it ends.
        """
        return await trio.to_thread.run_sync(
            work, *arguments, limiter=self._limited(), abandon_on_cancel=is_abandoned
        )

    def _limited(self) -> trio.CapacityLimiter:
        try:
            return self._limiter.get()
        except LookupError:
            made = trio.CapacityLimiter(self.at_once)
            self._limiter.set(made)
            return made


READING: Final = Threads("reading", at_once=4)
CHECKOUTS: Final = Threads("checkouts", at_once=16)
FINDING: Final = Threads("finding", at_once=2)
PROCESSOR: Final = Threads("processor", at_once=1)


def switch_often() -> None:
    """Have busy threads of this process let go of the interpreter soon."""
    sys.setswitchinterval(SWITCH_SECONDS)


def share_memory() -> None:
    """Have all threads of this process take memory from one arena of glibc's `malloc`.

    It gives each an arena of its own, where what one has freed is of no use to another. Under the
    worst requests the process then has half as much again.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other libraries have none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)


_M_ARENA_MAX: Final = -8
"""Its name in malloc.h."""
