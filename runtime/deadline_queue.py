"""The deadlines of a system, kept by one task: of every ask, and of every timer of an actor.

A cancel scope for each ask would cost more than all the rest of it: entering and leaving one
registers and removes a deadline with trio. So they stand in one heap, and one task sleeps until the
earliest is due. What is settled before leaves the heap when it reaches the head, or when the heap
has doubled since it was last swept.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from typing import Protocol

import trio

_SWEEP = 64
"""The length from which on the heap is swept."""
_TURNS = 256
"""The number that come due before other tasks run."""


class Expiring(Protocol):
    """Something that is to happen at a time, unless it has no `task` by then."""

    @property
    def task(self) -> object | None:
        """Return what it is for; None if it need not happen any more."""

    def expire(self, now: float) -> None:
        """Let it happen."""


class DeadlineQueue:
    """Lets things happen in time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, Expiring]] = []
        self._added = 0
        self._sweep_at = _SWEEP
        self._sleep = trio.CancelScope()
        self._wake_at = math.inf
        self._is_stopped = False

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, deadline: float, due: Expiring) -> None:
        """Let `due` expire at `deadline`, by the system's clock."""
        heap = self._heap
        while heap and heap[0][2].task is None:
            heapq.heappop(heap)
        self._added += 1
        heapq.heappush(heap, (deadline, self._added, due))
        if len(heap) > self._sweep_at:
            self._heap = heap = [entry for entry in heap if entry[2].task is not None]
            heapq.heapify(heap)
            self._sweep_at = max(_SWEEP, 2 * len(heap))
        if deadline < self._wake_at:
            self._wake_at = deadline
            self._sleep.deadline = deadline

    async def run(self) -> None:
        """Expire what is due until it is stopped."""
        while not self._is_stopped:
            with self._sleep:
                await trio.sleep_forever()
            await self._expire()
            self._sleep = trio.CancelScope(deadline=self._wake_at)

    def stop(self) -> None:
        """End `run`; nothing expires any more."""
        self._is_stopped = True
        self._sleep.cancel()

    async def _expire(self) -> None:
        now = self._clock()
        self._wake_at = -math.inf  # nothing that is added needs to wake this task
        turns = 0
        while self._heap and not self._is_stopped:
            deadline, _, due = self._heap[0]
            if due.task is not None and deadline > now:
                break
            heapq.heappop(self._heap)
            if due.task is None:
                continue
            due.expire(now)
            turns += 1
            if turns == _TURNS:
                turns = 0
                await trio.lowlevel.checkpoint()
        self._wake_at = self._heap[0][0] if self._heap else math.inf
