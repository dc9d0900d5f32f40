"""Lists of Codex, which it gives in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeAlias

import attrs

from command_center.actors.codex.errors import AnswerTooLong
from command_center.actors.codex.messages import Call

Ask: TypeAlias = Callable[[Call], Awaitable[dict[str, Any]]]
"""Asks Codex; raises one of `runner.FAILURES`."""

MOST_PAGES: Final = 10_000
"""Pages that are read of a list, so that one which never ends is over."""


@attrs.define(slots=False)
class Pages:
    """The pages of a list, each asked for as it is wanted.

    A list whose cursor comes again is over, and so is one after `most` pages. A page that is too
    long is asked for again with fewer entries. Raises what `ask` raises.
    """

    _ask: Ask
    _call: Call
    _left: int = attrs.field(default=MOST_PAGES, alias="most", kw_only=True)
    _seen: set[str] = attrs.field(factory=set, init=False)

    async def _asked(self) -> dict[str, Any]:
        while True:
            try:
                return await self._ask(self._call)
            except AnswerTooLong:
                limit = self._call.params.get("limit")
                if not isinstance(limit, int) or limit <= 1:
                    raise
                self.shorten(max(1, limit // 4))

    def shorten(self, limit: int) -> None:
        """Ask for no more entries at once than these, from the page on that did not come."""
        self._call = attrs.evolve(self._call, params={**self._call.params, "limit": limit})

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Any]:
        if not self._left:
            raise StopAsyncIteration
        page = await self._asked()
        cursor = page.get("nextCursor")
        if isinstance(cursor, str) and cursor not in self._seen:
            self._left -= 1
            self._seen.add(cursor)
            self._call = attrs.evolve(self._call, params={**self._call.params, "cursor": cursor})
        else:
            self._left = 0
        entries: list[Any] = page["data"]
        return entries
