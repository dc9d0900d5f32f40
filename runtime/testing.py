"""A kit for tests of actors: a system under test, its signals, probes, and time that costs none.

It needs no test runner. Under pytest, pytest-trio runs such tests, and its `autojump_clock` lets
time pass as `run` does here::

    async def test_a_counter_begins_anew_after_a_crash() -> None:
        async with system_under_test(ChildSpec("counter", Counter)) as it:
            counter = it.system.lookup("/counter")
            await counter.ask(Add(2))
            await it.crash(counter)
            await it.expect(Restarted, path="/counter")
            assert 1 == await counter.ask(Add(1))
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, TypeVarTuple

import trio
import trio.testing

from command_center.runtime.actor import Actor
from command_center.runtime.cell import Cell
from command_center.runtime.errors import ActorStopped, Refusal
from command_center.runtime.handlers import handles
from command_center.runtime.messages import Request
from command_center.runtime.monitors import Down
from command_center.runtime.ref import ActorRef, target_of
from command_center.runtime.signals import Signal
from command_center.runtime.specs import Backoff, ChildSpec, Restart, SupervisorSpec
from command_center.runtime.system import System, open_system

Args = TypeVarTuple("Args")
Result = TypeVar("Result")
MessageT = TypeVar("MessageT")
SignalT = TypeVar("SignalT", bound=Signal)

AT_ONCE = Backoff(initial=0.0, jitter=0.0)
"""A restart without a wait."""


class Planted(Exception):
    """The error of an actor that a test crashed."""


def run(main: Callable[[*Args], Awaitable[Result]], *args: *Args) -> Result:
    """Run an async function with a clock that jumps to the next deadline while all tasks wait.

    So time costs none, and nothing comes earlier than it would. Not for what waits for another
    process or a thread, of which the clock knows nothing.
    """
    return trio.run(main, *args, clock=trio.testing.MockClock(autojump_threshold=0))


class SystemUnderTest:
    """A running system, and what it has signalled. Made by `system_under_test`.

    Each wait ends with an `AssertionError` that says what came instead. `within` is in seconds.
    """

    def __init__(self, system: System, signals: _Heard) -> None:
        self.system = system
        self._signals = signals

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Return all signals since the start, the expected ones included."""
        return tuple(self._signals.all)

    async def expect(self, kind: type[SignalT], *, within: float = 5.0, **facts: object) -> SignalT:
        """Wait for a signal of this kind with these facts, and return it.

        Each call begins behind the signal that the last one returned, so the order is told.
        """
        return await self._signals.expect(kind, facts, within)

    async def settle(self) -> None:
        """Wait until every task of the system waits for something."""
        await trio.testing.wait_all_tasks_blocked()

    async def crash(self, ref: ActorRef[Any], error: Exception | None = None) -> None:
        """Crash an actor as a background task of it would, and wait for the end of that life.

        Raises:
            ActorStopped: it does not run.
        """
        cell = target_of(ref)
        life = cell.life if isinstance(cell, Cell) else None
        if not isinstance(cell, Cell) or life is None or not life.is_running:
            raise ActorStopped(ref.path, "crash", 0.0, "not running")
        ended = cell.ended
        life.fail(error or Planted())
        await ended.wait()

    async def down_of(self, ref: ActorRef[Any], *, within: float = 5.0) -> Down:
        """Wait for the death of an actor or a supervisor, and return how it came."""
        with trio.move_on_after(within):
            return await ref.wait_dead()
        raise AssertionError(f"{ref.path} is not dead after {within} s.")

    async def probe(self, id: str, *, under: str = "/") -> ActorProbe:  # noqa: A002 - as specs say
        """Start an actor that stands in for a neighbour, takes every message, and shows it."""
        probe = ActorProbe()
        spec = ChildSpec(id, lambda: _Ear(probe), restart=Restart.TEMPORARY)
        probe.ref = await self.system.start_child(under, spec)
        return probe


@asynccontextmanager
async def system_under_test(
    *children: ChildSpec | SupervisorSpec,
    backoff: Backoff = AT_ONCE,
    **options: Any,
) -> AsyncIterator[SystemUnderTest]:
    """Run a system with these children, which are restarted without a wait.

    A single supervisor with an empty id is the root itself. `options` are those of `open_system`.
    """
    root = children[0] if children and isinstance(children[0], SupervisorSpec) else None
    if root is None or root.id:
        root = SupervisorSpec("", children, backoff=backoff)
    signals = _Heard()
    options.setdefault("seed", 0)
    async with open_system(root, on_signal=signals.hear, **options) as system:
        yield SystemUnderTest(system, signals)


class _Heard:
    """Things that were heard, in order, with a mark before those that were not expected yet."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._next = 0
        self._came = trio.Event()

    def hear(self, thing: object) -> None:
        self.all.append(thing)
        self._came.set()

    async def expect(
        self, kind: type[MessageT], facts: dict[str, object], within: float
    ) -> MessageT:
        begin = self._next
        with trio.move_on_after(within):
            while True:
                while self._next < len(self.all):
                    thing = self.all[self._next]
                    self._next += 1
                    if isinstance(thing, kind) and all(
                        getattr(thing, name) == value for name, value in facts.items()
                    ):
                        return thing
                self._came = trio.Event()
                await self._came.wait()
        came = self.all[begin:]
        self._next = begin
        wanted = ", ".join(f"{name}={value!r}" for name, value in facts.items())
        raise AssertionError(f"No {kind.__name__}({wanted}) came within {within} s, but {came!r}.")


class ActorProbe:
    """An actor that stands in for a neighbour of those under test. Made by `probe`."""

    ref: ActorRef[Any]

    def __init__(self) -> None:
        self._heard = _Heard()
        self.replies: dict[type[Request[Any]], object] = {}
        """The answer to requests of each type: a reply, or a `Refusal`."""

    @property
    def messages(self) -> tuple[object, ...]:
        """Return all messages that it got."""
        return tuple(self._heard.all)

    def hear(self, message: object) -> None:
        """Take a message."""
        self._heard.hear(message)

    async def expect(
        self, kind: type[MessageT], *, within: float = 5.0, **facts: object
    ) -> MessageT:
        """Wait for a message of this type with these facts, and return it.

        Each call begins behind the message that the last one returned.
        """
        return await self._heard.expect(kind, facts, within)

    def answer(self, kind: type[Request[Result]], reply: Result | Refusal) -> None:
        """Answer requests of this type from now on. Until then, their askers wait."""
        self.replies[kind] = reply


class _Ear(Actor):
    def __init__(self, probe: ActorProbe) -> None:
        self._probe = probe

    @handles(Request)
    def asked(self, message: Request[Any]) -> Any:
        self._probe.hear(message)
        try:
            reply = self._probe.replies[type(message)]
        except KeyError:
            return self.ctx.defer()
        if isinstance(reply, Refusal):
            raise reply
        return reply

    @handles(object)
    def told(self, message: object) -> None:
        self._probe.hear(message)
