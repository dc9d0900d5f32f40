"""Protocols by which the parts of a tree use those above them.

A place in the tree, its parent and the system know each other, and so would their modules. Each
module imports only what stands below it, and says here what it expects of the rest. What only one
module needs of those above stands in that module, at its top.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from command_center.runtime.accounting import Counts
from command_center.runtime.deadletters import DeadLetterReason
from command_center.runtime.monitors import Down
from command_center.runtime.signals import Exit, Signal
from command_center.runtime.specs import SupervisorSpec

ChildT_contra = TypeVar("ChildT_contra", contravariant=True)


class Line(Protocol):
    """The line in front of a mailbox, where a request may wait for room."""

    @property
    def path(self) -> str:
        """Return the path of the actor whose mailbox it is."""

    def leave_line(self, sender: object) -> None:
        """Stop waiting for room; do nothing if the message has been put."""


class Watcher(Protocol):
    """One that is told of a death."""

    def notice(self, down: Down, target: Watched) -> None:
        """Be told that `target` is dead; it has forgotten the watcher."""


class Watched(Protocol):
    """A place in the tree that can be monitored."""

    def add_monitor(self, watcher: Watcher) -> None:
        """Tell `watcher` of the death of what stands there, at once if it is dead."""

    def remove_monitor(self, watcher: Watcher) -> None:
        """No longer tell `watcher`."""


class SystemPort(Protocol):
    """The part of the system that a child uses."""

    clock: Callable[[], float]
    rng: random.Random
    departed: Counts
    abandoned: list[str]
    stalls: dict[str | None, int]

    def start_soon(self, work: Callable[..., Awaitable[object]], *args: Any, name: str) -> None:
        """Start a task of the tree."""

    def emit(self, signal: Signal) -> None:
        """Tell the observers."""

    def add_dead_letter(
        self, path: str, message: object, reason: DeadLetterReason, at: float
    ) -> None:
        """Keep a message that was not handled."""

    def end_with(self, error: BaseException) -> None:
        """Stop every actor in order, and raise the error where the system was opened."""

    def describe_error(self, error: BaseException | None) -> str | None:
        """Return an exception's type and text, redacted."""


class Parent(Protocol[ChildT_contra]):
    """The part of a supervisor that its children use."""

    @property
    def path(self) -> str:
        """Return where the supervisor stands."""

    @property
    def prefix(self) -> str:
        """Return what the paths of its children begin with."""

    @property
    def spec(self) -> SupervisorSpec:
        """Return the spec that it was made from."""

    @property
    def parent(self) -> Parent[ChildT_contra] | None:
        """Return the supervisor above it; None for the root."""

    @property
    def is_serving(self) -> bool:
        """Return whether children may be started."""

    def child_began(self) -> None:
        """Take note that a start has succeeded or failed."""

    def child_ended(self, child: ChildT_contra, end: Exit) -> None:
        """Take note of an end that calls for a decision."""

    def child_retired(self, child: ChildT_contra) -> None:
        """Let a dead child leave the tree, unless an operator may want it back."""
