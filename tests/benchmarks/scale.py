"""The cost of being there: bytes and start and stop time of ten thousand idle actors, snapshots.

Bytes are those that Python allocates (tracemalloc), in a run of its own, for tracing slows. Seconds
are those of the processor.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable

import attrs
import pykka
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ChildSpec,
    SupervisorSpec,
    System,
    open_system,
)


class Idle(Actor):
    pass


class PykkaIdle(pykka.ThreadingActor):
    """An idle actor in pykka."""


@attrs.frozen
class Footprint:
    """The cost of one idle thing."""

    bytes_each: float
    start_seconds: float
    stop_seconds: float


Started = Callable[[], Awaitable[None]]


class Meter:
    """Measures between two points in a run."""

    def __init__(self, count: int, *, trace: bool) -> None:
        self._count = count
        self._trace = trace
        self._began = 0.0
        self._bytes_before = 0
        self.bytes_each = 0.0
        self.start_seconds = 0.0
        self.stop_seconds = 0.0

    def starting(self) -> None:
        """Begin."""
        gc.collect()
        if self._trace:
            tracemalloc.start()
            self._bytes_before = tracemalloc.get_traced_memory()[0]
        self._began = time.process_time()

    def started(self) -> None:
        """Note that all are there."""
        self.start_seconds = time.process_time() - self._began
        gc.collect()
        if self._trace:
            after = tracemalloc.get_traced_memory()[0]
            self.bytes_each = (after - self._bytes_before) / self._count
            tracemalloc.stop()
        self._began = time.process_time()

    def stopped(self) -> None:
        """Note that all are gone."""
        self.stop_seconds = time.process_time() - self._began


def measure(run: Callable[[Meter, int], None], count: int) -> Footprint:
    """Measure time and memory in two runs."""
    timed = Meter(count, trace=False)
    run(timed, count)
    traced = Meter(count, trace=True)
    run(traced, count)
    return Footprint(traced.bytes_each, timed.start_seconds, timed.stop_seconds)


def plain_tasks(meter: Meter, count: int) -> None:
    """Start tasks of a bare trio nursery that sleep."""

    async def main() -> None:
        meter.starting()
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(trio.sleep_forever)
            await trio.testing.wait_all_tasks_blocked()
            meter.started()
            nursery.cancel_scope.cancel()
        meter.stopped()

    trio.run(main)


def tasks_with_scope_and_nursery(meter: Meter, count: int) -> None:
    """Start tasks that each have a cancel scope and a nursery, as a naive actor would."""

    async def idle() -> None:
        with trio.CancelScope():
            async with trio.open_nursery():
                await trio.sleep_forever()

    async def main() -> None:
        meter.starting()
        async with trio.open_nursery() as nursery:
            for _ in range(count):
                nursery.start_soon(idle)
            await trio.testing.wait_all_tasks_blocked()
            meter.started()
            nursery.cancel_scope.cancel()
        meter.stopped()

    trio.run(main)


def supervised_actors(meter: Meter, count: int) -> None:
    """Start dynamic children of one supervisor, each by its own `start_child`."""

    async def start(system: System, first: int, last: int) -> None:
        for number in range(first, last):
            await system.start_child("/s", ChildSpec(str(number), Idle))

    async def main() -> None:
        async with open_system(SupervisorSpec("", [SupervisorSpec("s")])) as system:
            meter.starting()
            async with trio.open_nursery() as nursery:
                for first in range(0, count, 100):
                    nursery.start_soon(start, system, first, min(first + 100, count))
            await trio.testing.wait_all_tasks_blocked()
            meter.started()
            await system.stop()
            meter.stopped()

    trio.run(main)


def pykka_actors(meter: Meter, count: int) -> None:
    """Start pykka actors, each a thread."""
    meter.starting()
    refs = [PykkaIdle.start() for _ in range(count)]
    meter.started()
    for ref in refs:
        ref.stop()
    meter.stopped()


def snapshot_seconds(count: int) -> float:
    """Take one snapshot of so many actors."""

    async def main() -> float:
        async with open_system(SupervisorSpec("", [SupervisorSpec("s")])) as system:
            for number in range(count):
                await system.start_child("/s", ChildSpec(str(number), Idle))
            began = time.process_time()
            snapshot = system.snapshot()
            took = time.process_time() - began
            if len(snapshot.actors) != count + 2:
                raise AssertionError(len(snapshot.actors))
        return took

    return trio.run(main)


@attrs.frozen
class ComingAndGoing:
    """The cost of dynamic children, in microseconds each, and the longest wait in seconds."""

    start_micros: float
    stop_micros: float
    longest: float


def dynamic_children(count: int) -> ComingAndGoing:
    """Start dynamic children one by one, and stop them together while another task runs."""

    async def main() -> ComingAndGoing:
        longest = 0.0

        async def watch() -> None:
            nonlocal longest
            before = time.process_time()
            while True:
                await trio.lowlevel.checkpoint()
                now = time.process_time()
                longest = max(longest, now - before)
                before = now

        async with open_system(SupervisorSpec("", [SupervisorSpec("s")])) as system:
            began = time.process_time()
            for number in range(count):
                await system.start_child("/s", ChildSpec(str(number), Idle))
            started = time.process_time()
            gc.collect()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(watch)
                await trio.lowlevel.checkpoint()
                ending = time.process_time()
                await system.stop_child("/s", reason="to measure it")
                ended = time.process_time()
                nursery.cancel_scope.cancel()
        return ComingAndGoing(
            (started - began) / count * 1e6, (ended - ending) / count * 1e6, longest
        )

    return trio.run(main)
