"""Turns: who may start a git next, so that no repository takes the turns of the others.

A repository can make git slow, or hang. So each has a share of its own; the work of one waits for
its own turns only, and where all turns are taken, repositories get the next ones round and round,
however much work one of them has waiting.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import attrs
import trio


@attrs.define
class _Key:
    running: int = 0
    waiting: deque[trio.Event] = attrs.field(factory=deque)


@attrs.define
class Turns:
    """At most `total` at a time, and at most `share` of one key.

    turns = Turns(total=8, share=2)
    async with turns.of(repository):
        ...  # work
    """

    total: int
    share: int
    _running: int = attrs.field(default=0, init=False)
    _keys: OrderedDict[Hashable, _Key] = attrs.field(factory=OrderedDict, init=False)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Hold a turn of a key; waits until there is one."""
        entry = self._keys.setdefault(key, _Key())
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
