"""Release of what an actor held: as soon as it is over, and not when Python collects garbage."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import trio

from command_center.runtime import (
    ActorCrashed,
    ActorRef,
    AskTimeout,
    ChildSpec,
    Intensity,
    Restart,
    StartFailed,
    System,
    handles,
    open_system,
)
from tests.runtime.probes import (
    AskedCrash,
    Boom,
    Crash,
    Echo,
    Later,
    NoSuchThing,
    Note,
    Probe,
    Refuse,
    branch,
    tree,
)


class File:
    """Something that a handler holds, such as an open file."""


held: list[weakref.ref[File]] = []


def hold() -> File:
    file = File()
    held.append(weakref.ref(file))
    return file


class Holds(Probe):
    """Holds something in a local variable wherever it fails."""

    fails_at_start = False

    async def on_start(self) -> None:
        if self.fails_at_start:
            file = hold()
            raise Boom(id(file))

    @handles(Crash)
    async def crash(self, _message: Crash) -> None:
        file = hold()
        raise Boom(id(file))

    @handles(AskedCrash)
    async def asked_crash(self, _message: AskedCrash) -> None:
        file = hold()
        raise Boom(id(file))

    @handles(Refuse)
    async def refuse(self, _message: Refuse) -> None:
        file = hold()
        raise NoSuchThing(id(file))

    @handles(Note)
    async def note(self, _message: Note) -> None:  # type: ignore[override]
        self.ctx.start_task(self.fail)

    async def fail(self) -> None:
        file = hold()
        raise Boom(id(file))


class FailsAtStart(Holds):
    fails_at_start = True


@pytest.fixture(autouse=True)
def _no_collection() -> Iterator[None]:
    held.clear()
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def is_freed() -> bool:
    return held != [] and all(file() is None for file in held)


async def until_freed() -> None:
    """Wait until nothing is held; what only a collection would free is held for ever."""
    with trio.fail_after(10):
        while not is_freed():  # noqa: ASYNC110 - nobody is told
            await trio.sleep(0.005)


@pytest.mark.parametrize("message", [Crash(), Note("a task that fails")], ids=["handler", "task"])
async def test_a_crash_that_is_restarted(message: object) -> None:
    async with open_system(tree(ChildSpec("a", Holds))) as system:
        await system.lookup("/a").tell(message)
        await until_freed()


async def test_a_crash_that_is_the_end() -> None:
    async with open_system(tree(branch("s", []))) as system:
        ref = await system.start_child("/s", ChildSpec("a", Holds, restart=Restart.TEMPORARY))
        await ref.tell(Crash())
        await ref.wait_dead()
        await trio.testing.wait_all_tasks_blocked()
        await until_freed()


async def test_a_crash_that_is_quarantined() -> None:
    spec = tree(ChildSpec("a", Holds), quarantine=True, intensity=Intensity(0, 10.0))
    async with open_system(spec) as system:
        await system.lookup("/a").tell(Crash())
        await until_freed()


async def test_a_crash_that_restarts_a_supervisor() -> None:
    spec = tree(branch("s", [ChildSpec("a", Holds)], intensity=Intensity(0, 10.0)))
    async with open_system(spec) as system:
        await system.lookup("/s/a").tell(Crash())
        await until_freed()


async def ask(ref: ActorRef[Any], request: Any, error: type[Exception]) -> None:
    try:
        await ref.ask(request, timeout=5.0)
    except error:
        return
    pytest.fail("it was answered")


async def test_an_answer_that_is_an_error_or_a_refusal() -> None:
    async with open_system(tree(ChildSpec("a", Holds))) as system:
        ref = system.lookup("/a")
        await ask(ref, Refuse(), NoSuchThing)
        await until_freed()
        await ask(ref, AskedCrash(), ActorCrashed)
        assert "hi" == await ref.ask(Echo("hi"))
        await until_freed()


async def test_an_ask_that_is_too_late(autojump_clock: trio.testing.MockClock) -> None:
    async def late(ref: ActorRef[Any]) -> None:
        file = hold()
        await ask(ref, Later(), AskTimeout)
        assert held[0]() is file

    async with open_system(tree(ChildSpec("a", Holds))) as system:
        await late(system.lookup("/a"))
        await until_freed()


async def test_a_start_that_fails() -> None:
    async def start(system: System) -> None:
        try:
            await system.start_child("/s", ChildSpec("a", FailsAtStart))
        except StartFailed:
            return
        pytest.fail("it has started")

    async with open_system(tree(branch("s", []))) as system:
        await start(system)
        await trio.testing.wait_all_tasks_blocked()
        await until_freed()
