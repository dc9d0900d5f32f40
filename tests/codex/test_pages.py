"""Lists of Codex in pages: the last one, one that never comes, and one that is not wanted."""

from __future__ import annotations

from typing import Any

import pytest

from command_center.actors.codex.errors import AnswerTooLong
from command_center.actors.codex.messages import Call
from command_center.actors.codex.pages import Pages


class Lister:
    """Answers with the cursors that a test names, and keeps what it was asked for."""

    def __init__(self, *cursors: str | None) -> None:
        self._cursors = cursors
        self.asked: list[dict[str, Any]] = []

    async def __call__(self, call: Call) -> dict[str, Any]:
        self.asked.append(dict(call.params))
        number = len(self.asked)
        return {"data": [number], "nextCursor": self._cursors[min(number, len(self._cursors)) - 1]}


async def test_each_page_is_asked_for_by_the_cursor_of_the_one_before() -> None:
    ask = Lister("a", "b", None)
    assert [[1], [2], [3]] == [page async for page in Pages(ask, Call("list", {"limit": 1}))]
    assert [{"limit": 1}, {"limit": 1, "cursor": "a"}, {"limit": 1, "cursor": "b"}] == ask.asked


async def test_a_list_that_leads_back_is_over() -> None:
    assert [[1], [2]] == [page async for page in Pages(Lister("again"), Call("list"))]
    assert [[1], [2], [3]] == [page async for page in Pages(Lister("a", "b", "a"), Call("list"))]


async def test_no_more_pages_are_read_than_are_wanted() -> None:
    endless = Lister(*map(str, range(10)))
    assert [[1], [2], [3]] == [page async for page in Pages(endless, Call("list"), most=3)]
    assert 3 == len(endless.asked)


async def test_a_page_that_is_not_wanted_is_not_asked_for() -> None:
    ask = Lister("a", "b", None)
    async for _ in Pages(ask, Call("list")):
        break
    assert 1 == len(ask.asked)


async def test_a_page_that_is_too_long_is_asked_for_with_fewer_entries_until_there_is_one() -> None:
    most, asked = 5, []

    async def ask(call: Call) -> dict[str, Any]:
        asked.append(call.params["limit"])
        if asked[-1] > most:
            raise AnswerTooLong(call.method, 1)
        return {"data": [1], "nextCursor": None}

    assert [[1]] == [page async for page in Pages(ask, Call("list", {"limit": 20}))]
    assert [20, 5] == asked
    most = 0
    with pytest.raises(AnswerTooLong):
        await anext(Pages(ask, Call("list", {"limit": 20})))
    assert [20, 5, 20, 5, 1] == asked
