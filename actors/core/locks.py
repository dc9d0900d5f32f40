"""Locks by key: work on one thing is done one piece at a time, work on others is not delayed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

import attrs
import trio


@attrs.define
class _Held:
    lock: trio.Lock = attrs.field(factory=trio.Lock)
    users: int = 0


@attrs.define
class KeyedLocks:
    """One lock for each key, fair, and forgotten when nobody uses it."""

    _locks: dict[Hashable, _Held] = attrs.field(factory=dict)

    @asynccontextmanager
    async def of(self, key: Hashable) -> AsyncIterator[None]:
        """Hold the key's lock; waits for its turn."""
        held = self._locks.setdefault(key, _Held())
        held.users += 1
        try:
            async with held.lock:
                yield
        finally:
            held.users -= 1
            if held.users == 0:
                del self._locks[key]

    def held(self) -> list[Hashable]:
        """Return the keys whose locks are held or waited for."""
        return list(self._locks)
