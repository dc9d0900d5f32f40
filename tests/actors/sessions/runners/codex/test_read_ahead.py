"""A question that is asked ahead of its need is asked once, and its answer does not grow old."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from command_center.actors.rules.errors import Unavailable
from command_center.actors.sessions.runners.codex.read_ahead import GOOD_SECONDS, ReadAhead


class Counter:
    """Says how often it was asked, a moment after; fails as often as it is told to."""

    def __init__(self, failures: int = 0) -> None:
        self.asked = 0
        self.failures = failures

    async def read(self) -> int:
        self.asked += 1
        number = self.asked
        await trio.sleep(1)
        if self.failures:
            self.failures -= 1
            raise Unavailable("Not now.")
        return number


async def test_who_needs_it_meanwhile_waits_for_the_answer(autojump_clock: MockClock) -> None:
    counter = Counter()
    ahead = ReadAhead(counter.read)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ahead.begin)
        await trio.sleep(0.5)
        assert 1 == await ahead.get()
    assert 1 == counter.asked
    assert 2 == await ahead.get()


async def test_an_old_answer_is_asked_for_again(autojump_clock: MockClock) -> None:
    counter = Counter()
    ahead = ReadAhead(counter.read)
    await ahead.begin()
    await trio.sleep(GOOD_SECONDS)
    assert 2 == await ahead.get()


async def test_an_error_is_met_by_who_needs_the_answer(autojump_clock: MockClock) -> None:
    counter = Counter(failures=1)
    ahead = ReadAhead(counter.read)
    await ahead.begin()
    assert 2 == await ahead.get()
