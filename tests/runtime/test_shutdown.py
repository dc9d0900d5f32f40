"""The end of a system: in reverse order, each child within its deadline, and always."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
import trio
import trio.testing

from command_center.runtime import (
    Abandoned,
    ActorStopped,
    ChildSpec,
    Signal,
    Stopped,
    Strategy,
    System,
    SystemFailed,
    open_system,
)
from tests.runtime.probes import Boom, Crash, Echo, Hold, Leave, Note, Probe, branch, probe, tree


class StopsBy(Probe):
    """Does something in `on_stop`."""

    def __init__(self, log: list[str], name: str, work: Callable[[], Awaitable[object]]) -> None:
        super().__init__(log, name)
        self.work = work

    async def on_stop(self) -> None:
        self.write("stopping")
        await self.work()
        self.write("stopped")


async def sleep_one_second() -> None:
    await trio.sleep(1.0)


async def hang_shielded() -> None:
    with trio.CancelScope(shield=True):
        await trio.sleep_forever()


async def test_children_are_stopped_in_reverse_order() -> None:
    log: list[str] = []
    spec = tree(probe("a", log), branch("s", [probe("b", log), probe("c", log)]), probe("d", log))
    async with open_system(spec):
        log.clear()
    assert log == ["d stop", "c stop", "b stop", "a stop"]


async def test_a_child_that_stops_late_can_still_ask_those_started_before_it() -> None:
    log: list[str] = []
    system: System

    async def ask_the_first() -> None:
        log.append(await system.lookup("/a").ask(Echo("saved")))

    spec = tree(probe("a"), ChildSpec("b", lambda: StopsBy(log, "b", ask_the_first)))
    async with open_system(spec) as opened:
        system = opened
    assert log == ["b start", "b stopping", "saved", "b stopped"]


async def test_the_message_in_hand_is_finished_before_the_stop() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system, trio.open_nursery() as nursery:
        hold = Hold()
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await system.lookup("/a").ask(hold))

        nursery.start_soon(ask)
        await hold.taken.wait()
        nursery.start_soon(system.stop)
        await trio.testing.wait_all_tasks_blocked()
        hold.gate.set()
    assert answers == ["released"]


async def test_a_handler_that_outlives_the_deadline_is_cancelled_and_its_asker_told(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log, shutdown=4.0))) as system:
        async with trio.open_nursery() as nursery:
            hold = Hold()

            async def ask() -> None:
                with pytest.raises(ActorStopped):
                    await system.lookup("/a").ask(hold)

            nursery.start_soon(ask)
            await hold.taken.wait()
            began = trio.current_time()
            await system.stop()
        assert trio.current_time() - began == pytest.approx(3.0)
        assert system.totals().lost == 1
        assert system.abandoned == []
    assert log == ["a start", "a stop"]


async def test_every_child_has_its_own_deadline(autojump_clock: trio.testing.MockClock) -> None:
    log: list[str] = []

    def stubborn(name: str) -> ChildSpec:
        return ChildSpec(name, lambda: StopsBy(log, name, trio.sleep_forever), shutdown=2.0)

    async with open_system(tree(stubborn("a"), stubborn("b"), stubborn("c"))) as system:
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() - began == pytest.approx(6.0)
        assert system.abandoned == []
    assert [line for line in log if "stop" in line] == ["c stopping", "b stopping", "a stopping"]


async def test_dynamic_children_are_stopped_together(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    async with open_system(tree(branch("s", []))) as system:
        for number in range(10):
            await system.start_child(
                "/s",
                ChildSpec(str(number), lambda: StopsBy(log, "", trio.sleep_forever), shutdown=3.0),
            )
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() - began == pytest.approx(3.0)
    assert log.count("stopping") == 10


async def test_cleanup_that_shields_itself_for_ever_is_ended_after_its_deadline(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    spec = tree(
        probe("a", log),
        ChildSpec("b", lambda: StopsBy(log, "b", hang_shielded), shutdown=2.0),
    )
    async with open_system(spec) as system:
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() - began == pytest.approx(3.0)
        assert system.abandoned == []
    assert log == ["a start", "b start", "b stopping", "a stop"]


async def test_a_child_that_ignores_even_that_is_named_and_the_rest_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    release = trio.Event()

    async def ignore_cancellation() -> None:
        # Stands for a call that cannot be cancelled, such as one in a thread.
        task = trio.lowlevel.current_task()

        async def wake() -> None:
            await release.wait()
            trio.lowlevel.reschedule(task)

        trio.lowlevel.spawn_system_task(wake)
        await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.FAILED)

    log: list[str] = []
    signals: list[Signal] = []
    stuck: list[str] = []
    spec = tree(
        probe("a", log),
        ChildSpec("b", lambda: StopsBy(log, "b", ignore_cancellation), shutdown=2.0),
        probe("c", log),
    )
    async with open_system(spec, on_signal=signals.append, on_stuck=stuck.extend) as system:
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() - began == pytest.approx(4.0)
        assert system.abandoned == ["/b"]
    assert stuck[:1] == ["/b"]
    assert [signal.path for signal in signals if isinstance(signal, Abandoned)] == ["/b"]
    assert log == ["a start", "b start", "c start", "c stop", "b stopping", "a stop"]
    release.set()


async def test_a_second_stop_waits_for_the_first(autojump_clock: trio.testing.MockClock) -> None:
    log: list[str] = []
    spec = tree(ChildSpec("a", lambda: StopsBy(log, "a", sleep_one_second)))
    async with open_system(spec) as system:
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(system.stop)
            nursery.start_soon(system.stop)
        await system.stop()
        assert trio.current_time() - began == pytest.approx(1.0)
    assert log == ["a start", "a stopping", "a stopped"]


async def test_a_stop_during_the_first_start_ends_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class StartsLong(Probe):
        async def on_start(self) -> None:
            await trio.sleep(100.0)

    log: list[str] = []
    spec = tree(probe("a", log), ChildSpec("b", StartsLong), probe("c", log))
    with trio.move_on_after(1.0) as scope:
        async with open_system(spec):
            pytest.fail("it never started")
    assert scope.cancelled_caught
    assert log == ["a start", "a stop"]
    assert trio.current_time() == pytest.approx(1.0)


async def test_cancelling_the_body_stops_the_actors_in_order_and_not_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: StopsBy(log, "a", sleep_one_second)),
        ChildSpec("b", lambda: StopsBy(log, "b", sleep_one_second)),
    )
    with trio.move_on_after(5.0):
        async with open_system(spec):
            await trio.sleep_forever()
    assert log[2:] == ["b stopping", "b stopped", "a stopping", "a stopped"]


async def test_an_error_of_the_body_comes_out_as_it_is_after_the_stop() -> None:
    log: list[str] = []
    with pytest.raises(Boom):
        async with open_system(tree(probe("a", log))):
            raise Boom
    assert log == ["a start", "a stop"]


async def test_the_bodys_own_error_wins_over_the_systems() -> None:
    with pytest.raises(KeyError):
        async with open_system(tree(probe("a"))) as system:
            system.request_stop()
            raise KeyError


async def test_a_crash_during_the_stop_does_not_disturb_it() -> None:
    log: list[str] = []

    async def fail() -> None:
        raise Boom

    spec = tree(probe("a", log), ChildSpec("b", lambda: StopsBy(log, "b", fail)))
    async with open_system(spec):
        pass
    assert log == ["a start", "b start", "b stopping", "a stop"]


async def test_a_child_that_crashed_just_before_the_stop_is_not_restarted() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log))) as system:
        await system.lookup("/a").tell(Crash())
    assert log == ["a start", "a stop"]


async def test_messages_that_wait_at_the_stop_become_dead_letters() -> None:
    async with open_system(tree(probe("a"))) as system:
        system.suspend("/a", reason="test")
        await system.lookup("/a").tell(Note("one"))
        await system.stop()
        assert [letter.message for letter in system.dead_letters] == [Note("one")]
        totals = system.totals()
        assert (totals.sent, totals.dead) == (1, 1)


async def test_an_actor_that_wants_a_child_of_a_stopping_supervisor_is_told_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    errors: list[Exception] = []

    class StartsAChildWhenStopped(Probe):
        async def on_stop(self) -> None:
            try:
                await self.ctx.start_child("/", probe("x"))
            except ActorStopped as error:
                errors.append(error)

    async with open_system(tree(ChildSpec("a", StartsAChildWhenStopped))):
        pass
    assert [type(error) for error in errors] == [ActorStopped]


async def test_an_actor_whose_group_restarts_may_want_a_child_without_deadlock(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class StartsAChildWhenStopped(Probe):
        async def on_stop(self) -> None:
            if self.ctx.find("/x") is None:
                await self.ctx.start_child("/", probe("x"))

    spec = tree(ChildSpec("a", StartsAChildWhenStopped), probe("b"), strategy=Strategy.ONE_FOR_ALL)
    async with open_system(spec) as system:
        await system.lookup("/b").tell(Crash())
        await trio.testing.wait_all_tasks_blocked()
        assert [actor.path for actor in system.snapshot().actors] == ["/", "/a", "/b", "/x"]
        assert {actor.status.value for actor in system.snapshot().actors} == {"idle"}


async def test_two_actors_that_ask_each_other_while_stopping_end_at_once(
    autojump_clock: trio.testing.MockClock,
) -> None:
    system: System
    errors: list[str] = []

    class AsksTheLast(Probe):
        async def on_stop(self) -> None:
            try:
                await system.lookup("/b").ask(Echo("hello"))
            except ActorStopped as error:
                errors.append(error.target)

    async with open_system(tree(ChildSpec("a", AsksTheLast), probe("b"))) as opened:
        system = opened
    assert errors == ["/b"]
    assert trio.current_time() == 0.0


async def test_a_normal_end_of_the_last_child_does_not_end_the_system() -> None:
    async with open_system(tree(branch("s", []))) as system:
        ref = await system.start_child("/s", probe("x"))
        await ref.tell(Leave())
        await trio.testing.wait_all_tasks_blocked()
        assert system.snapshot_of("/").status.value == "idle"


async def test_a_base_exception_of_an_actor_comes_out_of_the_system() -> None:
    class Exits(Probe):
        async def on_start(self) -> None:
            if self.log:
                raise SystemExit(3)
            self.write("start")

    log: list[str] = []
    with pytest.raises(SystemExit) as caught:
        async with open_system(tree(ChildSpec("a", lambda: Exits(log)))) as system:
            await system.lookup("/a").tell(Crash())
            await trio.sleep_forever()
    assert 3 == caught.value.code


async def test_a_system_whose_start_failed_says_why() -> None:
    class Fails(Probe):
        async def on_start(self) -> None:
            raise Boom

    with pytest.raises(SystemFailed, match="/a did not start: it raised Boom"):
        async with open_system(tree(ChildSpec("a", Fails))):
            pass


PROGRAM = """
import os, threading, trio
from command_center.runtime import Actor, ChildSpec, SupervisorSpec, open_system

class Stuck(Actor):
    async def on_stop(self):
        await trio.to_thread.run_sync(threading.Event().wait)

def end(paths):
    print("stuck:", *paths, flush=True)
    os._exit(70)

async def main():
    spec = SupervisorSpec("", [ChildSpec("a", Stuck, shutdown=0.1)])
    async with open_system(spec, on_stuck=end):
        pass

trio.run(main)
"""


def test_a_process_whose_actor_is_stuck_in_a_thread_still_exits() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False
    )
    assert (run.returncode, run.stdout) == (70, "stuck: /a\n")


INTERRUPTED = """
import trio
from command_center.runtime import Actor, ChildSpec, SupervisorSpec, open_system

class Says(Actor):
    def __init__(self, name):
        self.name = name

    async def on_stop(self):
        await trio.sleep(0.01)
        print("stopped", self.name, flush=True)

async def main():
    spec = SupervisorSpec("", [ChildSpec(name, lambda name=name: Says(name)) for name in "abc"])
    async with open_system(spec):
        print("ready", flush=True)
        await trio.sleep_forever()

try:
    trio.run(main)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one")
def test_an_interrupt_stops_the_actors_in_order() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped c\nstopped b\nstopped a\ninterrupted\n"


async def test_many_that_are_stopped_together_let_others_run_in_between() -> None:
    ended = 0
    most = 0

    def count(signal: Signal) -> None:
        nonlocal ended
        ended += isinstance(signal, Stopped)

    async def watch() -> None:
        nonlocal most
        while True:
            before = ended
            await trio.lowlevel.checkpoint()
            most = max(most, ended - before)

    async with open_system(tree(branch("many", [])), on_signal=count) as system:
        for number in range(2000):
            await system.start_child("/many", probe(str(number)))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(watch)
            await system.stop_child("/many", reason="test")
            nursery.cancel_scope.cancel()
    assert 2000 < ended
    assert most <= 4 * 64
