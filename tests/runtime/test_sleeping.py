"""Lives without a task: those of actors that have had nothing to do yet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
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
    Backoff,
    ChildSpec,
    Down,
    Request,
    Restart,
    Signal,
    Started,
    StartFailed,
    Status,
    Strategy,
    SupervisorSpec,
    System,
    handles,
    open_system,
    origin,
)
from tests.runtime.probes import AT_ONCE, Boom, Echo, Note, tree

MANY = 50

colour: ContextVar[str] = ContextVar("colour", default="none")


@attrs.frozen
class Do(Request[Any]):
    """Calls a function with the actor, in a handler that awaits nothing."""

    work: Callable[[Plain], object]
    is_harmless: bool = False


class Plain(Actor):
    """Starts by doing nothing; every handler but that of `Echo` awaits nothing."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    @handles(Do)
    def do(self, message: Do) -> object:
        return message.work(self)

    @handles(Note)
    def note(self, message: Note) -> None:
        self.notes.append(f"{message.text} {colour.get()}")

    @handles(Echo)
    async def echo(self, message: Echo) -> str:
        await trio.lowlevel.checkpoint()
        return f"{message.text} {colour.get()}"

    @handles(Down)
    def down(self, message: Down) -> None:
        self.notes.append(f"down {message.path}")


class Painted(Plain):
    """Awaits something as it starts, and notes its end."""

    ends: list[str]

    async def on_start(self) -> None:
        await trio.lowlevel.checkpoint()
        colour.set("green")

    async def on_stop(self) -> None:
        self.ends.append("stopped")


@asynccontextmanager
async def running(kind: Callable[[], Actor], count: int = 1) -> AsyncIterator[System]:
    """Run so many actors beneath `/s`, named by their number."""
    async with open_system(SupervisorSpec("", [SupervisorSpec("s", backoff=AT_ONCE)])) as system:
        for number in range(count):
            await system.start_child("/s", ChildSpec(str(number), kind, Restart.TRANSIENT))
        await trio.testing.wait_all_tasks_blocked()
        yield system


def tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


async def first(system: System) -> ActorRef[Any]:
    return system.lookup("/s/0")


def painted(ends: list[str]) -> Callable[[], Painted]:
    def make() -> Painted:
        actor = Painted()
        actor.ends = ends
        return actor

    return make


@pytest.mark.parametrize("kind", [Plain, painted([])])
async def test_one_that_has_nothing_to_do_has_no_task(kind: Callable[[], Actor]) -> None:
    async with running(kind, 0):
        before = tasks()
    async with running(kind, MANY) as system:
        assert before == tasks()
        assert {Status.IDLE} == {
            actor.status for actor in system.snapshot().actors if actor.path.startswith("/s/")
        }
        ref = await first(system)
        assert "said" == await ref.ask(Do(lambda _: "said"))
        assert before == tasks()  # it was answered where it was asked
        await ref.ask(Echo("said"))
        assert before + 1 == tasks()


async def test_what_the_start_has_set_holds_for_what_is_handled_later() -> None:
    ends: list[str] = []
    async with running(painted(ends)) as system:
        ref = await first(system)
        assert "green" == await ref.ask(Do(lambda _: colour.get()))
        await ref.ask(Do(lambda _: colour.set("red")))
        assert "said red" == await ref.ask(Echo("said"))
        assert "none" == colour.get()
    assert ["stopped"] == ends


async def test_an_origin_is_that_of_the_message_and_not_of_the_one_before() -> None:
    async with running(Plain) as system:
        ref = await first(system)
        origin.set("mine")
        assert "mine" == await ref.ask(Do(lambda _: origin.get()))
        origin.set(None)
        assert [None, None] == [await ref.ask(Do(lambda _: origin.get())) for _ in range(2)]
        await ref.ask(Echo(""))
        assert await ref.ask(Do(lambda _: origin.get())) is None


async def test_what_it_tells_itself_where_it_is_asked_comes_next() -> None:
    async with running(Plain) as system:
        ref = await first(system)

        def tell_itself(actor: Plain) -> str:
            actor.ctx.ref.try_tell(Note("told"))
            colour.set("blue")
            return "answered"

        assert "answered" == await ref.ask(Do(tell_itself))
        assert ["told blue"] == await ref.ask(Do(lambda actor: actor.notes))


async def test_one_that_ends_itself_where_it_is_asked_answers_first() -> None:
    async with running(Plain) as system:
        ref = await first(system)
        assert await ref.ask(Do(lambda actor: actor.ctx.stop())) is None
        await ref.wait_dead()
        assert "/s/0" not in system.paths
        totals = system.totals()
        assert (1, 1, 0) == (totals.sent, totals.handled, totals.waiting)


async def test_a_crash_where_it_is_asked_is_a_crash() -> None:
    def crash(_: Plain) -> None:
        raise Boom

    async with running(Plain) as system:
        ref = await first(system)
        for life in range(1, 3):
            with pytest.raises(ActorCrashed):
                await ref.ask(Do(crash))
            assert [] == await ref.ask(Do(lambda actor: actor.notes))
            assert life == system.snapshot_of("/s/0").restarts


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt()])
async def test_a_wish_to_end_the_program_stops_those_that_sleep_in_order(
    raised: BaseException,
) -> None:
    ends: list[str] = []

    def leave(_: Plain) -> None:
        raise raised

    with pytest.raises(type(raised)):
        async with running(painted(ends), 3) as system:
            ref = await first(system)
            with pytest.raises(ActorStopped):
                await ref.ask(Do(leave))
            await trio.sleep_forever()
    assert 3 == len(ends)


async def test_links_monitors_timers_and_tasks_are_those_of_any_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(Plain, 3) as system:
        one, two, three = (system.lookup(f"/s/{number}") for number in range(3))
        await one.ask(Do(lambda actor: actor.ctx.link(two)))
        await three.ask(Do(lambda actor: actor.ctx.monitor(one)))
        await three.ask(Do(lambda actor: actor.ctx.send_after(5.0, Note("in time"))))
        await three.ask(Do(lambda actor: actor.ctx.start_task(trio.sleep, 60)))
        await three.ask(Do(lambda actor: actor.ctx.set_receive_timeout(2.0, Note("idle"))))

        def crash(_: Plain) -> None:
            raise Boom

        with pytest.raises(ActorCrashed):
            await two.ask(Do(crash))
        await trio.testing.wait_all_tasks_blocked()
        assert [1, 1, 0] == [system.snapshot_of(f"/s/{n}").restarts for n in range(3)]
        await system.stop_child("/s/0", reason="test")
        await trio.sleep(5.5)
        notes = await three.ask(Do(lambda actor: actor.notes))
        assert {"down /s/0", "idle none", "in time none"} == set(notes)
        assert 1 == system.snapshot_of("/s/2").background_tasks


async def test_the_operator_does_with_it_what_can_be_done_with_any() -> None:
    async with running(Plain, 4) as system:
        ref = await first(system)
        system.suspend("/s/0", reason="test")
        await ref.tell(Note("later"))
        await trio.testing.wait_all_tasks_blocked()
        assert (Status.SUSPENDED, 1) == (
            system.snapshot_of("/s/0").status,
            system.snapshot_of("/s/0").depth,
        )
        system.resume("/s/0", reason="test")
        assert ["later none"] == await ref.ask(Do(lambda actor: actor.notes))
        trace = system.trace("/s/1", messages=1)
        await system.lookup("/s/1").ask(Do(lambda _: None))
        assert ["Do"] == [record.message async for record in trace]
        await system.replace_state(
            "/s/2", lambda actor: actor.notes.append("replaced"), reason="test"
        )
        assert ["replaced"] == await system.lookup("/s/2").ask(Do(lambda actor: actor.notes))
        assert await system.drain("/s/3", reason="test")
        assert "/s/3" not in system.paths
        await system.restart("/s/2", reason="test")
        assert [] == await system.lookup("/s/2").ask(Do(lambda actor: actor.notes))


async def test_its_end_takes_its_place_in_the_order() -> None:
    log: list[str] = []

    class Noting(Plain):
        async def on_stop(self) -> None:
            log.append(self.ctx.path)

    spec = tree(*(ChildSpec(name, Noting if name != "b" else Plain) for name in "abc"))
    async with open_system(spec) as system:
        monitor = system.lookup("/b")
        async with trio.open_nursery() as nursery:

            async def note_death() -> None:
                await monitor.wait_dead()
                log.append("/b")

            nursery.start_soon(note_death)
            await trio.testing.wait_all_tasks_blocked()
            await system.stop()
    assert "/c" == log[0]
    assert {"/a", "/b"} == set(log[1:])


async def test_what_cannot_be_made_has_failed_to_start() -> None:
    def fail() -> Plain:
        raise Boom

    async with running(Plain, 0) as system:
        with pytest.raises(StartFailed) as failed:
            await system.start_child("/s", ChildSpec("0", fail))
        assert "Boom" in str(failed.value)
        assert "/s/0" not in system.paths


class Open(Plain):
    """Keeps a nursery and a scope of trio's open from its start to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.open = AsyncExitStack()

    async def on_start(self) -> None:
        await self.open.enter_async_context(trio.open_nursery())
        self.open.enter_context(trio.CancelScope())
        self.token = colour.set("open")

    async def on_stop(self) -> None:
        colour.reset(self.token)
        await self.open.aclose()


async def test_what_a_start_leaves_open_stays_open_to_the_end() -> None:
    async with running(Open) as system:
        ref = await first(system)
        assert "open" == await ref.ask(Do(lambda _: colour.get()))
        assert "said open" == await ref.ask(Echo("said"))
    assert 0 == system.snapshot_of("/s").restarts
    assert "idle" not in {actor.status.value for actor in system.snapshot().actors}


async def test_a_token_of_its_start_is_good_until_its_end() -> None:
    class Token(Plain):
        async def on_start(self) -> None:
            self.token = colour.set("green")

        @handles(Echo)
        async def echo(self, message: Echo) -> str:
            await trio.lowlevel.checkpoint()
            colour.reset(self.token)
            return f"{message.text} {colour.get()}"

    async with running(Token) as system:
        ref = await first(system)
        assert "green" == await ref.ask(Do(lambda _: colour.get()))
        assert "said none" == await ref.ask(Echo("said"))
        assert 0 == system.snapshot_of("/s/0").restarts


@pytest.mark.parametrize("started", ["with its supervisor", "later"])
async def test_an_observer_that_wishes_to_end_the_program_has_everybody_stopped(
    started: str,
) -> None:
    ends: list[str] = []

    def leave(signal: Signal) -> None:
        if isinstance(signal, Started) and signal.path == "/b":
            raise SystemExit(3)

    late = ChildSpec("b", Plain)
    spec = tree(ChildSpec("a", painted(ends)), *(() if started == "later" else (late,)))
    with pytest.raises(SystemExit):
        async with open_system(spec, on_signal=leave, on_stuck=ends.extend) as it:
            await it.start_child("/", late)
            await trio.sleep_forever()
    assert ["stopped"] == ends


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL])
async def test_others_run_while_many_that_sleep_are_stopped(strategy: Strategy) -> None:
    many = [ChildSpec(str(number), Plain) for number in range(2_000)]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    spec = SupervisorSpec("", many, strategy)
    async with open_system(spec) as system, trio.open_nursery() as nursery:
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        before = turns
        await system.stop()
        assert turns - before > len(many) / 100
        nursery.cancel_scope.cancel()


async def a_former_cancellation() -> trio.Cancelled:
    kept: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as error:
            kept.append(error)
            raise
    return kept[0]


@pytest.mark.parametrize("where", ["a handler", "a handler that awaits", "a start", "a restart"])
async def test_a_cancellation_that_was_kept_is_a_crash_where_it_is_raised(where: str) -> None:
    kept = await a_former_cancellation()
    starts: list[str] = []

    class Keeping(Plain):
        @handles(Do)
        def do(self, message: Do) -> object:
            if message.is_harmless:
                return None
            raise kept if where == "a handler" else Boom

        @handles(Echo)
        async def echo(self, _message: Echo) -> str:
            raise kept

    def make() -> Keeping:
        starts.append(where)
        if (len(starts) == 1 and where == "a start") or (len(starts) == 2 and where == "a restart"):
            raise kept
        return Keeping()

    backoff = Backoff(initial=0.01, jitter=0.0)
    async with open_system(SupervisorSpec("", [SupervisorSpec("s", backoff=backoff)])) as system:
        spec = ChildSpec("0", make, Restart.TRANSIENT)
        if where == "a start":
            with pytest.raises(StartFailed, match="Cancelled"):
                await system.start_child("/s", spec)
        ref = await system.start_child("/s", spec)
        with pytest.raises((ActorCrashed, ActorStopped)):
            await ref.ask(Echo("") if where == "a handler that awaits" else Do(lambda _: None))
        await ref.ask(Do(lambda _: None, is_harmless=True), timeout=30)
        assert (2 if where == "a restart" else 1) == system.snapshot_of("/s/0").restarts


async def test_no_timer_is_set_for_what_is_no_time() -> None:
    async with running(Plain) as system:
        ref = await first(system)

        def set_timers(actor: Plain) -> int:
            refused = 0
            for work in (
                lambda: actor.ctx.send_after(float("nan"), Note("")),
                lambda: actor.ctx.set_receive_timeout(float("nan")),
                lambda: actor.ctx.set_receive_timeout(-1.0),
            ):
                try:
                    work()
                except ValueError:
                    refused += 1
            return refused

        assert 3 == await ref.ask(Do(set_timers))
