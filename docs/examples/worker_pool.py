"""A pool of workers: one actor hands requests on, and a worker that crashes is started again.

Prints::

    1 4 9 16 25
    the worker crashed: ZeroDivisionError
    36, so the pool goes on
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import attrs
import trio

from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorRef,
    Address,
    ChildSpec,
    Deferred,
    Request,
    SupervisorSpec,
    handles,
    open_system,
)

WORKERS = 3


@attrs.frozen
class Square(Request[int]):
    number: int


class Worker(Actor):
    """Does the work; what it does not survive costs one request and one restart."""

    @handles(Square)
    async def square(self, message: Square) -> int:
        await trio.sleep(0.01)
        if message.number == 0:
            raise ZeroDivisionError
        return message.number**2


class Pool(Actor):
    """Hands each request to the next worker, which answers it: the pool itself waits for none."""

    workers: Iterator[ActorRef[Square]]

    async def on_start(self) -> None:
        paths: list[Address[Square]] = [Address(f"/workers/{n}") for n in range(WORKERS)]
        self.workers = cycle([self.ctx.lookup(path) for path in paths])

    @handles(Square)
    def hand_on(self, message: Square) -> Deferred[int]:
        return self.ctx.forward(next(self.workers), message)


POOL: Address[Square] = Address("/pool")

SPEC = SupervisorSpec(
    "",
    [
        SupervisorSpec("workers", [ChildSpec(str(n), Worker) for n in range(WORKERS)]),
        ChildSpec("pool", Pool),
    ],
)


async def main() -> None:
    async with open_system(SPEC) as system:
        pool = system.lookup(POOL)
        results: dict[int, int] = {}

        async def ask(number: int) -> None:
            results[number] = await pool.ask(Square(number))

        async with trio.open_nursery() as nursery:
            for number in range(1, 6):
                nursery.start_soon(ask, number)
        print(*(results[number] for number in sorted(results)))
        try:
            await pool.ask(Square(0))
        except ActorCrashed as crashed:
            print("the worker crashed:", type(crashed.error).__name__)
        print(f"{await pool.ask(Square(6))}, so the pool goes on")


if __name__ == "__main__":
    trio.run(main)
