"""The deadlines of all asks of a system, kept by one task.

A cancel scope for each ask would cost more than all the rest of it: entering and leaving one
registers and removes a deadline with trio. Asks with the same timeout come due in the order in
which they were made, so a queue for each timeout holds them sorted for nothing, and one task
sleeps until the earliest is due. Answered asks leave their queue when they reach its head, or when
the queue has doubled since it was last swept.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from command_center.runtime.reply import Deferred

_SWEEP = 64
"""The length from which on a queue is swept."""


class _Queue:
    """The asks with one timeout, the earliest first."""

    __slots__ = ("asks", "sweep_at")

    def __init__(self) -> None:
        self.asks: deque[Deferred[Any]] = deque()
        self.sweep_at = _SWEEP


class AskTimeouts:
    """Wakes askers whose time is up."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._queues: dict[float, _Queue] = {}
        self._sleep = trio.CancelScope()
        self._wake_at = math.inf
        self._is_stopped = False

    def add(self, timeout: float, reply: Deferred[Any]) -> None:
        """Let `reply` expire `timeout` seconds after it was asked for, if it is open then."""
        queue = self._queues.get(timeout)
        if queue is None:
            queue = self._queues[timeout] = _Queue()
        asks = queue.asks
        while asks and asks[0].task is None:
            asks.popleft()
        asks.append(reply)
        if len(asks) > queue.sweep_at:
            queue.asks = deque(ask for ask in asks if ask.task is not None)
            queue.sweep_at = max(_SWEEP, 2 * len(queue.asks))
        deadline = reply.asked_at + timeout
        if deadline < self._wake_at:
            self._wake_at = deadline
            self._sleep.deadline = deadline

    async def run(self) -> None:
        """Expire asks until it is stopped."""
        while not self._is_stopped:
            with self._sleep:
                await trio.sleep_forever()
            self._expire()
            self._sleep = trio.CancelScope(deadline=self._wake_at)

    def stop(self) -> None:
        """End `run`; nothing expires any more."""
        self._is_stopped = True
        self._sleep.cancel()

    def _expire(self) -> None:
        now = self._clock()
        self._wake_at = math.inf
        for timeout, queue in tuple(self._queues.items()):
            asks = queue.asks
            while asks and (asks[0].task is None or asks[0].asked_at + timeout <= now):
                asks.popleft().expire(now)
            if asks:
                self._wake_at = min(self._wake_at, asks[0].asked_at + timeout)
            else:
                del self._queues[timeout]
