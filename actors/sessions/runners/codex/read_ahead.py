"""Questions to Codex ahead of their need, beside git's look at the folder and the commits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import trio

from command_center.actors.sessions.runner import FAILURES

T = TypeVar("T")

GOOD_SECONDS: Final = 5.0
"""Seconds for which an answer is good, from when it was asked for."""


class ReadAhead(Generic[T]):
    """A question that may be asked ahead of its need. Each answer is used once.

    settings = ReadAhead(read_settings)
    nursery.start_soon(settings.begin)
    ...
    found = await settings.get()
    """

    def __init__(self, read: Callable[[], Awaitable[T]]) -> None:
        """Ask by `read`."""
        self._read = read
        self._asked: trio.Event | None = None
        self._answer: tuple[float, T] | None = None

    async def begin(self) -> None:
        """Ask. An error is left to who needs the answer, and asks again."""
        asked = self._asked = trio.Event()
        began = trio.current_time()
        try:
            self._answer = (began, await self._read())
        except FAILURES:
            self._answer = None
        finally:
            asked.set()

    async def get(self) -> T:
        """Return the answer, as soon as it is there; ask where it was not, or too long ago.

        Raises what the question raises.
        """
        asked, self._asked = self._asked, None
        if asked is not None:
            await asked.wait()
        answer, self._answer = self._answer, None
        if answer is not None and trio.current_time() - answer[0] < GOOD_SECONDS:
            return answer[1]
        return await self._read()
