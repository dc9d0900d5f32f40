"""Signals to those who observe the runtime: facts about lives, ends and dead letters.

An observer is a plain function that must not block; it runs at the moment of the fact, on the
trio thread. An observer that raises is logged and does not disturb the tree.
"""

from __future__ import annotations

import enum
from typing import TypeAlias

import attrs

from command_center.runtime.deadletters import DeadLetter


class ExitKind(enum.Enum):
    """The ways in which a life ends."""

    NORMAL = "normal"
    """By its own wish."""
    SHUTDOWN = "shutdown"
    """Because a supervisor or an operator stopped it, or by its own wish with this kind."""
    KILLED = "killed"
    """By force, in a stop whose deadline had passed or was 0."""
    IGNORED = "ignored"
    """By `Ignore` in `on_start`: it is not to run."""
    CRASHED = "crashed"
    """By an exception in a handler, a background task, `on_stop`, or a linked actor's crash."""
    START_FAILED = "start_failed"
    """By an exception before `on_start` returned."""


@attrs.frozen
class Exit:
    """The end of a life: its kind and, for the failed kinds, the exception."""

    kind: ExitKind
    error: BaseException | None = None

    @property
    def is_failure(self) -> bool:
        """Return True if the life ended by an exception."""
        return self.kind in (ExitKind.CRASHED, ExitKind.START_FAILED)


@attrs.frozen
class Started:
    """A life began: `on_start` returned, or a supervisor's children are started."""

    path: str


@attrs.frozen
class Crashed:
    """A life ended by an exception, or could not begin."""

    path: str
    error: BaseException | None
    start_failed: bool


@attrs.frozen
class Restarted:
    """A child is about to be started again after `delay` seconds; `restarts` counts its lives."""

    path: str
    restarts: int
    delay: float
    reason: str


@attrs.frozen
class Quarantined:
    """A child failed too often at the edge of its fault domain; an operator may restart it."""

    path: str
    error: BaseException | None


@attrs.frozen
class Stopped:
    """A child ended and will not be started again by its supervisor."""

    path: str
    reason: str


@attrs.frozen
class Operated:
    """An operator acted on a child: suspend, resume, drain, restart, or stop."""

    path: str
    action: str
    reason: str


@attrs.frozen
class Abandoned:
    """A child did not end within its deadline, nor when cancelled; the shutdown goes on."""

    path: str
    waited: float


@attrs.frozen
class Stalled:
    """Nothing was served for so many seconds, for an actor computed or blocked all that time.

    `path` is None where it was no actor. `stack` says where it stood, outermost first.
    """

    path: str | None
    seconds: float
    stack: tuple[str, ...]


Signal: TypeAlias = (
    Started
    | Crashed
    | Restarted
    | Quarantined
    | Stopped
    | Operated
    | Abandoned
    | Stalled
    | DeadLetter
)
"""A fact about a life, an end or a dead letter."""
