"""Abilities of an actor from within: background tasks, links, and its own end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorCrashed,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AskTimeout,
    ChildExists,
    ChildSpec,
    Context,
    Deferred,
    Exit,
    ExitKind,
    LinkBroken,
    Restart,
    Status,
    SupervisorNotFound,
    handles,
    open_system,
)
from tests.runtime.probes import (
    Boom,
    Crash,
    Echo,
    Hold,
    Later,
    Leave,
    Note,
    Probe,
    Run,
    branch,
    probe,
    tree,
)


async def do(ref: ActorRef[Any], work: Callable[[Context], object]) -> None:
    """Run something inside an actor, and wait until it is done."""
    await ref.tell(Run(work))
    await trio.testing.wait_all_tasks_blocked()


async def test_a_background_task_runs_beside_the_handlers() -> None:
    log: list[str] = []
    gate = trio.Event()

    async def work(ctx: Context) -> None:
        await gate.wait()
        await ctx.ref.tell(Note("from the task"))

    async with open_system(tree(probe("a", log))) as system:
        ref = system.lookup("/a")
        await do(ref, lambda ctx: ctx.start_task(work, ctx))
        assert await ref.ask(Echo("not blocked")) == "not blocked"
        assert system.snapshot_of("/a").background_tasks == 1
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert log[-1] == "a from the task"
        assert system.snapshot_of("/a").background_tasks == 0


async def test_a_crash_in_a_background_task_is_a_crash_of_the_actor() -> None:
    log: list[str] = []

    async def fail() -> None:
        raise Boom

    async with open_system(tree(probe("a", log))) as system:
        await do(system.lookup("/a"), lambda ctx: ctx.start_task(fail))
        assert log == ["a start", "a stop", "a start"]
        assert system.snapshot_of("/a").last_error == "Boom: "


async def test_a_crash_in_a_background_task_loses_the_message_in_hand_and_tells_its_asker() -> None:
    gate = trio.Event()

    async def fail() -> None:
        await gate.wait()
        raise Boom

    async with open_system(tree(probe("a"))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        await do(ref, lambda ctx: ctx.start_task(fail))
        hold = Hold()

        async def ask() -> None:
            with pytest.raises(ActorCrashed) as caught:
                await ref.ask(hold)
            assert isinstance(caught.value.error, Boom)

        nursery.start_soon(ask)
        await hold.taken.wait()
        gate.set()


async def test_a_background_task_ends_with_its_life_and_before_the_next_begins() -> None:
    log: list[str] = []

    async def work() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("task ended")

    async with open_system(tree(probe("a", log))) as system:
        ref = system.lookup("/a")
        await do(ref, lambda ctx: ctx.start_task(work))
        await ref.tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["a start", "a stop", "task ended", "a start"]


async def test_a_background_task_that_is_cancelled_by_its_scope_harms_nobody() -> None:
    scopes: list[trio.CancelScope] = []
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        await do(ref, lambda ctx: scopes.append(ctx.start_task(trio.sleep_forever)))
        scopes[0].cancel()
        await trio.testing.wait_all_tasks_blocked()
        assert system.snapshot_of("/a").background_tasks == 0
        assert await ref.ask(Echo("fine")) == "fine"


async def test_a_background_task_that_will_not_end_delays_the_restart_by_no_more_than_a_bound(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def cling() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep_forever()

    log: list[str] = []
    async with open_system(tree(probe("a", log, shutdown=2.0))) as system:
        ref = system.lookup("/a")
        await do(ref, lambda ctx: ctx.start_task(cling))
        began = trio.current_time()
        await ref.tell(Crash())
        await ref.ask(Echo("back"))
        assert trio.current_time() - began == pytest.approx(3.0)
        assert system.abandoned == []


async def test_a_background_task_may_settle_a_deferred_reply_after_its_asker_gave_up() -> None:
    async with open_system(tree(probe("a"))) as system:
        ref = system.lookup("/a")
        with trio.CancelScope() as scope:
            scope.cancel()
            await ref.ask(Later())
        assert scope.cancelled_caught
        assert await ref.ask(Echo("fine")) == "fine"


class Looker(Actor):
    """Looks for something for as long as it is asked for it."""

    begun = ended = 0

    @handles(Later)
    async def later(self, _message: Later) -> Deferred[str]:
        return self.ctx.answer_while_asked(self.look)

    async def look(self) -> str:
        Looker.begun += 1
        try:
            await trio.sleep(5)
        finally:
            Looker.ended += 1
        return "found"


async def test_work_ends_with_the_wait_for_its_answer(
    autojump_clock: trio.testing.MockClock,
) -> None:
    Looker.begun = Looker.ended = 0
    async with open_system(tree(ChildSpec("a", Looker))) as system:
        ref = system.lookup("/a")
        assert "found" == await ref.ask(Later())
        with trio.move_on_after(1):
            await ref.ask(Later())
        with pytest.raises(AskTimeout):
            await ref.ask(Later(), timeout=1)
        await trio.testing.wait_all_tasks_blocked()
        assert (3, 3, 7) == (Looker.begun, Looker.ended, trio.current_time())
        with trio.CancelScope() as scope:
            scope.cancel()
            await ref.ask(Later())
        assert "found" == await ref.ask(Later())
    assert Looker.begun == Looker.ended


@pytest.mark.parametrize("victim", ["/a", "/b"])
async def test_linked_actors_crash_together(victim: str) -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log))) as system:
        other = system.lookup("/b")
        await do(system.lookup("/a"), lambda ctx: ctx.link(other))
        await system.lookup(victim).tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(log[2:]) == ["a start", "a stop", "b start", "b stop"]
        errors = {system.snapshot_of(path).last_error for path in ("/a", "/b")}
        assert any(error is not None and error.startswith("LinkBroken") for error in errors)


async def test_a_normal_end_breaks_no_link() -> None:
    log: list[str] = []
    async with open_system(
        tree(probe("a", log), probe("b", log, restart=Restart.TEMPORARY))
    ) as system:
        other = system.lookup("/b")
        await do(system.lookup("/a"), lambda ctx: ctx.link(other))
        await other.tell(Leave())
        await trio.testing.wait_all_tasks_blocked()
        assert log == ["a start", "b start", "b stop"]


async def test_linking_to_the_dead_crashes() -> None:
    async with open_system(tree(probe("a"), probe("b"))) as system:
        other = system.lookup("/b")
        await system.stop_child("/b", reason="test")
        await do(system.lookup("/a"), lambda ctx: ctx.link(other))
        assert system.snapshot_of("/a").restarts == 1
        assert (system.snapshot_of("/a").last_error or "").startswith(LinkBroken.__name__)


async def test_an_actor_starts_and_stops_children_elsewhere_in_the_tree() -> None:
    log: list[str] = []
    started: list[ActorRef[Any]] = []

    async def work(ctx: Context) -> None:
        ref = await ctx.start_child("/s", probe("x", log))
        started.append(ref)
        await ctx.stop_child(ref)

    async with open_system(tree(branch("s", []), probe("a"))) as system:
        await do(system.lookup("/a"), lambda ctx: ctx.start_task(work, ctx))
        assert log == ["x start", "x stop"]
        assert system.find("/s/x") is None


async def test_an_actor_may_start_a_sibling_from_its_own_start() -> None:
    class StartsASibling(Probe):
        async def on_start(self) -> None:
            await self.ctx.start_child("/", probe("sibling"))

    async with open_system(tree(ChildSpec("a", StartsASibling))) as system:
        assert await system.lookup("/sibling").ask(Echo("hello")) == "hello"


async def test_a_taken_id_an_unknown_supervisor_and_an_unknown_path_are_errors() -> None:
    async with open_system(tree(branch("s", [probe("x")]))) as system:
        with pytest.raises(ChildExists):
            await system.start_child("/s", probe("x"))
        with pytest.raises(SupervisorNotFound):
            await system.start_child("/nowhere", probe("x"))
        with pytest.raises(ActorNotFound):
            system.lookup("/nowhere")


async def test_a_start_that_nobody_waits_for_any_more_is_stopped(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class StartsLong(Probe):
        async def on_start(self) -> None:
            await trio.sleep(100.0)

    async with open_system(tree(branch("s", []))) as system:
        with trio.move_on_after(1.0):
            await system.start_child("/s", ChildSpec("x", StartsLong))
        await trio.testing.wait_all_tasks_blocked()
        assert system.find("/s/x") is None


async def test_an_actor_that_leaves_is_dying_from_that_moment() -> None:
    async with open_system(tree(probe("a", restart=Restart.TRANSIENT))) as system:
        ref = system.lookup("/a")
        gate = trio.Event()

        def leave(ctx: Context) -> trio.Event:
            ctx.stop()
            return gate

        await do(ref, leave)
        with pytest.raises(ActorStopped):
            await ref.ask(Echo("too late"))
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert system.snapshot_of("/a").status is Status.STOPPED


async def test_on_stop_is_told_how_its_life_ends() -> None:
    ends: list[Exit | None] = []

    class Asks(Probe):
        async def on_start(self) -> None:
            ends.append(self.ctx.exit)

        async def on_stop(self) -> None:
            ends.append(self.ctx.exit)

    async with open_system(tree(ChildSpec("a", Asks))) as system:
        a = system.lookup("/a")
        for message, kind in ((Crash(), ExitKind.CRASHED), (Leave(), ExitKind.NORMAL)):
            await a.tell(message)
            assert "hi" == await a.ask(Echo("hi"))
            before, end = ends[-3:-1]
            assert before is None
            assert end is not None
            assert kind is end.kind
            assert (kind is ExitKind.CRASHED) is isinstance(end.error, Boom)
    assert ends[-1] == Exit(ExitKind.SHUTDOWN)


@pytest.mark.parametrize("shutdown", [0.0, 1.0])
async def test_one_that_is_ended_by_force_is_killed_and_not_shut_down(
    shutdown: float, autojump_clock: trio.testing.MockClock
) -> None:
    log: list[str] = []
    spec = tree(probe("w", log), probe("a", shutdown=shutdown), probe("b", shutdown=shutdown))
    async with open_system(spec) as system:
        busy, idle = system.lookup("/a"), system.lookup("/b")
        for target in (busy, idle):
            await do(system.lookup("/w"), lambda ctx, target=target: ctx.monitor(target))  # type: ignore[misc]
        await busy.tell(hold := Hold())
        await hold.taken.wait()
        await system.stop_child("/a", reason="test")
        await system.stop_child("/b", reason="test")
        await system.lookup("/w").ask(Echo("end"))
        assert f"w down /b {'shutdown' if shutdown else 'killed'}" == log[-2]
        assert "w down /a killed" == log[-3]


async def test_unlinked_actors_no_longer_share_their_fate() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log))) as system:
        a, b = system.lookup("/a"), system.lookup("/b")
        await do(a, lambda ctx: ctx.link(b))
        await do(b, lambda ctx: ctx.unlink(a))
        log.clear()
        await a.tell(Crash())
        assert "hi" == await a.ask(Echo("hi"))
        assert ["a stop", "a start", "a hi"] == log
