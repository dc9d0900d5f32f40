"""Supervision against a model of OTP's rules: who is stopped and started, in what order, and when.

The model is the rules of OTP's supervisor, with those of this page beside them that docs/runtime.md
names: a list of children, and for each step what has to be written in the log. A script is plain
data; one that fails shrinks to a few lines that read.
"""

from __future__ import annotations

import enum

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.runtime import (
    ChildRunning,
    Intensity,
    Restart,
    Strategy,
    System,
    SystemFailed,
    open_system,
)
from tests.runtime.probes import Crash, Leave, branch, probe, tree


class Act(enum.Enum):
    """The things that happen to a child."""

    CRASH = "crash"
    LEAVE = "leave"
    STOP = "stop"
    RESTART = "restart"
    DELETE = "delete"
    ADD = "add"


@attrs.frozen
class Step:
    """Something happens to the `target`-th child; one that is added has this `restart`."""

    act: Act
    target: int = 0
    restart: Restart = Restart.PERMANENT


@attrs.frozen
class Script:
    """A supervisor, its children, and what happens to them one after the other."""

    strategy: Strategy
    children: tuple[Restart, ...]
    limit: int
    steps: tuple[Step, ...]


@attrs.define
class Place:
    """A child as the model knows it."""

    id: str
    restart: Restart
    is_dynamic: bool
    is_alive: bool = True
    is_stopped: bool = False
    """True if an operator stopped it: then it is started by an operator alone."""

    @property
    def stays(self) -> bool:
        """Return True if it keeps its place when it is dead."""
        return not self.is_dynamic and self.restart is not Restart.TEMPORARY


@attrs.define
class Model:
    """The rules."""

    script: Script
    places: list[Place] = attrs.field(factory=list)
    log: list[str] = attrs.field(factory=list)
    restarts: int = 0
    has_given_up: bool = False

    def start(self, place: Place) -> None:
        place.is_alive = True
        place.is_stopped = False
        self.log.append(f"{place.id} start")

    def stop(self, place: Place) -> None:
        if place.is_alive:
            place.is_alive = False
            self.log.append(f"{place.id} stop")

    def bury(self, place: Place) -> None:
        if not place.stays:
            self.places.remove(place)

    def end(self, place: Place, *, crashed: bool) -> None:
        """Let a child end by itself."""
        self.stop(place)
        if place.restart is Restart.TEMPORARY or (
            place.restart is Restart.TRANSIENT and not crashed
        ):
            self.bury(place)
            return
        self.restarts += 1
        if self.restarts > self.script.limit:
            self.has_given_up = True
            for other in reversed(self.places):
                self.stop(other)
        elif self.script.strategy is Strategy.ONE_FOR_ONE:
            self.start(place)
        else:
            self.restart_group(place)

    def restart_group(self, failed: Place) -> None:
        """Stop the group in reverse, and start it in order, but for temporary ones."""
        group = list(self.places)
        if self.script.strategy is Strategy.REST_FOR_ONE:
            group = group[group.index(failed) :]
        for place in reversed(group):
            self.stop(place)
            if place.restart is Restart.TEMPORARY:
                self.places.remove(place)
        for place in group:
            if place in self.places and not place.is_stopped:
                self.start(place)

    def take(self, step: Step, number: int) -> Place | None:
        """Follow the rules for one step; return the child that it happens to."""
        if step.act is Act.ADD:
            place = Place(f"d{number}", step.restart, is_dynamic=True)
            self.places.append(place)
            self.start(place)
            return place
        if not self.places:
            return None
        place = self.places[step.target % len(self.places)]
        match step.act:
            case Act.CRASH if place.is_alive:
                self.end(place, crashed=True)
            case Act.LEAVE if place.is_alive:
                self.end(place, crashed=False)
            case Act.STOP:
                self.stop(place)
                place.is_stopped = True
                self.bury(place)
            case Act.RESTART:
                self.stop(place)
                self.start(place)
            case Act.DELETE if not place.is_alive:
                self.places.remove(place)
            case _:
                pass
        return place


async def happen(system: System, step: Step, place: Place, log: list[str]) -> None:
    """Let one step happen to the real tree."""
    path = f"/s/{place.id}"
    match step.act:
        case Act.ADD:
            await system.start_child("/s", probe(place.id, log, restart=place.restart))
        case Act.CRASH:
            await system.lookup(path).tell(Crash())
        case Act.LEAVE:
            await system.lookup(path).tell(Leave())
        case Act.STOP:
            await system.stop_child(path, reason="script")
        case Act.RESTART:
            await system.restart(path, reason="script")
        case Act.DELETE:
            try:
                system.delete_child(path, reason="script")
            except ChildRunning:
                assert not system.lookup(path).is_dead


async def play(script: Script, model: Model) -> None:
    log: list[str] = []
    children = [probe(f"{n}", log, restart=kind) for n, kind in enumerate(script.children)]
    model.places = [Place(f"{n}", kind, is_dynamic=False) for n, kind in enumerate(script.children)]
    for place in model.places:
        model.start(place)
    intensity = Intensity(script.limit, 1e9)
    supervisor = branch("s", children, strategy=script.strategy, intensity=intensity)
    async with open_system(tree(supervisor, intensity=Intensity(0, 1e9))) as system:
        for number, step in enumerate(script.steps):
            model.log.clear()
            log_before = len(log)
            target = model.take(step, number)
            if target is None:
                continue
            await happen(system, step, target, log)
            await trio.testing.wait_all_tasks_blocked()
            happened = log[log_before:]
            if model.has_given_up and script.strategy is Strategy.ONE_FOR_ONE:
                # Dynamic children are stopped together, in no order.
                assert sorted(model.log) == sorted(happened), step
            else:
                assert model.log == happened, step
            if model.has_given_up:
                return
            there = [path for path in system.paths if path.startswith("/s/")]
            assert sorted(f"/s/{place.id}" for place in model.places) == sorted(there), step
            for place in model.places:
                assert place.is_alive is not system.lookup(f"/s/{place.id}").is_dead, (step, place)


def run(script: Script) -> None:
    model = Model(script)

    async def main() -> None:
        try:
            with trio.fail_after(30):
                await play(script, model)
        except* SystemFailed:
            assert model.has_given_up

    trio.run(main)


KINDS = st.sampled_from(Restart)

SCRIPTS = st.builds(
    Script,
    st.sampled_from(Strategy),
    st.lists(KINDS, max_size=4).map(tuple),
    st.integers(0, 5),
    st.lists(st.builds(Step, st.sampled_from(Act), st.integers(0, 5), KINDS), max_size=12).map(
        tuple
    ),
)


@pytest.mark.timeout(600)
@settings(max_examples=1500, deadline=None, derandomize=True)
@given(SCRIPTS)
def test_a_supervisor_does_what_the_rules_of_otp_say(script: Script) -> None:
    run(script)
