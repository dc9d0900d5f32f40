"""The message in hand, put aside and taken up again."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorRef,
    ActorStopped,
    ChildSpec,
    Deferred,
    Request,
    System,
    handles,
    open_system,
)
from tests.runtime.probes import tree


@attrs.frozen
class Work(Request[str]):
    name: str


@attrs.frozen
class Open:
    pass


@attrs.frozen
class Fail:
    pass


class Gate(Actor):
    """Puts work aside until it is open."""

    def __init__(self, done: list[str]) -> None:
        self.done = done
        self.is_open = False

    @handles(Work)
    def work(self, message: Work) -> str:
        if not self.is_open:
            self.ctx.stash()
            if message.name == "fails":
                raise ValueError
            return "not yet"
        self.done.append(message.name)
        return f"{message.name} is done"

    @handles(Open)
    def open(self, _message: Open) -> None:
        self.is_open = True
        self.ctx.unstash_all()

    @handles(Fail)
    def fail(self, _message: Fail) -> None:
        raise ValueError


def balance(system: System) -> tuple[int, int]:
    totals = system.totals()
    accounted = totals.handled + totals.lost + totals.dead + totals.waiting + totals.in_hand
    assert totals.sent == accounted
    return totals.waiting, totals.handled


async def ask(ref: ActorRef[Any], name: str, into: list[str]) -> None:
    try:
        into.append(await ref.ask(Work(name)))
    except (ActorCrashed, ActorStopped) as error:
        into.append(type(error).__name__)


async def test_what_is_put_aside_is_answered_later_and_before_what_came_after_it() -> None:
    done: list[str] = []
    answers: list[str] = []
    spec = tree(ChildSpec("a", lambda: Gate(done)))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        for name in ("one", "two", "three"):
            nursery.start_soon(ask, ref, name, answers)
            await trio.testing.wait_all_tasks_blocked()
        assert ([], (3, 0)) == (answers, balance(system))
        assert 3 == system.snapshot_of("/a").depth
        system.suspend("/a", reason="test")
        await ref.tell(Open())
        nursery.start_soon(ask, ref, "four", answers)
        await trio.testing.wait_all_tasks_blocked()
        system.resume("/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert ["one", "two", "three", "four"] == done
        assert {f"{name} is done" for name in done} == set(answers)
        assert (0, 5) == balance(system)


async def test_what_was_put_aside_outlives_a_crash_and_ends_with_the_actor() -> None:
    done: list[str] = []
    answers: list[str] = []
    spec = tree(ChildSpec("a", lambda: Gate(done)))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        nursery.start_soon(ask, ref, "one", answers)
        await trio.testing.wait_all_tasks_blocked()
        await ref.tell(Fail())
        await trio.testing.wait_all_tasks_blocked()
        assert ([], (1, 0)) == (answers, balance(system))
        await system.stop_child("/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert ["ActorStopped"] == answers
        assert (0, 0) == balance(system)


async def test_a_message_that_is_put_aside_and_then_fails_is_not_lost() -> None:
    done: list[str] = []
    answers: list[str] = []
    spec = tree(ChildSpec("a", lambda: Gate(done)))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        system.suspend("/a", reason="test")
        nursery.start_soon(ask, ref, "fails", answers)
        await trio.testing.wait_all_tasks_blocked()
        await system.restart("/a", reason="test")
        system.resume("/a", reason="test")
        with trio.fail_after(5):
            while system.snapshot_of("/a").restarts < 2:
                await trio.lowlevel.checkpoint()
        system.suspend("/a", reason="test")
        balance(system)
        await system.stop_child("/a", reason="test")
    assert ["ActorStopped"] == answers


async def test_no_more_is_put_aside_than_the_mailbox_has_room_for() -> None:
    answers: list[str] = []
    spec = tree(ChildSpec("a", lambda: Gate([]), mailbox=2))
    async with open_system(spec) as system:
        ref = system.lookup("/a")
        for name in ("one", "two"):
            await ref.tell(Work(name))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(ActorCrashed, match="MailboxFull"):
            await ref.ask(Work("three"))
        balance(system)
        assert [] == answers


@pytest.mark.parametrize("fails", [False, True])
async def test_who_puts_a_message_aside_and_then_all_back_keeps_that_one_aside(
    *, fails: bool
) -> None:
    class Hesitates(Gate):
        @handles(Work)
        def work(self, message: Work) -> str | Deferred[str]:
            answer = super().work(message)
            if message.name == "two" and not hesitated:
                hesitated.append(message.name)
                self.ctx.unstash_all()
                self.ctx.stash()
                if fails:
                    raise ValueError
            return answer

    hesitated: list[str] = []
    done: list[str] = []
    answers: list[str] = []
    spec = tree(ChildSpec("a", lambda: Hesitates(done)))
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        for name in ("one", "two"):
            nursery.start_soon(ask, ref, name, answers)
            await trio.testing.wait_all_tasks_blocked()
        assert ([], 2) == (answers, balance(system)[0])
        await ref.tell(Open())
        await trio.testing.wait_all_tasks_blocked()
        assert ["one", "two"] == sorted(done)
        assert ["one is done", "two is done"] == sorted(answers)
        balance(system)


async def test_what_was_put_aside_is_in_front_of_the_next_life() -> None:
    done: list[str] = []
    lives: list[Gate] = []

    def live() -> Gate:
        lives.append(gate := Gate(done))
        gate.is_open = len(lives) > 1
        return gate

    async with open_system(tree(ChildSpec("a", live))) as system:
        ref = system.lookup("/a")
        await ref.tell(Work("one"))
        await ref.tell(Fail())
        await ref.tell(Work("two"))
        await trio.testing.wait_all_tasks_blocked()
        assert ["one", "two"] == done
