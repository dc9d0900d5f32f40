"""The last resort against cleanup that shields itself for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from command_center.runtime.cancel_shields import lift_shields


async def shielded() -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def shielded_twice() -> None:
    with trio.CancelScope(shield=True), trio.CancelScope(), trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def shielded_nursery() -> None:
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(shielded)


@pytest.mark.parametrize("work", [shielded, shielded_twice, shielded_nursery])
async def test_a_shielded_task_ends_when_its_shields_are_lifted(
    work: Callable[[], Awaitable[None]], autojump_clock: trio.testing.MockClock
) -> None:
    tasks: list[trio.lowlevel.Task] = []

    async def run() -> None:
        tasks.append(trio.lowlevel.current_task())
        await work()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        lift_shields(tasks[0])
    assert not nursery.child_tasks
