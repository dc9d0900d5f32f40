"""The light event."""

from __future__ import annotations

import trio
import trio.testing

from command_center.runtime.gate import Gate


async def test_a_gate_lets_those_who_wait_through_and_those_who_come_later() -> None:
    gate = Gate()
    through: list[int] = []

    async def walk(number: int) -> None:
        await gate.wait()
        through.append(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(walk, 1)
        nursery.start_soon(walk, 2)
        await trio.testing.wait_all_tasks_blocked()
        assert through == []
        gate.set()
    await walk(3)
    assert sorted(through) == [1, 2, 3]
    assert gate.is_set()
