"""The way back from an actor to the task that asked it."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import outcome
import trio

R = TypeVar("R")


class Deferred(Generic[R]):
    """One answer that is still owed.

    Every ask makes one. A handler that cannot answer yet takes it over with `ctx.defer()`,
    returns it, and settles it later from a background task or another handler. The first
    settlement wakes the asker; settling again, or after the asker gave up, does nothing. If the
    actor's life ends first, the asker gets `ActorStopped` or `ActorCrashed`.
    """

    __slots__ = ("_task", "asked_at", "message", "owner")

    def __init__(self, task: trio.lowlevel.Task | None, message: object, asked_at: float) -> None:
        self._task = task
        self.message = message
        self.asked_at = asked_at
        self.owner: set[Deferred[Any]] | None = None
        """The open deferred replies of the life that owes this one; None if it is not deferred."""

    @property
    def is_awaited(self) -> bool:
        """Whether somebody still waits for the answer."""
        return self._task is not None

    def send(self, value: R) -> None:
        """Answer with a value."""
        owner = self.owner
        if owner is not None:
            owner.discard(self)
        task = self._task
        if task is not None:
            self._task = None
            trio.lowlevel.reschedule(task, outcome.Value(value))

    def fail(self, error: Exception) -> None:
        """Answer with an exception, which is raised where the actor was asked."""
        owner = self.owner
        if owner is not None:
            owner.discard(self)
        task = self._task
        if task is not None:
            self._task = None
            trio.lowlevel.reschedule(task, outcome.Error(error))

    def forget(self) -> None:
        """Give up waiting; a later settlement does nothing."""
        self._task = None
