"""The one task that keeps the deadlines of all asks and timers."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from command_center.runtime import ActorRef, AskTimeout, open_system
from command_center.runtime.deadline_queue import DeadlineQueue
from command_center.runtime.mailbox import Mailbox
from command_center.runtime.reply import Deferred
from tests.runtime.probes import Echo, Later, probe, tree


async def test_every_ask_expires_at_its_own_time_whatever_order_they_were_made_in(
    autojump_clock: trio.testing.MockClock,
) -> None:
    ended: dict[float, float] = {}

    async def ask(ref: ActorRef[Any], timeout: float) -> None:  # noqa: ASYNC109 - the ask's
        with pytest.raises(AskTimeout) as caught:
            await ref.ask(Later(), timeout=timeout)
        assert caught.value.waited == timeout
        ended[timeout] = trio.current_time()

    async with open_system(tree(probe("a"))) as system, trio.open_nursery() as nursery:
        for timeout in (5.0, 1.0, 3.0, 0.0, 4.0):
            nursery.start_soon(ask, system.lookup("/a"), timeout)
    assert ended == {timeout: timeout for timeout in (5.0, 1.0, 3.0, 0.0, 4.0)}


async def test_an_ask_without_a_limit_waits_for_ever(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        with trio.move_on_after(1_000_000.0) as scope:
            await system.lookup("/a").ask(Later(), timeout=float("inf"))
        assert scope.cancelled_caught


async def test_an_answer_in_time_is_an_answer_although_others_expire(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        for _ in range(3):
            with pytest.raises(AskTimeout):
                await ref.ask(Later(), timeout=1.0)
            assert await ref.ask(Echo("fine"), timeout=1.0) == "fine"


async def test_answered_asks_behind_one_that_waits_are_swept_away() -> None:
    mailbox = Mailbox("/a", 10, trio.current_time)
    deadlines = DeadlineQueue(trio.current_time)
    task = trio.lowlevel.current_task()
    deadlines.add(10.0, Deferred(task, mailbox, "waits", 0.0))
    for _ in range(10_000):
        deadlines.add(10.0, Deferred(None, mailbox, "answered", 0.0))
    assert len(deadlines) < 100


async def test_many_different_times_cost_no_more_than_one() -> None:
    mailbox = Mailbox("/a", 10, trio.current_time)
    deadlines = DeadlineQueue(trio.current_time)
    for number in range(10_000):
        deadlines.add(10.0 + number / 7, Deferred(None, mailbox, "answered", 0.0))
    assert len(deadlines) < 100
