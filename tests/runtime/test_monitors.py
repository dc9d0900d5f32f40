"""Monitors: each is told once of a death, and ends with the life that set it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import trio
import trio.testing

from command_center.runtime import (
    ActorRef,
    ChildSpec,
    Context,
    Down,
    Intensity,
    Restart,
    handles,
    open_system,
)
from tests.runtime.probes import Boom, Crash, Echo, Leave, Note, Probe, Run, branch, probe, tree


async def do(ref: ActorRef[Any], work: Callable[[Context], object]) -> None:
    """Run something inside an actor, and wait until it is done."""
    await ref.tell(Run(work))
    await trio.testing.wait_all_tasks_blocked()


async def test_a_monitor_is_told_of_a_death() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a", restart=Restart.TEMPORARY))) as system:
        target = system.lookup("/a")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        await target.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["w start", "w down /a crashed"]


async def test_a_monitor_is_told_at_once_of_one_that_is_dead_already() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a", restart=Restart.TEMPORARY))) as system:
        target = system.lookup("/a")
        await target.tell(Leave())
        await trio.testing.wait_all_tasks_blocked()
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        assert log == ["w start", "w down /a normal"]


async def test_a_restart_is_not_a_death() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a"))) as system:
        target = system.lookup("/a")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        await target.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        await system.restart("/a", reason="test")
        assert log == ["w start"]
        assert not target.is_dead


async def test_a_quarantine_is_told_to_monitors() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a"), quarantine=True)) as system:
        target = system.lookup("/a")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        for _ in range(4):
            await target.tell(Crash())
            await trio.testing.wait_all_tasks_blocked()
        assert log == ["w start", "w down /a quarantined"]
        assert target.is_dead


async def test_monitors_of_all_beneath_a_quarantined_supervisor_are_told() -> None:
    log: list[str] = []
    inner = branch("s", [probe("a"), probe("b")], intensity=Intensity(0, 10.0))
    spec = tree(probe("w", log), inner, quarantine=True, intensity=Intensity(0, 10.0))
    async with open_system(spec) as system:
        early, late = system.lookup("/s/a"), system.lookup("/s/b")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(early))
        await early.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(late))
        assert log == ["w start", "w down /s/a quarantined", "w down /s/b quarantined"]


async def test_a_monitor_that_was_taken_back_is_told_nothing() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a"))) as system:
        target = system.lookup("/a")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        await do(system.lookup("/w"), lambda ctx: ctx.demonitor(target))
        await system.stop_child("/a", reason="test")
        assert log == ["w start"]


async def test_a_monitor_is_told_even_if_its_mailbox_is_full() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log, mailbox=1), probe("a"))) as system:
        target = system.lookup("/a")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(target))
        system.suspend("/w", reason="test")
        await system.lookup("/w").tell(Note("fills it"))
        await system.stop_child("/a", reason="test")
        system.resume("/w", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["w start", "w fills it", "w down /a shutdown"]


async def test_a_monitor_ends_with_the_life_that_set_it() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a"), probe("b"))) as system:
        a, b, watcher = system.lookup("/a"), system.lookup("/b"), system.lookup("/w")
        await do(watcher, lambda ctx: ctx.monitor(a))
        await watcher.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        await do(watcher, lambda ctx: ctx.monitor(b))
        log.clear()
        await system.stop_child("/a", reason="test")
        await system.stop_child("/b", reason="test")
        assert "end" == await watcher.ask(Echo("end"))
        assert ["w down /b shutdown", "w end"] == log


async def test_a_notice_that_its_life_has_not_taken_is_withdrawn_with_it() -> None:
    log: list[str] = []
    async with open_system(tree(probe("w", log), probe("a"))) as system:
        target, watcher = system.lookup("/a"), system.lookup("/w")
        await do(watcher, lambda ctx: ctx.monitor(target))
        system.suspend("/w", reason="test")
        await watcher.tell(Note("before"))
        await system.stop_child("/a", reason="test")
        await watcher.tell(Note("after"))
        await system.restart("/w", reason="test")
        log.clear()
        system.resume("/w", reason="test")
        assert "end" == await watcher.ask(Echo("end"))
        assert ["w before", "w after", "w end"] == log
        totals = system.totals()
        assert totals.sent == totals.handled + totals.lost + totals.dead


async def test_a_dead_watcher_is_kept_by_nobody() -> None:
    async with open_system(tree(branch("many", []), probe("a"))) as system:
        target = system.lookup("/a")

        async def watch() -> weakref.ref[ActorRef[Any]]:
            ref = await system.start_child("/many", probe("w", restart=Restart.TEMPORARY))
            await do(ref, lambda ctx: ctx.monitor(target))
            await ref.tell(Leave())
            await ref.wait_dead()
            return weakref.ref(ref)

        dead = await watch()
        with trio.fail_after(10):
            while dead() is not None:
                gc.collect()
                await trio.sleep(0.005)
        assert not target.is_dead


async def test_a_monitor_is_told_what_the_other_died_of() -> None:
    errors: list[BaseException | None] = []

    class Watches(Probe):
        @handles(Down)
        async def down(self, message: Down) -> None:
            errors.append(message.error)

    async with open_system(
        tree(ChildSpec("w", Watches), probe("a", restart=Restart.TEMPORARY), probe("b"))
    ) as system:
        for path, message in (("/a", Crash()), ("/b", None)):
            target = system.lookup(path)
            await do(system.lookup("/w"), lambda ctx, target=target: ctx.monitor(target))  # type: ignore[misc]
            if message is not None:
                await target.tell(message)
            else:
                await system.stop_child(path, reason="test")
            await target.wait_dead()
        await system.lookup("/w").ask(Echo("end"))
        assert [Boom, type(None)] == [type(error) for error in errors]


async def test_who_waits_for_a_death_is_told_how_it_was() -> None:
    async with open_system(tree(probe("a"), probe("b"), probe("c"))) as system:
        a, b, c = (system.lookup(path) for path in ("/a", "/b", "/c"))
        downs: list[Down] = []

        async def wait(ref: ActorRef[Any]) -> None:
            downs.append(await ref.wait_dead())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait, a)
            nursery.start_soon(wait, b)
            await trio.testing.wait_all_tasks_blocked()
            await system.stop_child("/a", reason="test")
            await trio.testing.wait_all_tasks_blocked()
            assert ["/a"] == [down.path for down in downs]
            await b.tell(Crash())  # it is started again, so that is no death
            await b.ask(Echo("hi"))
            await trio.testing.wait_all_tasks_blocked()
            assert 1 == len(downs)
            await system.stop_child("/b", reason="test")
        assert Down("/a", "shutdown") == await a.wait_dead()
        with trio.move_on_after(0) as scope:
            await c.wait_dead()
        assert scope.cancelled_caught


async def test_a_supervisor_is_monitored_as_an_actor_is() -> None:
    log: list[str] = []
    inner = branch("s", [probe("a")], intensity=Intensity(0, 10.0), restart=Restart.TEMPORARY)
    async with open_system(tree(probe("w", log), inner, branch("t", []))) as system:
        failing, stopped = system.lookup("/s"), system.lookup("/t")
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(failing))
        await do(system.lookup("/w"), lambda ctx: ctx.monitor(stopped))
        await system.lookup("/s/a").tell(Crash())
        await failing.wait_dead()
        await system.stop_child("/t", reason="test")
        await system.lookup("/w").ask(Echo("end"))
        assert ["w start", "w down /s crashed", "w down /t shutdown", "w end"] == log
