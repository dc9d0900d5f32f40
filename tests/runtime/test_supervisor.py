"""Restarting: which children come back, with whom, how soon, and when it is too often."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from command_center.runtime import (
    ActorNotFound,
    ActorStopped,
    Backoff,
    ChildSpec,
    Crashed,
    ExitKind,
    Intensity,
    Quarantined,
    Restart,
    Restarted,
    RestartLimitReached,
    Signal,
    Started,
    StartFailed,
    Status,
    Strategy,
    SupervisorSpec,
    System,
    SystemFailed,
    open_system,
)
from tests.runtime.probes import (
    Boom,
    Crash,
    Echo,
    FailsToStart,
    Leave,
    Note,
    Probe,
    branch,
    probe,
    tree,
)


async def crash(system: System, path: str) -> None:
    """Crash an actor and let the tree come to rest."""
    await system.lookup(path).tell(Crash())
    await trio.testing.wait_all_tasks_blocked()


@pytest.mark.parametrize(
    ("restart", "kind", "comes_back"),
    [
        (Restart.PERMANENT, ExitKind.NORMAL, True),
        (Restart.PERMANENT, ExitKind.SHUTDOWN, True),
        (Restart.PERMANENT, ExitKind.CRASHED, True),
        (Restart.TRANSIENT, ExitKind.NORMAL, False),
        (Restart.TRANSIENT, ExitKind.SHUTDOWN, False),
        (Restart.TRANSIENT, ExitKind.CRASHED, True),
        (Restart.TEMPORARY, ExitKind.NORMAL, False),
        (Restart.TEMPORARY, ExitKind.SHUTDOWN, False),
        (Restart.TEMPORARY, ExitKind.CRASHED, False),
    ],
)
async def test_the_restart_policy_decides_by_the_kind_of_end(
    restart: Restart,
    kind: ExitKind,
    comes_back: bool,  # noqa: FBT001
) -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log, restart=restart))) as system:
        ref = system.lookup("/a")
        await ref.tell(Crash() if kind is ExitKind.CRASHED else Leave(kind))
        await trio.testing.wait_all_tasks_blocked()
        assert log == (["a start", "a stop", "a start"] if comes_back else ["a start", "a stop"])
        if comes_back:
            assert await ref.ask(Echo("back")) == "back"
        else:
            with pytest.raises(ActorStopped):
                await ref.ask(Echo("gone"))


async def test_one_for_one_leaves_the_siblings_alone() -> None:
    log: list[str] = []
    async with open_system(tree(probe("a", log), probe("b", log), probe("c", log))) as system:
        await crash(system, "/b")
        assert log == ["a start", "b start", "c start", "b stop", "b start"]


async def test_one_for_all_stops_all_in_reverse_and_starts_all_in_order() -> None:
    log: list[str] = []
    spec = tree(probe("a", log), probe("b", log), probe("c", log), strategy=Strategy.ONE_FOR_ALL)
    async with open_system(spec) as system:
        log.clear()
        await crash(system, "/b")
        assert log == ["b stop", "c stop", "a stop", "a start", "b start", "c start"]


async def test_rest_for_one_restarts_the_failed_child_and_those_after_it() -> None:
    log: list[str] = []
    spec = tree(probe("a", log), probe("b", log), probe("c", log), strategy=Strategy.REST_FOR_ONE)
    async with open_system(spec) as system:
        log.clear()
        await crash(system, "/b")
        assert log == ["b stop", "c stop", "b start", "c start"]


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
async def test_a_temporary_sibling_never_comes_back_even_through_anothers_death(
    strategy: Strategy,
) -> None:
    log: list[str] = []
    spec = tree(probe("a", log), probe("b", log, restart=Restart.TEMPORARY), strategy=strategy)
    async with open_system(spec) as system:
        await crash(system, "/a")
        assert log == ["a start", "b start", "a stop", "b stop", "a start"]
        assert system.find("/b") is None


async def test_the_mailbox_of_a_sibling_that_is_restarted_too_is_kept() -> None:
    log: list[str] = []
    spec = tree(probe("a", log), probe("b", log), strategy=Strategy.ONE_FOR_ALL)
    async with open_system(spec) as system:
        system.suspend("/b", reason="test")
        await system.lookup("/b").tell(Note("kept"))
        await crash(system, "/a")
        system.resume("/b", reason="test")
        await system.lookup("/b").ask(Echo("end"))
        assert log[-2:] == ["b kept", "b end"]


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
async def test_a_child_that_fails_while_restarting_is_tried_again_with_its_group(
    strategy: Strategy,
) -> None:
    log: list[str] = []
    failures: list[Exception] = []
    spec = tree(
        probe("a", log),
        ChildSpec("b", lambda: FailsToStart(failures, log, "b")),
        probe("c", log),
        strategy=strategy,
    )
    async with open_system(spec) as system:
        log.clear()
        failures.append(Boom())
        await crash(system, "/a")
        assert [line for line in log if line.startswith("b")] == ["b start", "b start"]
        assert system.snapshot_of("/c").status is Status.IDLE
        assert system.snapshot_of("/b").restarts == 1


async def test_failed_starts_count_towards_the_intensity() -> None:
    log: list[str] = []
    failures: list[Exception] = []
    spec = tree(
        ChildSpec("a", lambda: FailsToStart(failures, log, "a")),
        probe("b"),
        strategy=Strategy.ONE_FOR_ALL,
        intensity=Intensity(2, 10.0),
    )
    with pytest.raises(SystemFailed) as caught:
        async with open_system(spec) as system:
            failures.extend(Boom() for _ in range(10))
            await system.lookup("/b").tell(Crash())
            await trio.sleep_forever()
    assert isinstance(caught.value.error, RestartLimitReached)
    # One start at first, then one for each of the two restarts that are allowed.
    assert log == ["a start"] * 3


async def test_the_root_that_gives_up_cancels_the_body_and_raises() -> None:
    with pytest.raises(SystemFailed) as caught:
        async with open_system(tree(probe("a"), intensity=Intensity(1, 10.0))) as system:
            await crash(system, "/a")
            await system.lookup("/a").tell(Crash())
            await trio.sleep_forever()
    limit = caught.value.error
    assert isinstance(limit, RestartLimitReached)
    assert (limit.supervisor, limit.child) == ("/", "/a")
    assert isinstance(limit.error, Boom)


async def test_the_window_slides(autojump_clock: trio.testing.MockClock) -> None:
    log: list[str] = []
    spec = tree(probe("a", log), intensity=Intensity(2, 10.0))
    async with open_system(spec) as system:
        for _ in range(6):
            await crash(system, "/a")
            await trio.sleep(5.0)
        assert log.count("a start") == 7


async def test_a_supervisor_that_gives_up_stops_its_children_and_is_restarted_by_its_own() -> None:
    log: list[str] = []
    spec = tree(
        branch("s", [probe("a", log), probe("b", log)], intensity=Intensity(0, 10.0)),
        probe("c", log),
    )
    async with open_system(spec) as system:
        log.clear()
        ref = system.lookup("/s/a")
        await crash(system, "/s/a")
        assert log == ["a stop", "b stop", "a start", "b start"]
        assert await ref.ask(Echo("same handle")) == "same handle"


async def test_a_failure_escalates_through_two_levels() -> None:
    log: list[str] = []
    inner = branch("inner", [probe("a", log)], intensity=Intensity(0, 10.0))
    outer = branch("outer", [inner, probe("b", log)], intensity=Intensity(0, 10.0))
    async with open_system(tree(outer, probe("c", log))) as system:
        log.clear()
        await crash(system, "/outer/inner/a")
        assert log == ["a stop", "b stop", "a start", "b start"]
        assert system.snapshot_of("/outer").restarts == 1


async def test_dynamic_children_are_lost_when_their_supervisor_is_restarted() -> None:
    log: list[str] = []
    spec = tree(branch("s", [probe("a", log)], intensity=Intensity(0, 10.0)))
    async with open_system(spec) as system:
        ref = await system.start_child("/s", probe("x", log))
        await crash(system, "/s/a")
        assert system.find("/s/x") is None
        with pytest.raises(ActorStopped):
            await ref.ask(Echo("gone"))


async def test_backoff_grows_to_its_cap_and_is_reset_after_calm(
    autojump_clock: trio.testing.MockClock,
) -> None:
    signals: list[Signal] = []
    backoff = Backoff(initial=1.0, factor=3.0, cap=10.0, jitter=0.0, calm=60.0)
    spec = tree(probe("a"), intensity=Intensity(100, 10.0), backoff=backoff)
    async with open_system(spec, on_signal=signals.append) as system:
        for _ in range(4):
            await crash(system, "/a")
            await trio.sleep(11.0)
        await trio.sleep(60.0)
        await crash(system, "/a")
    delays = [signal.delay for signal in signals if isinstance(signal, Restarted)]
    assert delays == [1.0, 3.0, 9.0, 10.0, 1.0]


async def test_a_child_in_backoff_says_so_and_when_it_comes_back(
    autojump_clock: trio.testing.MockClock,
) -> None:
    backoff = Backoff(initial=8.0, jitter=0.0)
    async with open_system(tree(probe("a"), backoff=backoff)) as system:
        await crash(system, "/a")
        await trio.sleep(3.0)
        snapshot = system.snapshot_of("/a")
        assert snapshot.status is Status.BACKOFF
        assert snapshot.next_start_in == pytest.approx(5.0)
        assert snapshot.last_error == "Boom: "


async def test_asks_wait_out_a_backoff(autojump_clock: trio.testing.MockClock) -> None:
    backoff = Backoff(initial=8.0, jitter=0.0)
    async with open_system(tree(probe("a"), backoff=backoff)) as system:
        await crash(system, "/a")
        assert await system.lookup("/a").ask(Echo("patience")) == "patience"


async def test_a_stop_is_served_during_a_restart_loop(
    autojump_clock: trio.testing.MockClock,
) -> None:
    failures: list[Exception] = []
    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: FailsToStart(failures, log, "a")),
        probe("b"),
        strategy=Strategy.ONE_FOR_ALL,
        intensity=Intensity(1000, 1.0),
        backoff=Backoff(initial=5.0, factor=1.0, cap=5.0, jitter=0.0),
    )
    async with open_system(spec) as system:
        failures.extend(Boom() for _ in range(1000))
        await crash(system, "/b")
        await trio.sleep(22.0)
        assert len(log) == 5
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() == began


async def test_a_stop_is_served_while_a_child_starts(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class NeverStarts(FailsToStart):
        async def on_start(self) -> None:
            if self.log:
                await trio.sleep_forever()
            self.log.append("start")

    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: NeverStarts([], log)), probe("b"), strategy=Strategy.ONE_FOR_ALL
    )
    async with open_system(spec) as system:
        await crash(system, "/b")
        assert system.snapshot_of("/a").status is Status.STARTING
        began = trio.current_time()
        await system.stop()
        assert trio.current_time() == began


async def test_a_first_start_that_fails_stops_what_was_started_and_raises() -> None:
    log: list[str] = []
    spec = tree(
        probe("a", log),
        ChildSpec("b", lambda: FailsToStart([Boom()], log, "b")),
        probe("c", log),
    )
    with pytest.raises(SystemFailed) as caught:
        async with open_system(spec):
            pass
    assert isinstance(caught.value.error, StartFailed)
    assert log == ["a start", "b start", "a stop"]


async def test_a_first_start_that_fails_at_an_edge_is_tried_again_beside_the_others() -> None:
    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: FailsToStart(failures, log, "a")), probe("b", log), quarantine=True
    )
    failures: list[Exception] = [Boom(), Boom()]
    async with open_system(spec) as system:
        await trio.testing.wait_all_tasks_blocked()
        assert [log[0], *sorted(log[1:])] == ["a start", "a start", "a start", "b start"]
        assert system.snapshot_of("/a").status is Status.IDLE


class FailsOnce(Probe):
    """Fails in its first life, as it starts or just after."""

    def __init__(self, log: list[str], *, in_start: bool) -> None:
        super().__init__(log, "a")
        self.in_start = in_start

    async def on_start(self) -> None:
        await super().on_start()
        self.fail(now=self.in_start)

    async def on_continue(self) -> None:
        self.fail(now=not self.in_start)

    def fail(self, *, now: bool) -> None:
        if now and self.log.count("a start") == 1:
            raise Boom


class Asks(Probe):
    """Cannot start before `/a` has answered."""

    async def on_start(self) -> None:
        self.write(await self.ctx.lookup("/a").ask(Echo("hello"), timeout=1.0))


@pytest.mark.parametrize("in_start", [True, False])
async def test_at_an_edge_a_start_may_wait_for_one_before_it_that_has_failed(
    autojump_clock: trio.testing.MockClock, *, in_start: bool
) -> None:
    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: FailsOnce(log, in_start=in_start), backoff=Backoff(0.1, jitter=0.0)),
        ChildSpec("b", lambda: Asks(log, "b")),
        quarantine=True,
    )
    began = trio.current_time()
    async with open_system(spec) as system:
        assert ["a start", "a start", "a hello", "b hello"] == [
            word for word in log if word != "a stop"
        ]
        assert trio.current_time() - began == pytest.approx(0.1)
        assert [1, 0] == [system.snapshot_of(path).restarts for path in ("/a", "/b")]


async def test_at_an_edge_one_is_quarantined_while_a_start_waits_for_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class AsksLong(Probe):
        async def on_start(self) -> None:
            with pytest.raises(ActorStopped):
                await self.ctx.lookup("/a").ask(Echo("hello"), timeout=60.0)
            await super().on_start()

    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: FailsToStart([Boom()] * 9, log, "a"), backoff=Backoff(0.1)),
        ChildSpec("b", lambda: AsksLong(log, "b")),
        quarantine=True,
        intensity=Intensity(2, 10.0),
    )
    began = trio.current_time()
    async with open_system(spec) as system:
        assert trio.current_time() - began < 1.0
        assert ["a start", "a start", "a start", "b start"] == log
        wanted = [Status.QUARANTINED, Status.IDLE]
        assert wanted == [system.snapshot_of(path).status for path in ("/a", "/b")]


@pytest.mark.parametrize("in_start", [True, False])
async def test_at_an_edge_a_start_hears_that_one_before_it_will_not_come_back(
    autojump_clock: trio.testing.MockClock, *, in_start: bool
) -> None:
    class AsksTheDead(Probe):
        async def on_start(self) -> None:
            with pytest.raises((ActorStopped, ActorNotFound)):
                await self.ctx.lookup("/a").ask(Echo("hello"), timeout=60.0)
            await super().on_start()

    log: list[str] = []
    spec = tree(
        ChildSpec("a", lambda: FailsOnce(log, in_start=in_start), restart=Restart.TEMPORARY),
        ChildSpec("b", lambda: AsksTheDead(log, "b")),
        quarantine=True,
    )
    began = trio.current_time()
    async with open_system(spec):
        assert trio.current_time() - began < 1.0
        assert ["a start", "b start"] == [word for word in log if word != "a stop"]


async def test_a_start_that_is_cut_short_at_an_edge_ends_what_is_being_restarted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    class NeverStarts(Probe):
        async def on_start(self) -> None:
            await super().on_start()
            await trio.sleep_forever()

    log: list[str] = []
    failing = ChildSpec(
        "a", lambda: FailsToStart([Boom()] * 9, log, "a"), backoff=Backoff(2.0, jitter=0.0)
    )
    spec = tree(failing, ChildSpec("b", lambda: NeverStarts(log, "b")), quarantine=True)
    began = trio.current_time()
    with trio.move_on_after(3.0) as scope:
        async with open_system(spec):
            pytest.fail("it has started")
    assert scope.cancelled_caught
    assert trio.current_time() - began == pytest.approx(3.0)
    assert ["a start", "a start", "b start"] == sorted(log)


async def test_over_the_limit_at_an_edge_the_child_alone_is_quarantined() -> None:
    signals: list[Signal] = []
    spec = tree(probe("a"), probe("b"), quarantine=True, intensity=Intensity(1, 10.0))
    async with open_system(spec, on_signal=signals.append) as system:
        await crash(system, "/a")
        await crash(system, "/b")
        await crash(system, "/a")
        assert system.snapshot_of("/a").status is Status.QUARANTINED
        assert system.snapshot_of("/b").status is Status.IDLE
        await system.lookup("/a").tell(Note("too late"))
        assert [letter.reason.value for letter in system.dead_letters] == ["quarantined"]
    assert [signal.path for signal in signals if isinstance(signal, Quarantined)] == ["/a"]


async def test_an_operator_brings_a_quarantined_child_back_with_a_clean_record() -> None:
    spec = tree(probe("a"), quarantine=True, intensity=Intensity(1, 10.0))
    async with open_system(spec) as system:
        await crash(system, "/a")
        await crash(system, "/a")
        await system.restart("/a", reason="fixed")
        assert await system.lookup("/a").ask(Echo("back")) == "back"
        await crash(system, "/a")
        assert system.snapshot_of("/a").status is Status.IDLE


async def test_a_supervisor_that_fails_too_often_is_quarantined_with_all_beneath_it() -> None:
    inner = branch("s", [probe("a"), probe("b")], intensity=Intensity(0, 10.0))
    spec = tree(inner, probe("c"), quarantine=True, intensity=Intensity(1, 10.0))
    async with open_system(spec) as system:
        await crash(system, "/s/a")
        await crash(system, "/s/a")
        assert system.snapshot_of("/s").status is Status.QUARANTINED
        assert system.snapshot_of("/s/b").status is Status.QUARANTINED
        with pytest.raises(ActorStopped):
            await system.lookup("/s/b").ask(Echo("closed"))
        await system.restart("/s", reason="fixed")
        assert await system.lookup("/s/b").ask(Echo("open")) == "open"


async def test_a_dynamic_child_is_started_before_start_child_returns() -> None:
    log: list[str] = []
    async with open_system(tree(branch("s", []))) as system:
        ref = await system.start_child("/s", probe("1", log))
        assert log == ["1 start"]
        assert ref.path == "/s/1"
        assert system.lookup("/s/1") is ref


async def test_a_dynamic_child_that_ends_leaves_the_tree_and_frees_its_path() -> None:
    async with open_system(tree(branch("s", []))) as system:
        for _ in range(3):
            ref = await system.start_child("/s", probe("1", restart=Restart.TRANSIENT))
            await ref.tell(Leave())
            await trio.testing.wait_all_tasks_blocked()
            assert system.find("/s/1") is None
        totals = system.totals()
        assert (totals.sent, totals.handled) == (3, 3)


async def test_a_crashed_dynamic_child_is_restarted_by_its_policy() -> None:
    log: list[str] = []
    async with open_system(tree(branch("s", []))) as system:
        await system.start_child("/s", probe("1", log, restart=Restart.TRANSIENT))
        await crash(system, "/s/1")
        assert log == ["1 start", "1 stop", "1 start"]


async def test_a_path_is_free_again_before_a_failed_start_is_reported() -> None:
    log: list[str] = []
    async with open_system(tree(branch("s", []))) as system:
        with pytest.raises(StartFailed) as caught:
            await system.start_child("/s", ChildSpec("1", lambda: FailsToStart([Boom()], log)))
        assert isinstance(caught.value.error, Boom)
        assert system.find("/s/1") is None
        await system.start_child("/s", probe("1"))


async def test_events_of_a_restart_tell_the_whole_story() -> None:
    signals: list[Signal] = []
    async with open_system(tree(probe("a")), on_signal=signals.append) as system:
        await crash(system, "/a")
        story = [signal for signal in signals if getattr(signal, "path", "") == "/a"]
        assert [type(signal) for signal in story] == [Started, Crashed, Restarted, Started]


async def test_an_observer_that_raises_disturbs_nobody() -> None:
    def broken(_signal: Signal) -> None:
        raise Boom

    signals: list[Signal] = []
    async with open_system(tree(probe("a")), on_signal=broken) as system:
        system.observe(signals.append)
        await crash(system, "/a")
        assert await system.lookup("/a").ask(Echo("fine")) == "fine"
    assert signals


async def test_an_edge_needs_no_neighbour_to_be_healthy() -> None:
    spec = SupervisorSpec(
        "", [branch("s", [probe("a")], quarantine=True, intensity=Intensity(0, 9.0)), probe("b")]
    )
    async with open_system(spec) as system:
        await crash(system, "/s/a")
        assert system.snapshot_of("/s").status is Status.IDLE
        assert system.snapshot_of("/s/a").fault_domain == "/s/a"
        assert system.snapshot_of("/b").fault_domain == "/"


@pytest.mark.parametrize("strategy", [Strategy.ONE_FOR_ALL, Strategy.REST_FOR_ONE])
async def test_a_dynamic_child_whose_restart_with_its_group_fails_is_tried_again(
    strategy: Strategy,
) -> None:
    log: list[str] = []
    failures: list[Exception] = []
    async with open_system(tree(probe("a", log), strategy=strategy)) as system:
        dynamic = ChildSpec("d", lambda: FailsToStart(failures, log, "d"))
        ref = await system.start_child("/", dynamic)
        log.clear()
        failures.append(Boom())
        await crash(system, "/a")
        assert ["d start", "d start"] == [line for line in log if line.startswith("d")]
        assert system.lookup("/d") is ref
        assert not ref.is_dead


async def test_a_temporary_child_of_the_spec_comes_with_its_supervisors_restart() -> None:
    log: list[str] = []
    children = [probe("a", log), probe("b", log, restart=Restart.TEMPORARY), probe("c", log)]
    spec = tree(branch("s", children, intensity=Intensity(0, 10.0)))
    async with open_system(spec) as system:
        old = system.lookup("/s/b")
        await old.tell(Leave())
        await old.wait_dead()
        log.clear()
        await crash(system, "/s/a")
        assert ["c stop", "a start", "b start", "c start"] == log[-4:]
        assert "hi" == await system.lookup("/s/b").ask(Echo("hi"))
        assert old.is_dead


async def test_a_start_that_its_group_cuts_off_is_reported_and_leaves_nothing() -> None:
    log: list[str] = []

    class StartsLate(Probe):
        async def on_start(self) -> None:
            await trio.sleep_forever()

    spec = tree(probe("a", log), strategy=Strategy.ONE_FOR_ALL)
    async with open_system(spec) as system, trio.open_nursery() as nursery:

        async def start() -> None:
            with pytest.raises(StartFailed, match="was stopped"):
                await system.start_child("/", ChildSpec("d", StartsLate))

        nursery.start_soon(start)
        await trio.testing.wait_all_tasks_blocked()
        await crash(system, "/a")
        assert "hi" == await system.lookup("/a").ask(Echo("hi"))
    assert system.find("/d") is None


class CrashesAtFirst(Probe):
    """Crashes in its first life, as soon as it has started."""

    lives = 0

    async def on_continue(self) -> None:
        type(self).lives += 1
        if self.lives == 1:
            raise Boom


@pytest.mark.parametrize("strategy", Strategy)
async def test_a_crash_just_after_a_start_is_no_failed_start(strategy: Strategy) -> None:
    class Fragile(CrashesAtFirst):
        lives = 0

    log: list[str] = []
    spec = tree(ChildSpec("a", lambda: Fragile(log, "a")), probe("b", log), strategy=strategy)
    async with open_system(spec) as system:
        assert "x" == await system.lookup("/a").ask(Echo("x"))
        assert (2, 1) == (Fragile.lives, system.snapshot_of("/a").restarts)
        assert "b start" in log
