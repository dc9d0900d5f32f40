"""Requests that one actor has another answer."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing

from command_center.runtime import (
    ActorCrashed,
    ActorStopped,
    AskTimeout,
    ChildSpec,
    Deferred,
    Request,
    handles,
    open_system,
)
from command_center.runtime.cell import Cell
from tests.runtime.probes import (
    Boom,
    Crash,
    Echo,
    Forward,
    Hold,
    Later,
    NoSuchThing,
    Note,
    Probe,
    Refuse,
    Settle,
    probe,
    tree,
)


async def test_the_other_actors_answer_is_the_answer() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log))) as system:
        assert "hello" == await system.lookup("/a").ask(Forward("/b", Echo("hello")))
        assert "b hello" == log[-1]
        for path in ("/a", "/b"):
            seen = system.snapshot_of(path)
            assert (1, 0) == (seen.handled, seen.failed)


async def test_an_answer_that_comes_later_is_the_answer_as_well() -> None:
    answers: list[str] = []
    async with open_system(tree(probe("a"), probe("b"))) as system, trio.open_nursery() as nursery:

        async def ask() -> None:
            answers.append(await system.lookup("/a").ask(Forward("/b", Later())))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        assert "free" == await system.lookup("/a").ask(Echo("free"))
        await system.lookup("/b").tell(Settle("at last"))
    assert ["at last"] == answers


async def test_the_others_refusal_is_the_answer_and_neither_crashes() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log))) as system:
        with pytest.raises(NoSuchThing):
            await system.lookup("/a").ask(Forward("/b", Refuse()))
        assert ["a start", "b start"] == log


async def test_it_may_be_forwarded_again() -> None:
    async with open_system(tree(probe("a"), probe("b"), probe("c"))) as system:
        forward = Forward("/b", Forward("/c", Echo("far")))
        assert "far" == await system.lookup("/a").ask(forward)


async def test_whoever_forwards_may_go_before_the_answer_comes() -> None:
    answers: list[str] = []
    async with open_system(tree(probe("a"), probe("b"))) as system, trio.open_nursery() as nursery:

        async def ask() -> None:
            answers.append(await system.lookup("/a").ask(Forward("/b", Later())))

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await system.lookup("/a").tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        await system.lookup("/b").tell(Settle("all the same"))
    assert ["all the same"] == answers


async def test_the_crash_of_the_other_is_told_to_the_asker() -> None:
    async with open_system(tree(probe("a"), probe("b"))) as system, trio.open_nursery() as nursery:

        async def ask() -> None:
            with pytest.raises(ActorCrashed, match="/b") as caught:
                await system.lookup("/a").ask(Forward("/b", Later()))
            assert isinstance(caught.value.error, Boom)

        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        await system.lookup("/b").tell(Crash())


async def test_the_death_of_the_other_is_told_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a"), probe("b"))) as system:
        await system.stop_child("/b", reason="test")
        ref = system.lookup("/a")
        with pytest.raises(ActorStopped, match="/b"):
            await ref.ask(Forward("/b", Echo("hello")))
        assert 0 == trio.current_time()
        assert ["stopped"] == [letter.reason.value for letter in system.dead_letters]


async def test_the_askers_timeout_bounds_it_all(autojump_clock: trio.testing.MockClock) -> None:
    async with open_system(tree(probe("a"), probe("b"))) as system:
        with pytest.raises(AskTimeout):
            await system.lookup("/a").ask(Forward("/b", Later()), timeout=2.0)
        await system.lookup("/b").tell(Settle("late, harmless"))
        assert "fine" == await system.lookup("/b").ask(Echo("fine"))


@attrs.frozen
class Sleep(Request[None]):
    pass


class Sleeps(Probe):
    @handles(Sleep)
    def on_sleep(self, _message: Sleep) -> Deferred[None]:
        return self.ctx.answer_while_asked(trio.sleep_forever)


@pytest.mark.parametrize("way", [("/b",), ("/a", "/b"), ("/c", "/a", "/b")])
async def test_what_nobody_waits_for_any_more_is_owed_no_more(
    way: tuple[str, ...], autojump_clock: trio.testing.MockClock
) -> None:
    message: Request[object] = Sleep()
    for path in reversed(way[1:]):
        message = Forward(path, message)
    async with open_system(tree(probe("a"), ChildSpec("b", Sleeps), probe("c"))) as system:
        ref = system.lookup(way[0])
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(AskTimeout):
            await ref.ask(message, timeout=1.0)
        with trio.move_on_after(1.0):
            await ref.ask(message)
        await trio.testing.wait_all_tasks_blocked()
        place = system._tree.children["/b"]
        assert isinstance(place, Cell)
        assert place.life is not None
        assert not place.life.deferred
        assert not place.life.tasks


async def test_it_waits_in_line_for_room() -> None:
    hold = Hold()
    log: list[str] = []
    answers: list[str] = []
    spec = tree(probe("a"), probe("b", log, mailbox=1))
    async with open_system(spec) as system, trio.open_nursery() as nursery:

        async def ask() -> None:
            answers.append(await system.lookup("/a").ask(Forward("/b", Echo("in line"))))

        nursery.start_soon(system.lookup("/b").ask, hold)
        await hold.taken.wait()
        await system.lookup("/b").tell(Note("before"))
        nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        assert "free" == await system.lookup("/a").ask(Echo("free"))
        hold.gate.set()
    assert ["b before", "b in line"] == log[1:3]
    assert ["in line"] == answers


async def test_a_message_that_was_told_is_forwarded_without_an_answer() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log))) as system:
        await system.lookup("/a").tell(Forward("/b", Echo("to nobody")))
        await trio.testing.wait_all_tasks_blocked()
        assert "b to nobody" == log[-1]


@attrs.frozen
class Pass:
    number: int


class Passes(Probe):
    @handles(Pass)
    def on_pass(self, message: Pass) -> None:
        self.ctx.forward(self.ctx.lookup("/b"), Echo(str(message.number)))


async def test_what_was_told_is_forwarded_no_faster_than_the_other_takes_it() -> None:
    log: list[str] = []
    spec = tree(ChildSpec("a", lambda: Passes(log, "a")), probe("b", log, mailbox=2))
    async with open_system(spec) as system:
        system.suspend("/b", reason="test")
        a = system.lookup("/a")
        for number in range(20):
            await a.tell(Pass(number))
        await trio.testing.wait_all_tasks_blocked()
        assert (3, 17) == (system.snapshot_of("/a").handled, system.snapshot_of("/a").depth)
        await a.tell(Pass(20))
        await trio.testing.wait_all_tasks_blocked()
        place = system._tree.children["/a"]
        assert isinstance(place, Cell)
        assert (18, 0.0) == (place.mailbox.waiting, place.mailbox.turn)
        system.resume("/b", reason="test")
        await a.ask(Echo("a"))
        await system.lookup("/b").ask(Echo("end"))
        echoed = [line for line in log if line.startswith("b ") and line != "b start"]
        assert [*(f"b {number}" for number in range(21)), "b end"] == echoed


async def test_one_that_waits_to_forward_what_was_told_can_be_stopped_and_asked_no_more() -> None:
    spec = tree(ChildSpec("a", Passes), probe("b", mailbox=1))
    async with open_system(spec) as system:
        system.suspend("/b", reason="test")
        for number in range(9):
            await system.lookup("/a").tell(Pass(number))
        await trio.testing.wait_all_tasks_blocked()
        with trio.fail_after(2):  # and not three quarters of its deadline
            await system.stop_child("/a", reason="test")
        assert 7 == system.totals().dead


class PassesToItself(Probe):
    @handles(Pass)
    def on_pass(self, message: Pass) -> None:
        self.ctx.forward(self.ctx.ref, Echo(str(message.number)))


async def test_what_was_told_may_be_forwarded_to_oneself_with_a_full_mailbox() -> None:
    log: list[str] = []
    spec = tree(ChildSpec("a", lambda: PassesToItself(log, "a"), mailbox=1))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(system.lookup("/a").tell, Pass(number))
        with trio.fail_after(5):
            await trio.testing.wait_all_tasks_blocked()
            await system.lookup("/a").ask(Echo("end"))
        assert {"a 0", "a 1", "a 2"} <= set(log)
