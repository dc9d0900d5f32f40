"""Random trees and random scripts of what happens to them, for the accounting property.

A script is plain data, so that a failing case shrinks to a few lines that can be read and run
again: a tree, and for each sender the steps that it takes one after the other.
"""

from __future__ import annotations

import enum

import attrs
from hypothesis import strategies as st

from command_center.runtime import AutoShutdown, Restart, Strategy


class Deed(enum.Enum):
    """The acts that a message makes its actor do."""

    WORK = "work"
    NAP = "nap"
    LONG = "long"
    REFUSE = "refuse"
    CRASH = "crash"
    LEAVE = "leave"
    DEFER = "defer"
    SETTLE = "settle"
    SETTLE_NOW = "defer and settle"
    SPAWN_TASK = "spawn task"
    CRASH_TASK = "crash task"
    NOT_HANDLED = "not handled"
    STASH = "stash once"
    STASH_AND_CRASH = "stash once and crash"
    UNSTASH = "unstash"
    TIMER = "timer"


class End(enum.Enum):
    """The acts of an actor in `on_stop`."""

    QUICK = "quick"
    SLOW = "slow"
    RAISES = "raises"
    HANGS = "hangs"
    CLINGS = "clings"


class How(enum.Enum):
    """The way in which a message is sent."""

    TELL = "tell"
    TRY_TELL = "try_tell"
    ASK = "ask"
    QUICK_ASK = "ask, of a handler that awaits nothing"
    SEND_REQUEST = "send_request"
    IMPATIENT_TELL = "tell, given up soon"


class Act(enum.Enum):
    """The acts of an operator."""

    SUSPEND = "suspend"
    RESUME = "resume"
    DRAIN = "drain"
    RESTART = "restart"
    STOP = "stop"
    DELETE = "delete"
    CHANGE = "change"


@attrs.frozen
class Leaf:
    """An actor. `bad_starts` are the numbers of its lives whose start fails, or is ignored."""

    restart: Restart = Restart.PERMANENT
    mailbox: int = 3
    shutdown: float = 2.0
    end: End = End.QUICK
    bad_starts: frozenset[int] = frozenset()
    ignored: frozenset[int] = frozenset()
    significant: bool = False


@attrs.frozen
class Branch:
    """A supervisor; its children are called 0, 1, 2, …"""

    children: tuple[Leaf | Branch, ...]
    strategy: Strategy = Strategy.ONE_FOR_ONE
    restart: Restart = Restart.PERMANENT
    limit: int = 3
    quarantine: bool = False
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER


@attrs.frozen
class Send:
    """Send a message to the `target`-th actor that ever was."""

    target: int
    deed: Deed = Deed.WORK
    how: How = How.TELL


@attrs.frozen
class Operate:
    """Let an operator act on the `target`-th place of the tree."""

    target: int
    act: Act


@attrs.frozen
class Add:
    """Start a dynamic child under the `target`-th supervisor."""

    target: int
    child: Leaf | Branch


@attrs.frozen
class Wait:
    """Let time pass, in seconds."""

    seconds: float


Step = Send | Operate | Add | Wait


@attrs.frozen
class Script:
    """A tree, and what each sender does with it."""

    tree: Branch
    senders: tuple[tuple[Step, ...], ...]


RESTARTS = st.sampled_from(Restart)

LEAVES = st.builds(
    Leaf,
    restart=RESTARTS,
    mailbox=st.integers(1, 4),
    shutdown=st.sampled_from([2.0, 0.0, 5.0]),
    end=st.sampled_from(End),
    bad_starts=st.frozensets(st.integers(1, 4), max_size=2),
    ignored=st.one_of(st.just(frozenset()), st.frozensets(st.integers(0, 2), max_size=1)),
    significant=st.booleans(),
)


def branches(children: st.SearchStrategy[Leaf | Branch]) -> st.SearchStrategy[Branch]:
    """Return supervisors over such children."""
    return st.builds(
        Branch,
        st.lists(children, max_size=3).map(tuple),
        strategy=st.sampled_from(Strategy),
        restart=RESTARTS,
        limit=st.integers(0, 4),
        quarantine=st.booleans(),
        auto_shutdown=st.sampled_from(AutoShutdown),
    ).map(_without_contradiction)


def _without_contradiction(branch: Branch) -> Branch:
    if branch.strategy is Strategy.ONE_FOR_ONE:
        return branch
    return attrs.evolve(branch, quarantine=False)


LOW = branches(LEAVES)
HIGH = branches(st.one_of(LEAVES, LOW))
TREES = branches(st.one_of(LEAVES, LOW, HIGH))

TARGETS = st.integers(0, 7)

STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Send, TARGETS, st.sampled_from(Deed), st.sampled_from(How)),
    st.builds(Send, TARGETS, st.sampled_from(Deed), st.sampled_from(How)),
    st.builds(Operate, TARGETS, st.sampled_from(Act)),
    st.builds(Add, st.integers(0, 3), st.one_of(LEAVES, LEAVES, LOW)),
    st.builds(Wait, st.sampled_from([0.0, 0.5, 3.0, 20.0])),
)

SCRIPTS = st.builds(
    Script,
    TREES,
    st.lists(st.lists(STEPS, min_size=1, max_size=10).map(tuple), min_size=1, max_size=3).map(
        tuple
    ),
)
