"""Links, monitors and groups against a model of their rules, over random scripts.

A crash goes along links and nowhere else; a normal end and a stop go nowhere. A death, and no
restart, is told to who monitors. All bonds of a life end with it.
"""

from __future__ import annotations

import enum
from collections import Counter
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from command_center.runtime import (
    ActorRef,
    Context,
    Intensity,
    Restart,
    System,
    open_system,
)
from tests.runtime.probes import Crash, Leave, Run, branch, probe, tree

GROUP = "those who joined"


class Act(enum.Enum):
    """The things that happen to an actor, some of them with another."""

    LINK = "link"
    UNLINK = "unlink"
    MONITOR = "monitor"
    DEMONITOR = "demonitor"
    JOIN = "join"
    CRASH = "crash"
    LEAVE = "leave"
    STOP = "stop"
    RESTART = "restart"


@attrs.frozen
class Step:
    """The `one` does something, with the `other` where it takes two."""

    act: Act
    one: int
    other: int = 0


Life = tuple[int, int]
"""The number of an actor, and of its life."""


class Model:
    """The rules."""

    def __init__(self, kinds: tuple[Restart, ...]) -> None:
        self.kinds = kinds
        self.lives = [1] * len(kinds)
        self.dead: dict[int, str] = {}
        """The reason for which each of the dead died."""
        self.links: set[frozenset[Life]] = set()
        self.watched: set[tuple[Life, int]] = set()
        self.members: list[int] = []
        self.told: list[tuple[Life, int, str]] = []
        """The deaths that a life has to be told of in this step, unless it ends as well."""

    def life(self, number: int) -> Life:
        return number, self.lives[number]

    def take(self, step: Step) -> bool:  # noqa: C901, PLR0912 - a table of acts
        """Follow the rules for one step; return False if it cannot happen."""
        one, other = step.one, step.other
        if one in self.dead:
            if step.act is not Act.RESTART or self.kinds[one] is Restart.TEMPORARY:
                return False
            del self.dead[one]
            self.lives[one] += 1
            return True
        pair = frozenset({self.life(one), self.life(other)})
        match step.act:
            case Act.LINK if other in self.dead:
                self.crash(one)
            case Act.LINK if one != other:
                self.links.add(pair)
            case Act.UNLINK:
                self.links.discard(pair)
            case Act.MONITOR if other in self.dead:
                self.told.append((self.life(one), other, self.dead[other]))
            case Act.MONITOR:
                self.watched.add((self.life(one), other))
            case Act.DEMONITOR:
                self.watched.discard((self.life(one), other))
            case Act.JOIN if one not in self.members:
                self.members.append(one)
            case Act.CRASH:
                self.crash(one)
            case Act.LEAVE:
                self.end(one, "normal", comes_back=self.kinds[one] is Restart.PERMANENT)
            case Act.STOP:
                self.end(one, "shutdown", comes_back=False)
            case Act.RESTART:
                self.end(one, "shutdown", comes_back=True)
            case _:
                pass
        return True

    def crash(self, number: int) -> None:
        life = self.life(number)
        partners = {one for pair in self.links if life in pair for one in pair} - {life}
        self.end(number, "crashed", comes_back=self.kinds[number] is not Restart.TEMPORARY)
        for partner in sorted(partners):
            if partner == self.life(partner[0]):
                self.crash(partner[0])

    def end(self, number: int, reason: str, *, comes_back: bool) -> None:
        life = self.life(number)
        self.links = {pair for pair in self.links if life not in pair}
        self.watched = {(who, whom) for who, whom in self.watched if who != life}
        if number in self.members:
            self.members.remove(number)
        if comes_back:
            self.lives[number] += 1
            return
        self.dead[number] = reason
        self.told += [(who, number, reason) for who, whom in self.watched if whom == number]
        self.watched = {(who, whom) for who, whom in self.watched if whom != number}

    def news(self) -> tuple[Counter[str], Counter[str]]:
        """Return the lines that have to be written of deaths, and those that may be."""
        must: Counter[str] = Counter()
        may: Counter[str] = Counter()
        for (who, life), whom, reason in self.told:
            line = f"{who} down /s/{whom} {reason}"
            may[line] += 1
            must[line] += (who, life) == self.life(who) and who not in self.dead
        self.told.clear()
        return must, may


def bind(step: Step, other: ActorRef[Any]) -> Run:
    """Return what lets an actor take such a step."""

    def work(ctx: Context) -> None:
        match step.act:
            case Act.LINK:
                ctx.link(other)
            case Act.UNLINK:
                ctx.unlink(other)
            case Act.MONITOR:
                ctx.monitor(other)
            case Act.DEMONITOR:
                ctx.demonitor(other)
            case _:
                ctx.join(GROUP)

    return Run(work)


async def happen(system: System, step: Step, refs: list[ActorRef[Any]]) -> None:
    """Let one step happen to the real actors."""
    ref = refs[step.one]
    match step.act:
        case Act.CRASH:
            await ref.tell(Crash())
        case Act.LEAVE:
            await ref.tell(Leave())
        case Act.STOP:
            await system.stop_child(ref.path, reason="script")
        case Act.RESTART:
            await system.restart(ref.path, reason="script")
        case _:
            await ref.tell(bind(step, refs[step.other]))
    await trio.testing.wait_all_tasks_blocked()


def run(kinds: tuple[Restart, ...], steps: tuple[Step, ...]) -> None:
    model = Model(kinds)
    log: list[str] = []

    async def main() -> None:
        children = [probe(str(number), log, restart=kind) for number, kind in enumerate(kinds)]
        spec = tree(branch("s", children, intensity=Intensity(10_000, 10.0)))
        async with open_system(spec) as system:
            refs = [system.lookup(f"/s/{number}") for number in range(len(kinds))]
            for step in steps:
                began = len(log)
                if not model.take(step):
                    continue
                await happen(system, step, refs)
                must, may = model.news()
                told = Counter(line for line in log[began:] if " down " in line)
                assert must <= told <= may, step
                starts = [log.count(f"{number} start") for number in range(len(kinds))]
                assert model.lives == starts, (step, log[began:])
                assert {*model.dead} == {n for n, ref in enumerate(refs) if ref.is_dead}, step
                assert [refs[n] for n in model.members] == [*system.members(GROUP)], step

    trio.run(main)


ACTORS = 4
KINDS = st.lists(st.sampled_from(Restart), min_size=ACTORS, max_size=ACTORS).map(tuple)
NUMBERS = st.integers(0, ACTORS - 1)
STEPS = st.builds(Step, st.sampled_from([*Act, Act.LINK, Act.MONITOR]), NUMBERS, NUMBERS)


def scripts(most: int) -> st.SearchStrategy[tuple[Step, ...]]:
    """Return scripts of at most so many steps."""
    return st.lists(STEPS, max_size=most).map(tuple)


CHAIN = (
    Step(Act.LINK, 0, 1),
    Step(Act.LINK, 2, 1),
    Step(Act.MONITOR, 3, 1),
    Step(Act.JOIN, 2),
    Step(Act.LEAVE, 3),
    Step(Act.MONITOR, 3, 1),
    Step(Act.CRASH, 0),
    Step(Act.LINK, 0, 1),
    Step(Act.CRASH, 2),
    Step(Act.LINK, 0, 3),
    Step(Act.UNLINK, 0, 3),
    Step(Act.CRASH, 0),
    Step(Act.CRASH, 3),
    Step(Act.MONITOR, 0, 2),
    Step(Act.DEMONITOR, 0, 2),
    Step(Act.STOP, 2),
)
MIXED = (Restart.PERMANENT, Restart.TEMPORARY, Restart.TRANSIENT, Restart.PERMANENT)


@pytest.mark.timeout(600)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(KINDS, scripts(15))
@example(MIXED, CHAIN)
def test_bonds_do_what_their_rules_say(kinds: tuple[Restart, ...], steps: tuple[Step, ...]) -> None:
    run(kinds, steps)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@settings(max_examples=10_000, deadline=None)
@given(KINDS, scripts(30))
def test_bonds_do_what_their_rules_say_in_thousands_of_scripts(
    kinds: tuple[Restart, ...], steps: tuple[Step, ...]
) -> None:
    run(kinds, steps)
