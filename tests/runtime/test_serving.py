"""Serving an actor its messages: in a row while it is busy, and where it is asked else."""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    Backoff,
    ChildSpec,
    Deferred,
    Request,
    Stalled,
    Status,
    handles,
    open_system,
    origin,
)
from command_center.runtime.cell import Cell
from command_center.runtime.serving import MOST_TURNS, TURN_SECONDS
from tests.runtime.probes import Boom, Crash, Echo, Hold, NoSuchThing, Note, Probe, tree

whose: ContextVar[str] = ContextVar("whose", default="nobody's")


@attrs.frozen
class Do(Request[Any]):
    """Calls a function with the actor, in a handler that awaits nothing."""

    work: Callable[[Doer], object]


class Doer(Probe):
    """Does what it is asked, at once."""

    async def on_start(self) -> None:
        whose.set("the actor's")
        await super().on_start()

    @handles(Do)
    def do(self, message: Do) -> object:
        return message.work(self)


DOER = tree(ChildSpec("a", Doer))


def in_whose_task(_doer: Doer) -> str:
    return trio.lowlevel.current_task().name


async def test_an_actor_with_nothing_to_do_answers_in_the_task_that_asks() -> None:
    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        own = trio.lowlevel.current_task().name
        assert own == await ref.ask(Do(in_whose_task))
        hold = Hold()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ref.ask, hold)
            await hold.taken.wait()
            nursery.start_soon(release_soon, hold)
            assert "/a" == await ref.ask(Do(in_whose_task))
        system.suspend("/a", reason="test")
        with pytest.raises(AskTimeout):
            await ref.ask(Do(in_whose_task), timeout=0.01)
        assert system.snapshot_of("/a").depth == 1


async def release_soon(hold: Hold) -> None:
    await trio.testing.wait_all_tasks_blocked()
    hold.gate.set()


async def test_it_answers_in_its_own_context_and_for_the_origin_of_who_asks() -> None:
    def look(_doer: Doer) -> tuple[str, str | None]:
        return whose.get(), origin.get()

    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        whose.set("the asker's")
        assert ("the actor's", None) == await ref.ask(Do(look))
        origin.set("r1")
        assert ("the actor's", "r1") == await ref.ask(Do(look))
        await ref.tell(Note("woken, and asleep again"))
        await trio.testing.wait_all_tasks_blocked()
        origin.set(None)
        assert ("the actor's", None) == await ref.ask(Do(look))
        assert "the asker's" == whose.get()


async def test_such_an_ask_lets_others_run() -> None:
    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(count)
            for _ in range(10):
                await ref.ask(Do(in_whose_task))
            nursery.cancel_scope.cancel()
        assert turns >= 9  # the other may have begun after the first


async def test_what_it_raises_crashes_the_actor_and_not_who_asks() -> None:
    kept: list[weakref.ref[Doer]] = []

    def fail(doer: Doer) -> None:
        kept.append(weakref.ref(doer))
        raise Boom

    def refuse(_doer: Doer) -> None:
        raise NoSuchThing

    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(NoSuchThing):
            await ref.ask(Do(refuse))
        assert (1, 1) == (system.totals().handled, system.totals().refused)
        with pytest.raises(ActorCrashed) as crashed:
            await ref.ask(Do(fail))
        assert isinstance(crashed.value.error, Boom)
        assert "again" == await ref.ask(Echo("again"))
        assert 1 == system.snapshot_of("/a").restarts
        assert (1, 2) == (system.totals().lost, system.totals().handled)
        del crashed
        assert kept[0]() is None, "its frames keep the actor that crashed"


async def test_what_ends_the_program_ends_the_system_from_there_too() -> None:
    def leave(_doer: Doer) -> None:
        raise SystemExit(3)

    stopped: list[str] = []
    with pytest.raises(SystemExit):
        async with open_system(tree(ChildSpec("a", lambda: Doer(stopped)))) as system:
            await trio.testing.wait_all_tasks_blocked()
            with pytest.raises(ActorStopped):
                await system.lookup("/a").ask(Do(leave))
            await trio.sleep_forever()
    assert ["start", "stop"] == stopped


async def test_an_answer_that_is_deferred_there_may_come_at_once_or_later() -> None:
    owed: list[Deferred[str]] = []

    def at_once(doer: Doer) -> Deferred[str]:
        reply: Deferred[str] = doer.ctx.defer()
        assert reply.is_awaited
        reply.send("at once")
        reply.send("twice")
        return reply

    def refused(doer: Doer) -> Deferred[str]:
        reply: Deferred[str] = doer.ctx.defer()
        reply.fail(NoSuchThing())
        return reply

    def later(doer: Doer) -> Deferred[str]:
        owed.append(doer.ctx.defer())
        return owed[-1]

    async def settle() -> None:
        await trio.testing.wait_all_tasks_blocked()
        owed[-1].send("later")

    async with open_system(DOER) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        assert "at once" == await ref.ask(Do(at_once))
        with pytest.raises(NoSuchThing):
            await ref.ask(Do(refused))
        nursery.start_soon(settle)
        assert "later" == await ref.ask(Do(later))
        with pytest.raises(AskTimeout):
            await ref.ask(Do(later), timeout=0.01)
        assert not owed[-1].is_awaited


async def test_a_time_without_messages_that_is_set_there_begins_there(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []

    def wait_for_quiet(doer: Doer) -> None:
        doer.ctx.set_receive_timeout(5.0, Note("quiet"))

    async with open_system(tree(ChildSpec("a", lambda: Doer(log)))) as system:
        await trio.testing.wait_all_tasks_blocked()
        await system.lookup("/a").ask(Do(wait_for_quiet))
        await trio.sleep(6.0)
        assert ["start", "quiet"] == log


async def test_a_trace_that_begins_while_the_actor_sleeps_has_all_that_it_is_asked() -> None:
    async with open_system(DOER) as system:
        await trio.testing.wait_all_tasks_blocked()
        trace = system.trace("/a", messages=2)
        for _ in range(3):
            await system.lookup("/a").ask(Do(in_whose_task))
        assert ["Do", "Do"] == [record.message async for record in trace]


async def test_a_trace_goes_on_with_the_messages_that_wait_for_the_next_life() -> None:
    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        trace = system.trace("/a", messages=3)
        for message in (Note("one"), Crash(), Note("two")):
            await ref.tell(message)
        with trio.fail_after(5):
            assert ["Note", "Crash", "Note"] == [record.message async for record in trace]


async def test_what_the_asker_handles_is_no_context_of_what_the_actor_raises() -> None:
    def see(_doer: Doer) -> BaseException | None:
        return sys.exc_info()[1]

    def refuse(_doer: Doer) -> None:
        raise NoSuchThing

    def fail(_doer: Doer) -> None:
        raise Boom

    async with open_system(DOER) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        try:
            raise KeyError("the asker's")  # noqa: TRY301 - what it is about
        except KeyError:
            assert await ref.ask(Do(see)) is None
            with pytest.raises(NoSuchThing):
                await ref.ask(Do(refuse))
            with pytest.raises(ActorCrashed) as crashed:
                await ref.ask(Do(fail))
        assert isinstance(crashed.value.error, Boom)
        assert crashed.value.error.__context__ is None


async def test_one_that_blocks_the_loop_there_is_named() -> None:
    seen = threading.Event()
    paths: list[str | None] = []

    def tell(stalled: Stalled) -> None:
        paths.append(stalled.path)
        if stalled.path is not None:
            seen.set()

    async with open_system(DOER, stall_seconds=0.05, on_stall=tell) as system:
        await trio.testing.wait_all_tasks_blocked()
        assert await system.lookup("/a").ask(Do(lambda _doer: seen.wait(60)), timeout=60)
    assert "/a" in paths


@attrs.frozen
class Slower:
    seconds: float


class Counts(Actor):
    """Counts its notes, each of which takes some time of the clock."""

    def __init__(self, clock: trio.testing.MockClock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.count = 0
        self.slow = 0

    @handles(Note)
    def note(self, _message: Note) -> None:
        self.count += 1
        self.slow += self.seconds > 0
        self.clock.jump(self.seconds)

    @handles(Slower)
    def slower(self, message: Slower) -> None:
        self.seconds = message.seconds


@pytest.mark.parametrize(("seconds", "most"), [(0.0, MOST_TURNS), (TURN_SECONDS, 1)])
async def test_a_busy_actor_handles_more_in_a_row_the_cheaper_they_are(
    seconds: float, most: int, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.jump(1.0)
    counts = Counts(mock_clock, seconds)
    async with open_system(tree(ChildSpec("a", lambda: counts, mailbox=5000))) as system:
        for _ in range(3 * MOST_TURNS):
            await system.lookup("/a").tell(Note(""))
        rows: list[int] = []
        while counts.count < 3 * MOST_TURNS:
            before = counts.count
            await trio.lowlevel.checkpoint()
            rows.append(counts.count - before)
    # Of two that take turns, one may run last in a round and first in the next.
    assert most <= max(rows) <= 2 * most


async def test_slow_messages_after_many_cheap_ones_are_noticed_soon(
    mock_clock: trio.testing.MockClock,
) -> None:
    mock_clock.jump(1.0)
    counts = Counts(mock_clock, 0.0)
    async with open_system(tree(ChildSpec("a", lambda: counts, mailbox=5000))) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        for number in range(200):
            await ref.tell(Note(""))
            if number == 100:
                await ref.tell(Slower(TURN_SECONDS))
        rows: list[int] = []
        while counts.count < 200:
            before = counts.slow
            await trio.lowlevel.checkpoint()
            rows.append(counts.slow - before)
    assert max(rows) <= 16  # two rows of eight


async def test_a_message_has_the_time_of_its_own_turn(
    mock_clock: trio.testing.MockClock,
) -> None:
    hold = Hold()
    async with open_system(DOER) as system, trio.open_nursery() as nursery:
        mock_clock.jump(10.0)
        nursery.start_soon(system.lookup("/a").ask, hold)
        await hold.taken.wait()
        for _ in range(2):
            await system.lookup("/a").tell(Note("waits"))
            mock_clock.jump(3.0)
        assert 6.0 == system.snapshot_of("/a").oldest_age
        hold.gate.set()


@attrs.frozen
class Fail:
    pass


class FailsBeside(Counts):
    """Fails, while it lets others run, by a task of its own."""

    @handles(Fail)
    def on_fail(self, _message: Fail) -> None:
        self.ctx.start_task(self.fail)

    async def fail(self) -> None:
        raise Boom


async def test_a_message_that_comes_between_two_lives_has_the_time_at_which_it_came(
    mock_clock: trio.testing.MockClock,
) -> None:
    mock_clock.jump(10.0)
    spec = tree(
        ChildSpec("a", lambda: FailsBeside(mock_clock, TURN_SECONDS), mailbox=500),
        backoff=Backoff(initial=60.0, cap=60.0),
    )
    async with open_system(spec) as system:
        ref = system.lookup("/a")
        await trio.testing.wait_all_tasks_blocked()
        await ref.tell(Fail())
        await ref.tell(Note("is handled while it fails"))
        for _ in range(200):
            await ref.tell(Note("after which it lets others run"))
        while system.snapshot_of("/a").status is not Status.BACKOFF:
            await trio.lowlevel.checkpoint()
        place = system._tree.children["/a"]
        assert isinstance(place, Cell)
        assert 0.0 == place.mailbox.turn
