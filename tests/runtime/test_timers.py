"""Messages that come in time, and end with the life that set them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing

from command_center.runtime import ActorRef, Context, System, Timer, open_system
from command_center.runtime.origins import origin
from tests.runtime.probes import Crash, Echo, Hold, Note, Run, probe, tree


@asynccontextmanager
async def alone(mailbox: int = 1000) -> AsyncIterator[tuple[System, ActorRef[Any], list[str]]]:
    """Run one actor, and give its handle and what it writes down."""
    log: list[str] = []
    async with open_system(tree(probe("a", log, mailbox=mailbox))) as system:
        yield system, system.lookup("/a"), log


async def set_timer(ref: ActorRef[Any], work: Callable[[Context], object]) -> Any:
    """Run something inside an actor, and return what it returned."""
    made: list[Any] = []
    await ref.tell(Run(lambda ctx: made.append(work(ctx))))
    await ref.ask(Echo("set"))
    return made[0]


def notes(log: list[str]) -> list[str]:
    return [line.removeprefix("a ") for line in log if line not in {"a start", "a stop", "a set"}]


async def test_a_message_comes_after_its_time_and_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        timer: Timer = await set_timer(a, lambda ctx: ctx.send_after(5.0, Note("later")))
        await trio.sleep(4.9)
        assert ([], False) == (notes(log), timer.is_over)
        await trio.sleep(0.2)
        assert (["later"], True) == (notes(log), timer.is_over)
        await trio.sleep(100)
        assert ["later"] == notes(log)


async def test_a_timer_that_is_cancelled_sends_nothing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        timer: Timer = await set_timer(a, lambda ctx: ctx.send_after(5.0, Note("later")))
        timer.cancel()
        await trio.sleep(100)
        assert [] == notes(log)


async def test_a_timer_ends_with_its_life(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        await set_timer(a, lambda ctx: ctx.send_after(5.0, Note("later")))
        await set_timer(a, lambda ctx: ctx.send_every(5.0, Note("again")))
        await set_timer(a, lambda ctx: ctx.set_receive_timeout(5.0, Note("idle")))
        await a.tell(Crash())
        await trio.sleep(100)
        assert [] == notes(log)


async def test_a_message_comes_again_and_again_until_its_timer_ends(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        timer: Timer = await set_timer(a, lambda ctx: ctx.send_every(5.0, Note("tick")))
        await trio.sleep(17.5)
        assert ["tick"] * 3 == notes(log)
        timer.cancel()
        await trio.sleep(100)
        assert ["tick"] * 3 == notes(log)
        with pytest.raises(ValueError, match="must be positive"):
            Context(None, None).send_every(0.0, Note("tick"))  # type: ignore[arg-type]


async def test_ticks_do_not_pile_up_in_front_of_a_busy_actor(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (system, a, log):
        await set_timer(a, lambda ctx: ctx.send_every(5.0, Note("tick")))
        await a.tell(hold := Hold())
        await trio.sleep(100)
        assert 1 == system.snapshot_of("/a").depth
        hold.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert ["tick"] == notes(log)


async def test_a_timer_is_heard_with_a_full_mailbox(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone(mailbox=1) as (system, a, log):
        await set_timer(a, lambda ctx: ctx.send_after(5.0, Note("later")))
        system.suspend("/a", reason="test")
        await a.tell(Note("fills it"))
        await trio.sleep(6)
        system.resume("/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert ["fills it", "later"] == notes(log)


async def test_an_actor_is_told_when_it_has_had_nothing_to_do(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        await set_timer(a, lambda ctx: ctx.set_receive_timeout(5.0, Note("idle")))
        for _ in range(5):
            await trio.sleep(4.0)
            await a.tell(Note("busy"))
        assert ["busy"] * 4 == notes(log)
        await trio.sleep(11.0)
        assert [*["busy"] * 5, "idle", "idle"] == notes(log)
        await set_timer(a, lambda ctx: ctx.set_receive_timeout(None))
        await trio.sleep(100)
        assert 7 == len(notes(log))


async def test_what_a_timer_missed_is_not_made_up_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with alone() as (_, a, log):
        await set_timer(a, lambda ctx: ctx.send_every(5.0, Note("tick")))
        autojump_clock.jump(17.0)
        await trio.sleep(4.0)
        assert ["tick"] == notes(log)
        await trio.sleep(2.0)
        assert ["tick"] * 2 == notes(log)


async def test_a_timers_message_is_for_whom_it_was_set(
    autojump_clock: trio.testing.MockClock,
) -> None:
    seen: list[str | None] = []
    async with alone() as (_, a, _log):
        origin.set("them")
        await set_timer(
            a, lambda ctx: ctx.send_after(5.0, Run(lambda _: seen.append(origin.get())))
        )
        origin.set("others")
        await a.ask(Echo("set"))
        await trio.sleep(6.0)
    assert ["them"] == seen
