"""Actions of an operator on a running tree."""

from __future__ import annotations

from functools import partial

import pytest
import trio
import trio.testing

from command_center.runtime import (
    ActorNotFound,
    ActorStopped,
    ChildSpec,
    Intensity,
    Operated,
    Signal,
    StartFailed,
    Status,
    open_system,
)
from tests.runtime.probes import Boom, Echo, FailsToStart, Hold, Note, Probe, branch, probe, tree


async def test_a_restart_by_an_operator_keeps_the_mailbox_and_counts_for_nothing(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    spec = tree(probe("a", log), intensity=Intensity(0, 10.0))
    async with open_system(spec) as system:
        system.suspend("/a", reason="test")
        await system.lookup("/a").tell(Note("kept"))
        await system.restart("/a", reason="test")
        system.resume("/a", reason="test")
        await system.lookup("/a").ask(Echo("end"))
        assert log == ["a start", "a stop", "a start", "a kept", "a end"]


async def test_a_restart_by_an_operator_is_bounded_by_the_deadline(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log, shutdown=4.0))) as system:
        hold = Hold()
        await system.lookup("/a").tell(hold)
        await hold.taken.wait()
        began = trio.current_time()
        await system.restart("/a", reason="stuck")
        assert trio.current_time() - began == pytest.approx(3.0)
        assert log == ["a start", "a stop", "a start"]


async def test_a_stopped_child_of_the_spec_stays_visible_and_can_be_brought_back() -> None:
    async with open_system(tree(probe("a"))) as system:
        await system.stop_child("/a", reason="test")
        assert system.snapshot_of("/a").status is Status.STOPPED
        await system.restart("/a", reason="test")
        assert await system.lookup("/a").ask(Echo("back")) == "back"


async def test_a_drained_actor_handles_what_waits_and_nothing_new() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system, trio.open_nursery() as nursery:
        ref = system.lookup("/a")
        hold = Hold()
        await ref.tell(hold)
        await hold.taken.wait()
        await ref.tell(Note("waiting"))

        async def drain() -> None:
            assert await system.drain("/a", reason="test")

        nursery.start_soon(drain)
        await trio.testing.wait_all_tasks_blocked()
        await ref.tell(Note("new"))
        hold.gate.set()
    assert log == ["a start", "a waiting", "a stop"]
    assert [letter.reason.value for letter in system.dead_letters] == ["draining"]


async def test_a_drain_that_takes_too_long_becomes_a_stop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a", shutdown=2.0))) as system:
        ref = system.lookup("/a")
        hold = Hold()
        await ref.tell(hold)
        await ref.tell(Note("never handled"))
        assert not await system.drain("/a", reason="test", timeout=10.0)
        totals = system.totals()
        assert (totals.lost, totals.dead) == (1, 1)


async def test_a_drain_has_its_deadline_also_if_nobody_waits_for_it_any_more(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with open_system(tree(probe("a", shutdown=2.0))) as system:
        ref = system.lookup("/a")
        await ref.tell(Hold())
        with trio.move_on_after(1.0):
            await system.drain("/a", reason="test", timeout=10.0)
        await trio.sleep(20.0)
        assert system.snapshot_of("/a").status is Status.STOPPED


async def test_every_operation_is_signalled_with_its_reason() -> None:
    signals: list[Signal] = []
    async with open_system(tree(probe("a")), on_signal=signals.append) as system:
        system.suspend("/a", reason="look at it")
        system.resume("/a", reason="looked")
        await system.restart("/a", reason="try anew")
        await system.stop_child("/a", reason="enough")
    assert [signal for signal in signals if isinstance(signal, Operated)] == [
        Operated("/a", "suspend", "look at it"),
        Operated("/a", "resume", "looked"),
        Operated("/a", "restart", "try anew"),
        Operated("/a", "stop", "enough"),
    ]


async def test_an_operation_on_what_is_not_there_is_an_error() -> None:
    async with open_system(tree(branch("s", []))) as system:
        with pytest.raises(ActorNotFound):
            system.suspend("/nowhere", reason="test")
        with pytest.raises(ActorNotFound):
            system.suspend("/s", reason="a supervisor takes no messages")


async def test_what_hangs_below_a_stopped_supervisor_cannot_be_restarted_by_itself() -> None:
    async with open_system(tree(branch("s", [probe("a")]))) as system:
        await system.stop_child("/s", reason="test")
        with pytest.raises(ActorStopped):
            await system.restart("/s/a", reason="test")
        await system.restart("/s", reason="test")
        assert await system.lookup("/s/a").ask(Echo("back")) == "back"


async def test_a_restart_of_a_dynamic_child_that_leaves_meanwhile_is_an_error(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class StopsLate(Probe):
        async def on_stop(self) -> None:
            await trio.sleep(1.0)

    async with open_system(tree(branch("s", []))) as system, trio.open_nursery() as nursery:
        await system.start_child("/s", ChildSpec("x", StopsLate))

        async def restart() -> None:
            with pytest.raises(ActorStopped):
                await system.restart("/s/x", reason="test")

        async def stop() -> None:
            await system.stop_child("/s/x", reason="test")

        nursery.start_soon(stop)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(restart)
    assert system.find("/s/x") is None


async def test_a_restart_by_an_operator_that_fails_is_told_and_a_dead_child_stays_dead() -> None:
    log: list[str] = []
    failures: list[Exception] = []
    spec = tree(ChildSpec("x", lambda: FailsToStart(failures, log)), branch("s", []))
    async with open_system(spec) as system:
        await system.stop_child("/x", reason="test")
        failures += [Boom(), Boom()]
        for _ in range(2):
            with pytest.raises(StartFailed, match="Boom"):
                await system.restart("/x", reason="test")
            assert Status.STOPPED is system.snapshot_of("/x").status
            assert system.lookup("/x").is_dead
        await system.restart("/x", reason="test")
        assert 4 == len(log)
        assert Status.IDLE is system.snapshot_of("/x").status


async def test_of_one_that_lived_its_supervisor_decides_when_its_restart_fails() -> None:
    log: list[str] = []
    failures: list[Exception] = []
    async with open_system(tree(ChildSpec("x", lambda: FailsToStart(failures, log)))) as system:
        failures.append(Boom())
        with pytest.raises(StartFailed):
            await system.restart("/x", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert 3 == len(log)
        assert Status.IDLE is system.snapshot_of("/x").status


async def test_a_quarantined_child_whose_restart_fails_stays_in_quarantine() -> None:
    log: list[str] = []
    failures: list[Exception] = []
    spec = tree(branch("s", [], quarantine=True, intensity=Intensity(0, 10.0)))
    async with open_system(spec) as system:
        await system.start_child("/s", ChildSpec("x", lambda: FailsToStart(failures, log)))
        failures += [Boom(), Boom()]
        with pytest.raises(StartFailed):
            await system.restart("/s/x", reason="test")
        await trio.testing.wait_all_tasks_blocked()
        assert Status.QUARANTINED is system.snapshot_of("/s/x").status
        with pytest.raises(StartFailed):
            await system.restart("/s/x", reason="test")
        assert Status.QUARANTINED is system.snapshot_of("/s/x").status
        await system.restart("/s/x", reason="test")
        assert Status.IDLE is system.snapshot_of("/s/x").status


async def test_an_operator_changes_an_actor_between_two_messages() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        a = system.lookup("/a")
        await a.tell(hold := Hold())
        await hold.taken.wait()
        await a.tell(Note("after"))

        async def change() -> None:
            await system.replace_state("/a", lambda actor: actor.write("change"), reason="test")
            log.append("changed")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(change)
            await trio.testing.wait_all_tasks_blocked()
            assert ["a start"] == log
            hold.gate.set()
        assert ["a start", "a change"] == log[:2]
        assert {"a after", "changed"} == set(log[2:])


async def test_a_suspended_actor_is_changed_and_what_a_change_raises_is_the_operators() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        system.suspend("/a", reason="test")
        await system.lookup("/a").tell(Note("waits"))
        with trio.fail_after(5):
            await system.replace_state("/a", lambda actor: actor.write("change"), reason="test")

            def fail(_actor: object) -> None:
                raise Boom

            with pytest.raises(Boom):
                await system.replace_state("/a", fail, reason="test")
        assert ["a start", "a change"] == log
        assert Status.SUSPENDED is system.snapshot_of("/a").status
        assert 0 == system.snapshot_of("/a").restarts


async def test_an_actor_that_ends_before_it_is_changed_is_told_of() -> None:
    async with open_system(tree(probe("a"))) as system:
        await system.lookup("/a").tell(hold := Hold())
        await hold.taken.wait()
        async with trio.open_nursery() as nursery:

            async def change() -> None:
                with pytest.raises(ActorStopped):
                    await system.replace_state("/a", repr, reason="test")

            nursery.start_soon(change)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(partial(system.stop_child, "/a", reason="test"))
            await trio.testing.wait_all_tasks_blocked()
            hold.gate.set()
        with pytest.raises(ActorStopped):
            await system.replace_state("/a", repr, reason="test")
