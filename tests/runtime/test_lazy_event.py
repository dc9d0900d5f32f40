"""The event that costs little until somebody waits."""

from __future__ import annotations

import trio
import trio.testing

from command_center.runtime.lazy_event import LazyEvent


async def test_a_lazy_event_lets_those_who_wait_through_and_those_who_come_later() -> None:
    event = LazyEvent()
    through: list[int] = []

    async def walk(number: int) -> None:
        await event.wait()
        through.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(walk, 1)
        nursery.start_soon(walk, 2)
        await trio.testing.wait_all_tasks_blocked()
        assert through == []
        event.set()
    await walk(3)
    assert sorted(through) == [1, 2, 3]
    assert event.is_set()
