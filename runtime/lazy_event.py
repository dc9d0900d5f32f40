"""An event that costs little until somebody waits for it.

Every life of every actor has two, and mostly nobody waits: a `trio.Event` for each would be a tenth
of an idle actor's memory.
"""

from __future__ import annotations

import trio


class LazyEvent:
    """Like a `trio.Event`, made of two fields."""

    __slots__ = ("_event", "_is_set")

    def __init__(self) -> None:
        self._is_set = False
        self._event: trio.Event | None = None

    def is_set(self) -> bool:
        """Return True if it has been set."""
        return self._is_set

    def set(self) -> None:
        """Let everybody through, now and later."""
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait until it is set; a checkpoint in any case."""
        if self._is_set:
            await trio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()
