"""Supervision against the model of OTP's rules: who is stopped and started, in what order, when.

A few hundred scripts run with all tests, and `-m chaos` runs thousands.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import example, given, settings

from command_center.runtime import (
    ActorNotFound,
    ActorRef,
    ActorStopped,
    AutoShutdown,
    ChildExists,
    ChildRunning,
    ChildSpec,
    Context,
    Down,
    Intensity,
    Restart,
    StartFailed,
    Strategy,
    SupervisorNotFound,
    SupervisorSpec,
    System,
    SystemFailed,
    open_system,
)
from command_center.runtime.ref import target_of
from tests.runtime.otp_model import (
    BENEATH,
    Act,
    Cut,
    Model,
    Place,
    Script,
    Step,
    Together,
    added_path,
    is_significant,
    scripts,
)
from tests.runtime.probes import AT_ONCE, Crash, Leave, Note, Probe, Run, branch, tree

FOREVER = 1e9
"""A period of which no restart falls out."""


STOPPED_BENEATH = (ActorNotFound, ActorStopped, StartFailed, SupervisorNotFound)
"""Answers to an operator whose system was told to stop meanwhile."""


def exit_program(_ctx: Context) -> None:
    raise SystemExit


class Tree:
    """The real tree, and the handles of its places, by those of the model."""

    def __init__(self, script: Script, model: Model) -> None:
        self.script = script
        self.model = model
        self.log: list[str] = []
        self.refs: dict[Place, ActorRef[Any]] = {}
        self.deaths: dict[Place, Down | None] = {}
        """The ends of those that were alive, by who waits for them; None of those that live."""
        self.lives: dict[Place, int] = {}
        """The life in which each was last seen; a step may end it for good and bring another."""
        self.living: set[Place] = set()
        """Those that were alive before the step."""
        self.pending: tuple[int, Step | None] | None = None
        """The place in the log from which on it is still to be compared, and the step."""

    def probe(self, path: str, restart: Restart, *, significant: bool = False) -> ChildSpec:
        return ChildSpec(
            path.rpartition("/")[2],
            lambda: Probe(self.log, path),
            restart=restart,
            significant=significant,
        )

    def spec(self) -> SupervisorSpec:
        script = self.script
        children = [self.probe(f"/s/{n}", kind) for n, kind in enumerate(script.children)]
        limit = Intensity(script.limit, FOREVER)
        supervisor = branch(
            "s",
            children,
            strategy=script.strategy,
            intensity=limit,
            quarantine=script.quarantine,
        )
        return tree(supervisor, intensity=Intensity(0, FOREVER))

    def added(self, step: Step) -> ChildSpec | SupervisorSpec:
        path = added_path(step)
        if step.act is Act.ADD:
            return self.probe(path, step.restart)
        kind = step.auto_shutdown
        return SupervisorSpec(
            path.rpartition("/")[2],
            [
                self.probe(f"{path}/{id_}", restart, significant=is_significant(restart, kind))
                for id_, restart in BENEATH
            ],
            strategy=step.strategy,
            intensity=Intensity(step.limit, FOREVER),
            restart=step.restart,
            backoff=AT_ONCE,
            auto_shutdown=kind,
        )

    async def happen(  # noqa: C901, PLR0912 - a table of acts
        self, system: System, step: Step, place: Place, to: ActorRef[Any] | None
    ) -> None:
        """Let one step happen to the real tree."""
        path = place.path
        match step.act:
            case Act.ADD | Act.ADD_SUPERVISOR:
                taken = added_path(step) in system.paths
                try:
                    await system.start_child("/s", self.added(step))
                except ChildExists:
                    assert taken
            case Act.CRASH:
                await system.lookup(path).tell(Crash())
            case Act.LEAVE:
                await system.lookup(path).tell(Leave())
            case Act.NOTE:
                await system.lookup(path).tell(Note("note"))
            case Act.EXIT:
                await system.lookup(path).tell(Run(exit_program))
            case Act.FORWARD:
                assert to is not None
                await system.lookup(path).tell(Run(lambda ctx: ctx.forward(to, Note("note"))))
            case Act.SUSPEND:
                system.suspend(path, reason="script")
            case Act.RESUME:
                system.resume(path, reason="script")
            case Act.STOP:
                await system.stop_child(path, reason="script")
            case Act.RESTART:
                await system.restart(path, reason="script")
            case Act.DELETE:
                try:
                    system.delete_child(path, reason="script")
                except ChildRunning:
                    assert not system.lookup(path).is_dead
            case Act.STALE:
                stale = self.refs[place]
                await stale.tell(Note("note"))
                await target_of(stale).stop()

    def learn(self, system: System, nursery: trio.Nursery) -> None:
        """Keep the handles of places that are new, and wait for the death of what lives there."""
        for place in self.model.places():
            if place not in self.refs:
                self.refs[place] = system.lookup(place.path)
            if place.is_alive and self.deaths.get(place, place) is not None:
                self.deaths[place] = None
                nursery.start_soon(self.see_the_death, place)
            self.lives[place] = place.life
        self.living = {place for place in self.model.places() if place.is_alive}

    async def see_the_death(self, place: Place) -> None:
        self.deaths[place] = await self.refs[place].wait_dead()

    def compare(self) -> None:
        """Compare what was written with what has to be."""
        if self.pending is None:
            return
        began, step = self.pending
        self.pending = None
        happened, at = self.log[began:], 0
        told = (step, self.model.log, happened)
        for item in self.model.log:
            lines = sorted(item) if isinstance(item, Together) else [item]
            found = happened[at : at + len(lines)]
            at += len(lines)
            if isinstance(item, Together):
                found.sort()
            assert lines == found, told
        assert len(happened) == at, told
        self.model.log.clear()

    def check(self, system: System, step: Step) -> None:
        """Compare the places, what lives there, and what was dropped."""
        places = self.model.places()
        there = {path for path in system.paths if path.startswith("/s/")}
        assert {place.path for place in places} == there, step
        for place in places:
            assert place.is_alive is not system.lookup(place.path).is_dead, (step, place.path)
            assert place.restart is system.spec_of(place.path).restart, (step, place.path)
        alive = {place for place in places if place.is_alive}
        for place, down in self.deaths.items():
            is_as_it_was = place not in alive or place.life == self.lives[place]
            assert (down is None) is (place in alive) or not is_as_it_was, (step, place.path, down)
            if place in alive & self.living and place.restart is Restart.PERMANENT:
                assert down is None or self.script.quarantine, step  # a restart is no death
            if down is not None:
                assert place.path == down.path, step
                has_error = {"crashed": True, "normal": False, "shutdown": False}
                assert has_error.get(down.reason) in (None, down.error is not None), (step, down)
        assert self.model.dead_letters == system.dead_letters.total, step

    async def play(self) -> None:
        script, model = self.script, self.model
        self.pending = (0, None)
        async with open_system(self.spec()) as system, trio.open_nursery() as nursery:
            self.compare()
            self.learn(system, nursery)
            for number, step in enumerate(script.steps):
                place = model.target(step)
                if place is None:
                    continue
                to = self.refs.get(model.forwards_to(step)) if step.act is Act.FORWARD else None
                if step.act is Act.FORWARD and to is None:
                    continue  # it came and went within one step
                if step.act is Act.STALE and place not in self.refs:
                    continue  # it came and went within one step
                happening = partial(self.happen, system, step, place, to)
                if script.cut is not None and script.cut.step == number:
                    await self.cut(system, script.cut, happening)
                    return  # and all deaths have been seen
                self.pending = (len(self.log), step)
                model.take(step, place)
                await happening()
                if model.has_exited or model.has_given_up:
                    await trio.sleep_forever()
                await trio.testing.wait_all_tasks_blocked()
                self.compare()
                self.check(system, step)
                self.learn(system, nursery)
            nursery.cancel_scope.cancel()
            self.pending = (len(self.log), None)
            model.stop_all(model.top, final=True)

    async def cut(self, system: System, cut: Cut, happening: Callable[[], Awaitable[None]]) -> None:
        """Stop the system while a step is under way."""

        async def happen() -> None:
            with contextlib.suppress(*STOPPED_BENEATH):
                await happening()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(happen)
            for _ in range(cut.turns):
                await trio.lowlevel.checkpoint()
            await system.stop()

    def check_ended(self) -> None:
        """See that each life that began has ended."""
        lives = Counter(line for line in self.log if not line.endswith("note"))
        begun = {line: count for line, count in lives.items() if line.endswith("start")}
        for line, count in begun.items():
            assert count == lives[line.removesuffix("start") + "stop"], (line, self.log)
        assert sum(begun.values()) * 2 == sum(lives.values()), self.log


def run(script: Script) -> None:
    model = Model(script)
    real = Tree(script, model)
    ended_by: list[BaseException] = []

    async def main() -> None:
        with trio.fail_after(30):
            await real.play()

    try:
        trio.run(main)
    except* (SystemFailed, SystemExit) as group:
        ended_by.extend(group.exceptions)
    real.compare()
    real.check_ended()
    if script.cut is None or model.has_exited or model.has_given_up:
        expected = {SystemExit: model.has_exited, SystemFailed: model.has_given_up}
        assert {kind for kind, holds in expected.items() if holds} == {*map(type, ended_by)}


CASES = (
    Script(
        Strategy.ONE_FOR_ALL,
        (Restart.PERMANENT, Restart.TEMPORARY, Restart.PERMANENT),
        5,
        (
            Step(Act.SUSPEND, 2),
            Step(Act.NOTE, 2),
            Step(Act.CRASH, 2),
            Step(Act.NOTE, 2),
            Step(Act.RESUME, 2),
        ),
    ),
    Script(
        Strategy.ONE_FOR_ONE,
        (Restart.PERMANENT,),
        5,
        (
            Step(Act.ADD, restart=Restart.TEMPORARY),
            Step(Act.CRASH, 1),
            Step(Act.ADD),
            Step(Act.STALE),
            Step(Act.FORWARD, 0, to=2),
            Step(Act.EXIT, 1),
        ),
    ),
    Script(
        Strategy.REST_FOR_ONE,
        (Restart.PERMANENT, Restart.PERMANENT),
        5,
        (
            Step(Act.ADD_SUPERVISOR, strategy=Strategy.ONE_FOR_ALL, limit=0),
            Step(Act.CRASH, 2),
            Step(Act.CRASH, 0),
        ),
    ),
    Script(
        Strategy.ONE_FOR_ONE,
        (Restart.PERMANENT,),
        1,
        (
            Step(Act.ADD_SUPERVISOR, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT),
            Step(Act.LEAVE, 3),
            Step(Act.LEAVE, 3),
            Step(Act.CRASH, 0),
            Step(Act.CRASH, 0),
            Step(Act.NOTE, 0),
            Step(Act.RESTART, 0),
            Step(Act.CRASH, 0),
        ),
        quarantine=True,
    ),
)


@pytest.mark.timeout(600)
@settings(max_examples=400, deadline=None, derandomize=True)
@given(scripts(12))
@example(CASES[0])
@example(CASES[1])
@example(CASES[2])
@example(CASES[3])
def test_a_supervisor_does_what_the_rules_of_otp_say(script: Script) -> None:
    run(script)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None)
@given(scripts(20))
def test_a_supervisor_does_what_the_rules_of_otp_say_in_thousands_of_scripts(
    script: Script,
) -> None:
    run(script)
