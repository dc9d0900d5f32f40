"""The cost of telling and asking: this runtime, its peers, and bare trio as the floor.

Every function sends `count` messages to something that adds them up, checks the sum, and returns
messages a second of the processor. A peer does the same work with its own idiomatic means.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pykka
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorRef,
    ChildSpec,
    Request,
    SupervisorSpec,
    handles,
    open_system,
)


class Add(msgspec.Struct, frozen=True):
    number: int


class AddAndGet(msgspec.Struct, Request[int], frozen=True):
    number: int


class Adder(Actor):
    def __init__(self) -> None:
        self.total = 0

    # Plain functions, as a handler is written that has nothing to await.

    @handles(Add)
    def add(self, message: Add) -> None:
        self.total += message.number

    @handles(AddAndGet)
    def add_and_get(self, message: AddAndGet) -> int:
        self.total += message.number
        return self.total


SPEC = SupervisorSpec("", [ChildSpec("adder", Adder)])


def rate(count: int, began: float) -> float:
    """Return messages a second of the processor since `began`."""
    return count / (time.process_time() - began)


def check(expected: int, actual: object) -> None:
    """Make sure that the work was done, or the time means nothing."""
    if actual != expected:
        raise AssertionError((expected, actual))


# Telling.


def tell_runtime(count: int) -> float:
    """Tell a supervised actor."""

    async def main() -> float:
        async with open_system(SPEC) as system:
            ref = system.lookup("/adder")
            began = time.process_time()
            for _ in range(count):
                await ref.tell(Add(1))
            check(count, await ref.ask(AddAndGet(0)))
            ended = time.process_time()
        return count / (ended - began)

    return trio.run(main)


class PykkaAdder(pykka.ThreadingActor):
    """The same actor in pykka, which gives each actor a thread."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def on_receive(self, message: object) -> int:
        """Add one message."""
        if isinstance(message, Add | AddAndGet):
            self.total += message.number
        return self.total


def tell_pykka(count: int) -> float:
    """Tell a pykka actor."""
    ref = PykkaAdder.start()
    try:
        began = time.process_time()
        for _ in range(count):
            ref.tell(Add(1))
        check(count, ref.ask(AddAndGet(0)))
        return rate(count, began)
    finally:
        ref.stop()


def tell_memory_channel(count: int) -> float:
    """Send through a bare trio memory channel."""

    async def main() -> float:
        send, receive = trio.open_memory_channel[Add](1000)
        total = 0

        async def work() -> None:
            nonlocal total
            async for message in receive:
                total += message.number

        began = time.process_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            async with send:
                for _ in range(count):
                    await send.send(Add(1))
        check(count, total)
        return rate(count, began)

    return trio.run(main)


def tell_bare(count: int) -> float:
    """Append to a deque of a trio task that sleeps in a parking lot: the floor."""

    async def main() -> float:
        queue: deque[Add] = deque()
        lot = trio.lowlevel.ParkingLot()
        total = 0

        async def work() -> None:
            nonlocal total
            while total < count:
                while queue:
                    total += queue.popleft().number
                if total < count:
                    await lot.park()

        began = time.process_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            for number in range(count):
                queue.append(Add(1))
                if lot:
                    lot.unpark()
                if number % 1000 == 0:
                    await trio.lowlevel.checkpoint()
        check(count, total)
        return rate(count, began)

    return trio.run(main)


def tell_asyncio_queue(count: int) -> float:
    """Put into an asyncio queue."""

    async def main() -> float:
        queue: asyncio.Queue[Add] = asyncio.Queue(1000)
        total = 0

        async def work() -> None:
            nonlocal total
            while total < count:
                total += (await queue.get()).number

        worker = asyncio.create_task(work())
        began = time.process_time()
        for _ in range(count):
            await queue.put(Add(1))
        await worker
        check(count, total)
        return rate(count, began)

    return asyncio.run(main())


# Asking.


def ask_runtime(count: int, askers: int = 1) -> float:
    """Ask a supervised actor, from so many tasks at once."""

    async def ask_some(ref: ActorRef[Any]) -> None:
        for _ in range(count // askers):
            await ref.ask(AddAndGet(1))

    async def main() -> float:
        async with open_system(SPEC) as system:
            ref = system.lookup("/adder")
            began = time.process_time()
            async with trio.open_nursery() as nursery:
                for _ in range(askers):
                    nursery.start_soon(ask_some, ref)
            check(count // askers * askers, await ref.ask(AddAndGet(0)))
            ended = time.process_time()
        return count / (ended - began)

    return trio.run(main)


def ask_pykka(count: int) -> float:
    """Ask a pykka actor."""
    ref = PykkaAdder.start()
    try:
        began = time.process_time()
        for _ in range(count):
            ref.ask(AddAndGet(1))
        check(count, ref.ask(AddAndGet(0)))
        return rate(count, began)
    finally:
        ref.stop()


def ask_memory_channel(count: int) -> float:
    """Send a request through a bare trio channel and wait for its event."""

    async def main() -> float:
        send, receive = trio.open_memory_channel[tuple[int, list[int], trio.Event]](1000)
        total = 0

        async def work() -> None:
            nonlocal total
            async for number, answer, done in receive:
                total += number
                answer.append(total)
                done.set()

        began = time.process_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            async with send:
                for _ in range(count):
                    answer: list[int] = []
                    done = trio.Event()
                    await send.send((1, answer, done))
                    await done.wait()
        check(count, total)
        return rate(count, began)

    return trio.run(main)


def ask_bare(count: int, askers: int = 1) -> float:
    """Append to a deque and park until a bare trio task answers, with no timeout: the floor."""

    async def main() -> float:
        queue: deque[tuple[int, list[int], trio.lowlevel.ParkingLot]] = deque()
        lot = trio.lowlevel.ParkingLot()
        total = 0

        async def work() -> None:
            nonlocal total
            while total < count // askers * askers:
                while queue:
                    number, answer, asker = queue.popleft()
                    total += number
                    answer.append(total)
                    asker.unpark()
                if total < count // askers * askers:
                    await lot.park()

        async def ask_some() -> None:
            asker = trio.lowlevel.ParkingLot()
            for _ in range(count // askers):
                queue.append((1, [], asker))
                if lot:
                    lot.unpark()
                await asker.park()

        began = time.process_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(work)
            for _ in range(askers):
                nursery.start_soon(ask_some)
        check(count // askers * askers, total)
        return rate(count, began)

    return trio.run(main)


def ask_asyncio_queue(count: int, askers: int = 1, *, timeout: bool = False) -> float:
    """Put a request with its future into an asyncio queue, from so many tasks at once.

    An ask of the runtime always has a timeout; here it is a choice, for it costs the peer much.
    """

    async def main() -> float:
        queue: asyncio.Queue[tuple[int, asyncio.Future[int]]] = asyncio.Queue(1000)
        loop = asyncio.get_running_loop()
        total = 0

        async def work() -> None:
            nonlocal total
            while True:
                number, future = await queue.get()
                total += number
                future.set_result(total)

        async def ask_some() -> None:
            for _ in range(count // askers):
                future: asyncio.Future[int] = loop.create_future()
                await queue.put((1, future))
                if timeout:
                    await asyncio.wait_for(future, 10.0)
                else:
                    await future

        worker = asyncio.create_task(work())
        began = time.process_time()
        await asyncio.gather(*(ask_some() for _ in range(askers)))
        worker.cancel()
        check(count // askers * askers, total)
        return rate(count, began)

    return asyncio.run(main())


def switch_bare(count: int) -> float:
    """Have two bare trio tasks wake each other: the floor of an ask, which has to do that."""

    async def main() -> float:
        asker = trio.lowlevel.current_task()
        answerers: list[trio.lowlevel.Task] = []

        async def answer() -> None:
            answerers.append(trio.lowlevel.current_task())
            while True:
                await trio.lowlevel.wait_task_rescheduled(_abort)
                trio.lowlevel.reschedule(asker)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            await trio.testing.wait_all_tasks_blocked()
            (answerer,) = answerers
            began = time.process_time()
            for _ in range(count):
                trio.lowlevel.reschedule(answerer)
                await trio.lowlevel.wait_task_rescheduled(_abort)
            result = rate(count, began)
            nursery.cancel_scope.cancel()
        return result

    return trio.run(main)


def _abort(_raise_cancel: object) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.SUCCEEDED


def in_turns(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Measure one after the other, round by round; return the best of each.

    So what disturbs the machine for a while disturbs all of them. Each round begins with another.
    The best of the rounds is the one that was disturbed least.
    """
    names = list(measures)
    found: dict[str, float] = dict.fromkeys(names, 0.0)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            found[name] = max(found[name], measures[name]())
    return found
