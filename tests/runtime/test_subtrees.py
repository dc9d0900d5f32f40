"""Subtrees that come and go: supervisors as dynamic children, and their ends."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from command_center.runtime import (
    Actor,
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AutoShutdown,
    ChildExists,
    ChildRunning,
    ChildSpec,
    Ignore,
    Intensity,
    InvalidSpec,
    Operated,
    Restart,
    Signal,
    StartFailed,
    Status,
    Strategy,
    SupervisorSpec,
    System,
    SystemFailed,
    UnhandledMessage,
    open_system,
)
from command_center.runtime.ref import target_of
from tests.runtime.probes import (
    AT_ONCE,
    Boom,
    Crash,
    Echo,
    FailsToStart,
    Leave,
    Note,
    branch,
    probe,
    tree,
)


async def test_a_subtree_is_started_in_order_and_stopped_in_reverse_and_leaves_nothing() -> None:
    log: list[str] = []
    async with open_system(tree(branch("many", []))) as system:
        inner = branch("one", [probe("a", log), branch("deep", [probe("b", log)])])
        ref = await system.start_child("/many", inner)
        assert ["a start", "b start"] == log
        assert "hi" == await system.lookup("/many/one/deep/b").ask(Echo("hi"))
        assert system.spec_of("/many/one") is inner
        with pytest.raises(ChildExists):
            await system.start_child("/many", probe("one"))
        log.clear()
        await system.stop_child("/many/one", reason="test")
        assert ["b stop", "a stop"] == log
        assert ref.is_dead
        assert ["/", "/many"] == sorted(system.paths)
        await system.start_child("/many", inner)
        assert "again" == await system.lookup("/many/one/a").ask(Echo("again"))


async def test_a_subtree_that_does_not_start_is_reported_and_leaves_nothing() -> None:
    log: list[str] = []
    async with open_system(tree(branch("many", []))) as system:
        fails = ChildSpec("b", lambda: FailsToStart([Boom()], log))
        with pytest.raises(StartFailed, match="Boom"):
            await system.start_child("/many", branch("one", [probe("a", log), fails]))
        assert "a stop" == log[-1]
        assert ["/", "/many"] == sorted(system.paths)


async def test_a_subtree_is_restarted_by_its_policy_with_the_children_of_its_spec_alone() -> None:
    async with open_system(tree(branch("many", []))) as system:
        spec = branch("one", [probe("a")], intensity=Intensity(0, 10.0), restart=Restart.TRANSIENT)
        ref = await system.start_child("/many", spec)
        await system.start_child("/many/one", probe("d"))
        await system.lookup("/many/one/a").tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert not ref.is_dead
        assert 1 == system.snapshot_of("/many/one").restarts
        assert system.find("/many/one/d") is None
        assert "hi" == await system.lookup("/many/one/a").ask(Echo("hi"))


async def test_a_supervisor_takes_no_message_and_says_so() -> None:
    async with open_system(tree(branch("many", []))) as system:
        ref: ActorRef[Any] = system.lookup("/many")
        with pytest.raises(UnhandledMessage):
            await ref.ask(Echo("hi"))
        await ref.tell(Note("hi"))
        ref.try_tell(Note("hi"))
        totals = system.totals()
        assert (3, 3) == (totals.sent, totals.dead)


async def test_an_actor_stops_a_subtree_by_its_handle() -> None:
    async with open_system(tree(branch("many", []), probe("a"))) as system:
        ref = await system.start_child("/many", branch("one", [probe("b")]))
        await target_of(ref).stop()
        assert ref.is_dead
        with pytest.raises(ActorNotFound):
            system.lookup("/many/one/b")


def is_dead(ref: ActorRef[Any]) -> bool:
    """Tell it in a way that a type checker does not take for lasting."""
    return ref.is_dead


def shutting_down(
    how: AutoShutdown, *children: ChildSpec | SupervisorSpec, restart: Restart = Restart.TRANSIENT
) -> SupervisorSpec:
    return SupervisorSpec("one", children, auto_shutdown=how, backoff=AT_ONCE, restart=restart)


def significant(id_: str, log: list[str], restart: Restart = Restart.TRANSIENT) -> ChildSpec:
    spec = probe(id_, log, restart=restart)
    return ChildSpec(id_, spec.start, restart=restart, significant=True)


async def end(system: System, path: str, message: object) -> None:
    await system.lookup(path).tell(message)
    await trio.testing.wait_all_tasks_blocked()


async def test_the_end_of_any_significant_child_ends_its_supervisor() -> None:
    log: list[str] = []
    spec = shutting_down(
        AutoShutdown.ANY_SIGNIFICANT,
        probe("other", log, restart=Restart.TRANSIENT),
        significant("a", log),
        significant("b", log),
    )
    async with open_system(tree(branch("many", []))) as system:
        ref = await system.start_child("/many", spec)
        await end(system, "/many/one/other", Leave())
        await end(system, "/many/one/a", Crash())
        assert not ref.is_dead  # an insignificant end, and one that is restarted
        log.clear()
        await end(system, "/many/one/a", Leave())
        assert ["a stop", "b stop"] == log
        assert "shutdown" == (await ref.wait_dead()).reason
        assert ["/", "/many"] == sorted(system.paths)


async def test_the_end_of_the_last_significant_child_ends_its_supervisor() -> None:
    log: list[str] = []
    spec = shutting_down(
        AutoShutdown.ALL_SIGNIFICANT,
        probe("other", log),
        significant("a", log),
        significant("b", log, Restart.TEMPORARY),
    )
    async with open_system(tree(branch("many", []))) as system:
        ref = await system.start_child("/many", spec)
        await end(system, "/many/one/b", Crash())
        assert not is_dead(ref)
        await end(system, "/many/one/a", Leave())
        assert is_dead(ref)
        assert "other stop" == log[-1]


async def test_a_significant_child_that_is_stopped_from_outside_ends_nobody() -> None:
    log: list[str] = []
    spec = shutting_down(AutoShutdown.ANY_SIGNIFICANT, significant("a", log))
    async with open_system(tree(branch("many", []))) as system:
        ref = await system.start_child("/many", spec)
        await system.stop_child("/many/one/a", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert not ref.is_dead


async def test_a_permanent_supervisor_that_shut_itself_down_is_started_again() -> None:
    log: list[str] = []
    spec = shutting_down(
        AutoShutdown.ANY_SIGNIFICANT, significant("a", log), restart=Restart.PERMANENT
    )
    async with open_system(tree(spec)) as system:
        await end(system, "/one/a", Leave())
        assert "hi" == await system.lookup("/one/a").ask(Echo("hi"))
        assert 1 == system.snapshot_of("/one").restarts


async def test_significant_children_are_refused_where_they_make_no_sense() -> None:
    for make in (
        lambda: significant("a", [], Restart.PERMANENT),
        lambda: SupervisorSpec("one", significant=True),
        lambda: SupervisorSpec("one", [significant("a", [])]),
    ):
        with pytest.raises(InvalidSpec):
            make()
    async with open_system(tree(branch("many", []))) as system:
        with pytest.raises(InvalidSpec, match="auto_shutdown"):
            await system.start_child("/many", significant("a", []))
        assert system.find("/many/a") is None


class MayIgnore(Actor):
    ignores = True

    async def on_start(self) -> None:
        if MayIgnore.ignores:
            raise Ignore


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ONE, Strategy.ONE_FOR_ALL])
async def test_an_actor_that_is_not_to_run_is_no_failure_and_keeps_its_place(
    strategy: Strategy,
) -> None:
    MayIgnore.ignores = True
    spec = tree(ChildSpec("a", MayIgnore), probe("b"), strategy=strategy)
    async with open_system(spec) as system:
        assert Status.STOPPED is system.snapshot_of("/a").status
        with pytest.raises(ActorStopped):
            await system.lookup("/a").ask(Echo("hi"))
        assert "ignored" == (await system.lookup("/a").wait_dead()).reason
        ref = await system.start_child("/", ChildSpec("d", MayIgnore))
        assert is_dead(ref)
        assert system.lookup("/d") is ref
        temporary = ChildSpec("t", MayIgnore, restart=Restart.TEMPORARY)
        assert (await system.start_child("/", temporary)).is_dead
        assert system.find("/t") is None
        await system.restart("/d", reason="test")
        assert is_dead(ref)
        MayIgnore.ignores = False
        await system.restart("/d", reason="test")
        assert not is_dead(ref)
        assert 0 == len([actor for actor in system.snapshot().actors if actor.last_error])


class FailsAsItLeaves(Actor):
    """Would not run, and what it had begun fails as it is taken back."""

    async def on_start(self) -> None:
        self.ctx.start_task(self.work)
        await trio.testing.wait_all_tasks_blocked()
        raise Ignore

    async def work(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise Boom


async def test_an_actor_that_is_not_to_run_and_cannot_leave_has_failed_to_start() -> None:
    with pytest.raises(SystemFailed, match="/a did not start"):
        async with open_system(tree(ChildSpec("a", FailsAsItLeaves))):
            pass
    async with open_system(tree(probe("b"))) as system:
        with pytest.raises(StartFailed):
            await system.start_child("/", ChildSpec("a", FailsAsItLeaves))
        assert system.find("/a") is None


async def test_a_stopped_child_is_deleted_and_frees_its_path() -> None:
    signals: list[Signal] = []
    async with open_system(
        tree(probe("a"), branch("s", [probe("b")])), on_signal=signals.append
    ) as system:
        for path in ("/a", "/s"):
            old = system.lookup(path)
            with pytest.raises(ChildRunning, match="stop it first"):
                system.delete_child(path)
            await system.stop_child(path, reason="test")
            system.delete_child(path, reason="to make room")
            assert Operated(path, "delete", "to make room") in signals
            assert old.is_dead
            with pytest.raises(ActorNotFound):
                system.delete_child(path)
        assert ["/"] == list(system.paths)
        await system.start_child("/", probe("a"))
        assert "hi" == await system.lookup("/a").ask(Echo("hi"))
        with pytest.raises(ChildRunning):
            system.delete_child("/")


async def test_what_is_to_be_done_after_the_start_is_done_before_any_message() -> None:
    log: list[str] = []
    gate = trio.Event()

    class Continues(FailsToStart):
        async def on_continue(self) -> None:
            await gate.wait()
            log.append("continue")

    async with open_system(tree(branch("many", []))) as system:
        spec = ChildSpec("a", lambda: Continues([], log, "a"))
        with trio.fail_after(5):
            ref = await system.start_child("/many", spec)  # which does not wait for it
        await ref.tell(Note("not handled"))
        await trio.testing.wait_all_tasks_blocked()
        assert (["a start"], 0) == (log, system.dead_letters.total)
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert (["a start", "continue"], 1) == (log, system.dead_letters.total)


async def test_a_failure_in_it_is_a_crash_and_no_failed_start() -> None:
    class Fails(FailsToStart):
        async def on_continue(self) -> None:
            raise Boom

    async with open_system(tree(branch("many", []))) as system:
        spec = ChildSpec("a", lambda: Fails([], []), restart=Restart.TEMPORARY)
        ref = await system.start_child("/many", spec)
        assert "crashed" == (await ref.wait_dead()).reason
