"""Errors, wishes to end and stale handles: one harms no other, and nothing hangs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from command_center.runtime import (
    ActorCrashed,
    ActorNotFound,
    ActorStopped,
    Backoff,
    ChildSpec,
    Context,
    Intensity,
    InvalidSpec,
    Restart,
    Signal,
    Strategy,
    SupervisorSpec,
    handles,
    open_system,
)
from command_center.runtime.signals import Crashed
from tests.runtime.probes import AskedCrash, Crash, Echo, Note, Probe, Run, branch, probe, tree


class Unspeakable(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise ValueError("no words")


@attrs.frozen
class Raise:
    error: BaseException


async def hold_out(taken: trio.Event, gate: trio.Event) -> None:
    """Go on until the gate is open, cancelled or not."""
    taken.set()
    while not gate.is_set():
        try:
            with trio.CancelScope(shield=True):
                await gate.wait()
        except trio.Cancelled:
            continue


class Raises(Probe):
    """Raises what it is told to, at the place that it is told."""

    def __init__(self, log: list[str], at_stop: BaseException | None = None) -> None:
        super().__init__(log, "raises")
        self.at_stop = at_stop

    @handles(Raise)
    async def raise_it(self, message: Raise) -> None:
        raise message.error

    async def on_stop(self) -> None:
        await super().on_stop()
        if self.at_stop is not None:
            raise self.at_stop


ENDS = pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])


@ENDS
@pytest.mark.parametrize("is_dynamic", [False, True])
async def test_a_wish_to_end_stops_everybody_in_order_and_is_raised_where_it_was_opened(
    kind: type[BaseException], *, is_dynamic: bool
) -> None:
    log: list[str] = []
    raises = ChildSpec("raises", lambda: Raises(log))
    spec = tree(probe("first", log), branch("many", []), raises, probe("last", log))
    with trio.fail_after(5), pytest.raises(kind):
        async with open_system(spec) as system:
            if is_dynamic:
                await system.start_child("/many", probe("one", log))
            log.clear()
            await system.lookup("/raises").tell(Raise(kind()))
            await trio.sleep_forever()
    stops = ["raises stop", "last stop", *(["one stop"] if is_dynamic else []), "first stop"]
    assert sorted(stops) == sorted(log)
    assert log[-1] == "first stop"


@ENDS
async def test_so_does_one_of_a_background_task_and_of_on_stop(kind: type[BaseException]) -> None:
    async def wish() -> None:
        raise kind

    log: list[str] = []
    with trio.fail_after(5), pytest.raises(kind):
        async with open_system(tree(probe("a", log), probe("b", log))) as system:
            log.clear()
            await system.lookup("/b").tell(Run(lambda ctx: ctx.start_task(wish)))
            await trio.sleep_forever()
    assert log == ["b stop", "a stop"]
    raises = ChildSpec("raises", lambda: Raises(log, at_stop=kind()))
    with trio.fail_after(5), pytest.raises(kind):
        async with open_system(tree(probe("a", log), raises)):
            log.clear()
    assert log == ["raises stop", "a stop"]


class Odd(BaseException):
    """An exception that is no error, of somebody's own."""


async def test_so_does_one_that_comes_out_of_a_nursery_and_one_of_somebodys_own() -> None:
    class Nests(Probe):
        @handles(Note)
        async def note(self, _message: Note) -> None:  # type: ignore[override]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                raise SystemExit(4)

    log: list[str] = []
    spec = tree(probe("a", log), ChildSpec("nests", lambda: Nests(log, "nests")))
    with trio.fail_after(5), pytest.raises(BaseExceptionGroup) as caught:
        async with open_system(spec) as system:
            log.clear()
            await system.lookup("/nests").tell(Note("now"))
            await trio.sleep_forever()
    assert caught.group_contains(SystemExit)
    assert log == ["nests stop", "a stop"]
    raises = ChildSpec("raises", lambda: Raises(log))
    with trio.fail_after(5), pytest.raises(Odd):
        async with open_system(tree(probe("a", log), raises)) as system:
            log.clear()
            await system.lookup("/raises").tell(Raise(Odd()))
            await trio.sleep_forever()
    assert log == ["raises stop", "a stop"]


@ENDS
async def test_one_while_the_system_starts_is_raised_when_all_are_stopped(
    kind: type[BaseException],
) -> None:
    log: list[str] = []

    class Ends(Probe):
        async def on_start(self) -> None:
            raise kind

    with trio.fail_after(5), pytest.raises(kind):
        async with open_system(tree(probe("a", log), ChildSpec("ends", lambda: Ends(log)))):
            pytest.fail("it has started")
    assert log == ["a start", "a stop"]


async def test_an_old_handle_stops_nobody_who_took_its_place() -> None:
    async with open_system(tree(branch("many", []))) as system:
        old = await system.start_child("/many", probe("one"))
        await system.stop_child("/many/one", reason="test")
        new = await system.start_child("/many", probe("one"))
        await system.start_child("/many", probe("other"))
        asked = await system.start_child("/many", probe("asks"))
        done = trio.Event()

        async def stop_old(ctx: Any) -> None:
            await ctx.stop_child(old)
            done.set()

        await asked.tell(Run(lambda ctx: ctx.start_task(stop_old, ctx)))
        with trio.fail_after(2):
            await done.wait()
        assert system.lookup("/many/one") is new
        assert "hi" == await new.ask(Echo("hi"))


@pytest.mark.parametrize("redact", [None, lambda text: text / 0])
async def test_an_error_that_cannot_be_told_is_told_by_its_type(
    redact: Callable[[str], str] | None,
) -> None:
    signals: list[Signal] = []
    spec = tree(ChildSpec("raises", lambda: Raises([])), probe("other"))
    async with open_system(spec, redact=redact, on_signal=signals.append) as system:
        with pytest.raises(ActorCrashed, match="Boom"):
            await system.lookup("/raises").ask(AskedCrash())
        await system.lookup("/raises").tell(Raise(Unspeakable()))
        while len([signal for signal in signals if isinstance(signal, Crashed)]) < 2:  # noqa: ASYNC110 - it is told of
            await trio.sleep(0.01)
        assert "hi" == await system.lookup("/other").ask(Echo("hi"))
        shown = system.snapshot_of("/raises").last_error
        assert "Unspeakable" == shown


async def test_an_actor_that_is_linked_to_itself_ends_as_any() -> None:
    async with open_system(tree(probe("one"))) as system:
        one = system.lookup("/one")
        await one.tell(Run(lambda ctx: ctx.link(ctx.ref)))
        await one.tell(Crash())
        assert "hi" == await one.ask(Echo("hi"))
        await system.stop_child("/one", reason="test")
        assert one.is_dead


async def test_an_actor_that_stops_itself_as_a_child_ends_after_its_message_and_for_good() -> None:
    log: list[str] = []
    async with open_system(tree(branch("many", []))) as system:
        one = await system.start_child("/many", probe("one", log))
        done = trio.Event()

        async def stop_me(ctx: Any) -> None:
            await ctx.stop_child(ctx.ref)
            done.set()

        class Stops(Probe):
            @handles(Note)
            async def note(self, _message: Note) -> None:  # type: ignore[override]
                await stop_me(self.ctx)
                self.write("after")

        two = await system.start_child("/many", ChildSpec("two", lambda: Stops(log, "two")))
        with trio.fail_after(1):  # and not three quarters of its deadline
            await two.tell(Note("stop"))
            await done.wait()
            while not two.is_dead:  # noqa: ASYNC110 - it is told nobody
                await trio.sleep(0.01)
        assert ["two after", "two stop"] == log[-2:]
        with pytest.raises(ActorNotFound):
            system.lookup("/many/two")
        assert not one.is_dead


async def test_one_that_was_given_up_and_ended_after_all_is_not_held_against_the_system() -> None:
    stuck: list[tuple[str, ...]] = []
    taken, gate = trio.Event(), trio.Event()

    class Holds(Probe):
        @handles(Note)
        async def note(self, _message: Note) -> None:  # type: ignore[override]
            await hold_out(taken, gate)

    spec = tree(ChildSpec("holds", Holds, shutdown=0.1), probe("other"))
    async with open_system(spec, on_stuck=lambda paths: stuck.append(tuple(paths))) as system:
        await system.lookup("/holds").tell(Note("hold"))
        await taken.wait()
        with trio.fail_after(10):
            await system.stop_child("/holds", reason="test")
        assert ["/holds"] == system.abandoned
        gate.set()
        while system.abandoned:  # noqa: ASYNC110 - it is told nobody
            await trio.sleep(0.01)
    assert [] == stuck


BONDS: dict[str, Callable[[Context], object]] = {
    "send_after": lambda ctx: ctx.send_after(1.0, Note("late")),
    "send_every": lambda ctx: ctx.send_every(1.0, Note("late")),
    "join": lambda ctx: ctx.join("readers"),
    "monitor": lambda ctx: ctx.monitor(ctx.lookup("/other")),
    "link": lambda ctx: ctx.link(ctx.lookup("/other")),
    "start_task": lambda ctx: ctx.start_task(trio.sleep_forever),
}


@pytest.mark.parametrize("bond", BONDS)
async def test_a_life_that_was_given_up_begins_nothing_that_outlives_it(
    autojump_clock: trio.testing.MockClock, bond: str
) -> None:
    taken, gate = trio.Event(), trio.Event()
    refused: list[str] = []

    class Holds(Probe):
        @handles(Note)
        async def note(self, _message: Note) -> None:  # type: ignore[override]
            await hold_out(taken, gate)
            try:
                BONDS[bond](self.ctx)
            except ActorStopped as error:
                refused.append(error.target)

    log: list[str] = []
    spec = tree(ChildSpec("holds", Holds, shutdown=0.1), probe("other", log))
    async with open_system(spec) as system:
        await system.lookup("/holds").tell(Note("hold"))
        await taken.wait()
        with trio.fail_after(10):
            await system.stop_child("/holds", reason="test")
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert [] == system.abandoned
        assert ["/holds"] == refused
        assert ((), 0) == (system.members("readers"), len(system._tree.deadlines))


async def test_a_timeout_that_is_no_number_is_refused_and_nothing_is_sent() -> None:
    log: list[str] = []
    async with open_system(tree(probe("one", log))) as system:
        with pytest.raises(ValueError, match="must be a number"):
            await system.lookup("/one").ask(Echo("hi"), timeout=math.nan)
        assert "hi" not in " ".join(log)


async def test_what_is_no_spec_of_a_child_is_not_started() -> None:
    async with open_system(tree(branch("many", []))) as system:
        for spec in ("nothing", SupervisorSpec("")):
            with pytest.raises(InvalidSpec, match="only a spec with an id"):
                await system.start_child("/many", spec)  # type: ignore[arg-type]
        assert ["/", "/many"] == sorted(system.paths)


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 7},
        {"start": "no function"},
        {"restart": "permanent"},
        {"mailbox": "many"},
        {"shutdown": "soon"},
        {"backoff": 1.0},
        {"contract": None},
        {"significant": "yes"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_each_field_of_a_child_spec_is_checked(fields: dict[str, Any]) -> None:
    (name,) = fields
    with pytest.raises(InvalidSpec, match=f"{name} must be"):
        ChildSpec(**{"id": "one", "start": Probe, **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"strategy": "one_for_one"},
        {"intensity": 3},
        {"backoff": None},
        {"restart": "permanent"},
        {"quarantine": 1},
        {"contract": 0},
        {"auto_shutdown": "never"},
        {"significant": 1},
        {"children": ["one"]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_each_field_of_a_supervisor_spec_is_checked(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidSpec, match="must be"):
        SupervisorSpec(**{"id": "one", **fields})
    assert (
        SupervisorSpec(
            "one", strategy=Strategy.ONE_FOR_ALL, intensity=Intensity(), backoff=Backoff()
        ).restart
        is Restart.PERMANENT
    )
