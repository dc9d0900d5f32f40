"""A model of OTP's rules of supervision, with those beside them that docs/runtime.md names.

It is a tree of places that are stopped and started at once, and writes what has to be written in
the log, in that order; what happens together, in any order, stands there as `Together`. A script is
plain data; one that fails shrinks to a few lines that read.

What is told to a suspended actor waits. Of what waits, one message at most ends the actor: two
supervisors that act at the same time would write in an order that no rule says.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator

import attrs
from hypothesis import strategies as st

from command_center.runtime import AutoShutdown, Restart, Strategy


class Act(enum.Enum):
    """The things that happen to a place."""

    CRASH = "crash"
    LEAVE = "leave"
    NOTE = "note"
    FORWARD = "forward a note"
    SUSPEND = "suspend"
    RESUME = "resume"
    STOP = "stop"
    RESTART = "restart"
    DELETE = "delete"
    ADD = "add an actor"
    ADD_SUPERVISOR = "add a supervisor"
    STALE = "use a dead handle"
    EXIT = "raise SystemExit"


TOLD = {Act.CRASH, Act.LEAVE, Act.NOTE, Act.FORWARD, Act.EXIT}
ENDING = {Act.CRASH, Act.LEAVE}


@attrs.frozen
class Step:
    """Something happens to the `target`-th place; what is added is so, and has the `name`."""

    act: Act
    target: int = 0
    to: int = 0
    """The number of the actor that a note is forwarded to."""
    name: int = 0
    restart: Restart = Restart.PERMANENT
    strategy: Strategy = Strategy.ONE_FOR_ONE
    limit: int = 1
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER


@attrs.frozen
class Cut:
    """The system is told to stop while a step is under way, so many turns of the loop later."""

    step: int
    turns: int


@attrs.frozen
class Script:
    """A supervisor, its children, and what happens to them one after the other."""

    strategy: Strategy
    children: tuple[Restart, ...]
    limit: int
    steps: tuple[Step, ...]
    cut: Cut | None = None
    quarantine: bool = False


class Together(list[str]):
    """Lines that are written in any order."""


@attrs.define(eq=False)
class Place:
    """A place in the tree, as the model knows it."""

    path: str
    restart: Restart
    parent: Branch | None
    is_dynamic: bool
    is_alive: bool = False
    significant: bool = False
    failures: int = 0
    """Its restarts, where each child is counted by itself."""
    is_stopped: bool = False
    """True if an operator stopped it: then its group's restart does not start it."""
    life: int = 0

    @property
    def id(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def stays(self) -> bool:
        """Return True if it keeps its place when it is dead."""
        return not self.is_dynamic and self.restart is not Restart.TEMPORARY

    def beneath(self) -> Iterator[Place]:
        yield self


@attrs.define(eq=False)
class Leaf(Place):
    """An actor."""

    is_suspended: bool = False
    waiting: deque[Step] = attrs.field(factory=deque)


@attrs.define(eq=False)
class Branch(Place):
    """A supervisor. `spec` are the ids of its own children, and how they are restarted."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    limit: int = 1
    quarantine: bool = False
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    spec: tuple[tuple[str, Restart], ...] = ()
    children: dict[str, Place] = attrs.field(factory=dict)
    restarts: int = 0
    ends: deque[tuple[Place, int, bool]] = attrs.field(factory=deque)

    def has_seen_enough(self) -> bool:
        """Return True if the end of a significant child is one that ends this, too."""
        living = [one for one in self.children.values() if one.significant and one.is_alive]
        return self.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT or not living

    def beneath(self) -> Iterator[Place]:
        yield self
        for child in self.children.values():
            yield from child.beneath()


class Model:
    """The rules."""

    def __init__(self, script: Script) -> None:
        self.log: list[str | Together] = []
        self.dead_letters = 0
        self.has_exited = False
        self.has_given_up = False
        self.ghosts: list[Leaf] = []
        """The actors that have left the tree."""
        spec = tuple((str(number), kind) for number, kind in enumerate(script.children))
        self.top = Branch(
            "/s",
            Restart.PERMANENT,
            None,
            is_dynamic=False,
            strategy=script.strategy,
            limit=script.limit,
            quarantine=script.quarantine,
            spec=spec,
        )
        self.start(self.top)

    # Starting and stopping.

    def start(self, place: Place) -> None:
        place.is_alive, place.is_stopped = True, False
        place.life += 1
        if isinstance(place, Leaf):
            self.log.append(f"{place.path} start")
            self.run(place)
        elif isinstance(place, Branch):
            place.restarts = 0
            place.ends.clear()
            kept, place.children = place.children, {}
            for id_, restart in place.spec:
                place.children[id_] = kept.get(id_) or Leaf(
                    f"{place.path}/{id_}",
                    restart,
                    place,
                    is_dynamic=False,
                    significant=is_significant(restart, place.auto_shutdown),
                )
            for child in tuple(place.children.values()):
                child.failures = 0
                self.start(child)
            self.settle(place)

    def stop(self, place: Place, *, final: bool) -> None:
        """Stop it; if for good, what waits for it is a dead letter."""
        if isinstance(place, Leaf):
            if place.is_alive:
                self.log.append(f"{place.path} stop")
            if final:
                self.close(place)
        elif isinstance(place, Branch) and place.is_alive:
            self.stop_all(place, final=final)
        place.is_alive = False

    def stop_all(self, branch: Branch, *, final: bool) -> None:
        children = list(branch.children.values())
        if branch.strategy is Strategy.ONE_FOR_ONE:
            before, self.log = self.log, []
            for child in children:
                if child.is_dynamic:
                    self.stop(child, final=True)
                    self.leave(child)
            lines = [line for item in self.log for line in _lines(item)]
            self.log = [*before, Together(lines)] if lines else before
        for child in reversed(list(branch.children.values())):
            self.stop(child, final=final or child.is_dynamic)
            if child.is_dynamic or (final and not child.stays):
                self.leave(child)

    def close(self, leaf: Leaf) -> None:
        self.dead_letters += len(leaf.waiting)
        leaf.waiting.clear()

    def leave(self, place: Place) -> None:
        """Take it out of the tree, with all that is beneath."""
        if place.parent is not None:
            place.parent.children.pop(place.id, None)
        for one in place.beneath():
            if isinstance(one, Leaf):
                self.close(one)
                self.ghosts.append(one)

    # Messages.

    def send(self, leaf: Leaf, step: Step) -> None:
        if not leaf.is_alive:
            self.dead_letters += 1
            return
        leaf.waiting.append(step)
        self.run(leaf)

    def run(self, leaf: Leaf) -> None:
        while leaf.is_alive and not leaf.is_suspended and leaf.waiting:
            step = leaf.waiting.popleft()
            if step.act in ENDING:
                self.end(leaf, crashed=step.act is Act.CRASH)
            else:
                self.log.append(f"{leaf.path} note")

    # Ends, and what a supervisor makes of them.

    def end(self, place: Place, *, crashed: bool) -> None:
        """Let it end by itself."""
        assert place.parent is not None
        comes_back = _comes_back(place, crashed=crashed)
        self.stop(place, final=not crashed and not comes_back)
        place.parent.ends.append((place, place.life, crashed))

    def settle(self, branch: Branch) -> None:
        """Decide on all ends; over the limit, end as well."""
        while branch.is_alive and branch.ends:
            place, life, crashed = branch.ends.popleft()
            if place.life != life or place.is_alive or place.is_stopped:
                continue
            if not _comes_back(place, crashed=crashed):
                self.stop(place, final=True)
                if isinstance(place, Leaf):
                    self.close(place)
                if not place.stays:
                    self.leave(place)
                if place.significant and branch.has_seen_enough():
                    self.shut_down(branch)
                continue
            branch.restarts += 1
            place.failures += 1
            if branch.quarantine and place.failures > branch.limit:
                self.set_aside(place)
            elif branch.restarts > branch.limit and not branch.quarantine:
                self.give_up(branch)
            elif branch.strategy is Strategy.ONE_FOR_ONE:
                self.start(place)
            else:
                self.restart_group(branch, place)

    def give_up(self, branch: Branch) -> None:
        self.stop_all(branch, final=False)
        branch.is_alive = False
        if branch.parent is None:
            self.has_given_up = True  # for the root may restart nothing
        else:
            branch.parent.ends.append((branch, branch.life, True))

    def set_aside(self, place: Place) -> None:
        """Let it be dead in its place, with all that is beneath."""
        for one in place.beneath():
            if isinstance(one, Leaf):
                self.close(one)

    def shut_down(self, branch: Branch) -> None:
        """End it by itself, with its significant children."""
        assert branch.parent is not None
        self.stop_all(branch, final=False)
        branch.is_alive = False
        branch.parent.ends.append((branch, branch.life, False))

    def restart_group(self, branch: Branch, failed: Place) -> None:
        """Stop the group in reverse, and start it in order, but for temporary ones."""
        group = list(branch.children.values())
        if branch.strategy is Strategy.REST_FOR_ONE:
            group = group[group.index(failed) :]
        for place in reversed(group):
            final = place.restart is Restart.TEMPORARY
            self.stop(place, final=final)
            if final:
                self.leave(place)
        for place in group:
            if place.id in branch.children and not place.is_stopped:
                self.start(place)

    # Steps.

    def places(self) -> list[Place]:
        return list(self.top.beneath())[1:]

    def target(self, step: Step) -> Place | None:
        """Return the place that a step happens to; None if it cannot happen."""
        if step.act in {Act.ADD, Act.ADD_SUPERVISOR}:
            return self.top
        if step.act is Act.STALE:
            return self.ghosts[step.target % len(self.ghosts)] if self.ghosts else None
        places = self.places()
        if step.act in {*TOLD, Act.SUSPEND, Act.RESUME}:
            places = [place for place in places if isinstance(place, Leaf)]
        if not places:
            return None
        place = places[step.target % len(places)]
        if isinstance(place, Leaf) and place.is_suspended:
            ends_already = any(one.act in ENDING for one in place.waiting)
            if step.act in {Act.FORWARD, Act.EXIT} or (step.act in ENDING and ends_already):
                return None
        if step.act in ENDING | {Act.EXIT} and not place.is_alive:
            return None
        return place

    def forwards_to(self, step: Step) -> Leaf:
        """Return the actor that a note is forwarded to, alive or long gone; for `FORWARD`."""
        leaves = [place for place in self.places() if isinstance(place, Leaf)]
        leaves += self.ghosts
        return leaves[step.to % len(leaves)]

    def take(self, step: Step, place: Place) -> None:  # noqa: C901, PLR0912 - a table of acts
        """Follow the rules for one step."""
        match step.act, place:
            case (Act.FORWARD, Leaf()) if place.is_alive:
                self.send(self.forwards_to(step), step)
            case (Act.CRASH | Act.LEAVE | Act.NOTE | Act.FORWARD, Leaf()):
                self.send(place, step)
            case (Act.EXIT, Leaf()):
                self.stop(place, final=True)
                self.stop_all(self.top, final=True)
                self.has_exited = True
            case (Act.SUSPEND, Leaf()):
                place.is_suspended = True
            case (Act.RESUME, Leaf()):
                place.is_suspended = False
                self.run(place)
            case (Act.STOP, _):
                self.stop(place, final=True)
                place.is_stopped = True
                if not place.stays:
                    self.leave(place)
            case (Act.RESTART, _):
                place.failures = 0
                self.stop(place, final=False)
                self.start(place)
            case (Act.DELETE, _) if not place.is_alive:
                self.leave(place)
            case (Act.ADD | Act.ADD_SUPERVISOR, Branch()):
                self.add(step)
            case (Act.STALE, _):
                self.dead_letters += 1
            case _:
                pass
        if not self.has_exited:
            self.settle_all()

    def settle_all(self) -> None:
        for branch in reversed([one for one in self.top.beneath() if isinstance(one, Branch)]):
            self.settle(branch)

    def add(self, step: Step) -> None:
        """Add what a step says; do nothing if the name is taken."""
        path = added_path(step)
        if path.rpartition("/")[2] in self.top.children:
            return
        place: Place
        if step.act is Act.ADD:
            place = Leaf(path, step.restart, self.top, is_dynamic=True)
        else:
            place = Branch(
                path,
                step.restart,
                self.top,
                is_dynamic=True,
                strategy=step.strategy,
                limit=step.limit,
                auto_shutdown=step.auto_shutdown,
                spec=BENEATH,
            )
        self.top.children[place.id] = place
        self.start(place)


BENEATH = (("x", Restart.PERMANENT), ("y", Restart.TRANSIENT), ("z", Restart.TEMPORARY))
"""The children of a supervisor that is added."""


def is_significant(restart: Restart, kind: AutoShutdown) -> bool:
    """Return True if a child of such a supervisor is significant: wherever it may be."""
    return kind is not AutoShutdown.NEVER and restart is not Restart.PERMANENT


def added_path(step: Step) -> str:
    return f"/s/{'d' if step.act is Act.ADD else 'b'}{step.name}"


def _lines(item: str | Together) -> list[str]:
    return [item] if isinstance(item, str) else list(item)


def _comes_back(place: Place, *, crashed: bool) -> bool:
    return place.restart is Restart.PERMANENT or (place.restart is Restart.TRANSIENT and crashed)


KINDS = st.sampled_from(Restart)

STEPS = st.builds(
    Step,
    st.sampled_from(Act),
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(0, 1),
    KINDS,
    st.sampled_from(Strategy),
    st.integers(0, 2),
    st.sampled_from(AutoShutdown),
)


def scripts(steps: int) -> st.SearchStrategy[Script]:
    """Return scripts of at most so many steps."""
    return st.builds(
        Script,
        st.sampled_from(Strategy),
        st.lists(KINDS, max_size=4).map(tuple),
        st.integers(0, 5),
        st.lists(STEPS, max_size=steps).map(tuple),
        st.none() | st.builds(Cut, st.integers(0, steps - 1), st.integers(0, 40)),
        st.booleans(),
    ).map(_without_contradiction)


def _without_contradiction(script: Script) -> Script:
    """Let only children that are restarted one by one be set aside one by one."""
    is_alone = script.strategy is Strategy.ONE_FOR_ONE
    return attrs.evolve(script, quarantine=script.quarantine and is_alone)
