"""Groups of actors, which they leave with the life that joined."""

from __future__ import annotations

from typing import Any

import trio.testing

from command_center.runtime import ActorRef, open_system
from tests.runtime.probes import Crash, Note, Run, probe, tree


async def join(ref: ActorRef[Any], group: str) -> None:
    await ref.tell(Run(lambda ctx: ctx.join(group)))
    await trio.testing.wait_all_tasks_blocked()


async def test_members_are_found_in_the_order_in_which_they_joined() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log), probe("c", log))) as system:
        a, b = system.lookup("/a"), system.lookup("/b")
        assert () == system.members("readers")
        for ref in (b, a, b):
            await join(ref, "readers")
        assert (b, a) == system.members("readers")
        for ref in system.members("readers"):
            await ref.tell(Note("read"))
        await trio.testing.wait_all_tasks_blocked()
        assert {"a read", "b read"} == set(log[-2:])
        found: list[object] = []
        await a.tell(Run(lambda ctx: found.append(ctx.members("readers"))))
        await trio.testing.wait_all_tasks_blocked()
        await b.tell(Run(lambda ctx: ctx.leave("readers")))
        await trio.testing.wait_all_tasks_blocked()
        assert [(b, a)] == found
        assert (a,) == system.members("readers")


async def test_membership_ends_with_the_life_that_joined() -> None:
    async with open_system(tree(probe("a"), probe("b"))) as system:
        a, b = system.lookup("/a"), system.lookup("/b")
        await join(a, "readers")
        await join(b, "readers")
        await a.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert (b,) == system.members("readers")
        await system.stop_child("/b", reason="test")
        assert () == system.members("readers")
