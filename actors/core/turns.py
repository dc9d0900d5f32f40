"""Turns: who may begin next, so that no repository takes the turns of the others.

A repository can make git slow, or hang, and so it can a search. So each has a share of its own; the
work of one waits for its own turns only, and where all turns are taken, repositories get the next
ones round and round, however much work one of them has waiting.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import attrs
import trio

from command_center.actors.rules.errors import Unavailable

AGAIN_SECONDS = 2.0
"""Seconds after which somebody may ask again who was sent away."""


class NoTurn(Unavailable):
    """So many wait already that nobody else is let in."""

    def __init__(self, waiting: int) -> None:
        """Say how many, and what to do."""
        super().__init__(
            f"{waiting} requests wait for this repository already. Try again in a few seconds.",
            retry_after=AGAIN_SECONDS,
        )


@attrs.define
class _Key:
    running: int = 0
    waiting: deque[trio.Event] = attrs.field(factory=deque)


@attrs.define
class Turns:
    """At most `total` at a time, and at most `share` of one key; `queue` of one key may wait.

    turns = Turns(total=8, share=2)
    async with turns.of(repository):
        ...  # work
    """

    total: int
    share: int
    queue: int | None = None
    _running: int = attrs.field(default=0, init=False)
    _keys: OrderedDict[Hashable, _Key] = attrs.field(factory=OrderedDict, init=False)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a turn of a key; waits until there is one.

        Raises:
            NoTurn: too many wait for one.
        """
        entry = self._keys.setdefault(key, _Key())
        if self.queue is not None and len(entry.waiting) >= self.queue:
            raise NoTurn(len(entry.waiting))
        given = trio.Event()
        entry.waiting.append(given)
        self._give()
        try:
            await given.wait()
            yield
        finally:
            if given.is_set():
                self._running -= 1
                entry.running -= 1
            else:
                entry.waiting.remove(given)
            if not entry.running and not entry.waiting:
                self._keys.pop(key, None)
            self._give()

    @property
    def waiting(self) -> int:
        """Return how many wait, of all keys."""
        return sum(len(entry.waiting) for entry in self._keys.values())

    def _give(self) -> None:
        """Hand out the free turns; whoever gets one goes behind the others."""
        for key in list(self._keys):
            if self._running >= self.total:
                return
            entry = self._keys[key]
            if entry.waiting and entry.running < self.share:
                entry.running += 1
                self._running += 1
                entry.waiting.popleft().set()
                self._keys.move_to_end(key)
