"""The way back from an actor to the task that asked it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import trio

from command_center.runtime.errors import AskTimeout
from command_center.runtime.ports import Line

R = TypeVar("R")


class Deferred(Generic[R]):
    """One answer that is still owed.

    Every ask makes one. A handler that cannot answer yet takes it over with `ctx.defer()`,
    returns it, and settles it later from a background task or another handler. The first
    settlement wakes the asker; settling again, or after the asker gave up, does nothing. If the
    actor's life ends first, the asker gets `ActorStopped` or `ActorCrashed`.
    """

    __slots__ = (
        "asked_at",
        "end_work",
        "error",
        "is_waited_for",
        "line",
        "message",
        "owner",
        "task",
        "value",
    )

    def __init__(
        self, task: trio.lowlevel.Task | None, line: Line, message: object, asked_at: float
    ) -> None:
        self.task = task
        """The task that waits for the answer; None when nobody does, or not any more."""
        self.line = line
        self.message = message
        self.asked_at = asked_at
        self.owner: set[Deferred[Any]] | None = None
        """The open deferred replies of the life that owes this one; None if it is not deferred."""
        self.value: R
        self.error: Exception | None = None
        self.is_waited_for = True
        """False while the asker's own task handles the request, and so cannot be woken."""
        self.end_work: Callable[[], object] | None = None
        """Ends the work that is done for this answer alone."""

    @property
    def is_awaited(self) -> bool:
        """Return True while somebody waits for the answer."""
        return self.task is not None

    # trio hands what a task is rescheduled with to the task, which unwraps it. A reply is its own
    # outcome, which spares making another.

    def unwrap(self) -> R:
        """Return the value, or raise the error, that it was settled with."""
        error = self.error
        if error is None:
            return self.value
        # What is raised must not be reached from its own frames: nothing would free it at once.
        self.error = None
        try:
            raise error
        finally:
            del error

    def send(self, value: R) -> None:
        """Answer with a value."""
        if self.owner is not None:
            self.owner.discard(self)
        task = self.task
        if task is not None:
            self.task = None
            self.value = value
            self._is_settled(task)

    def fail(self, error: Exception) -> None:
        """Answer with an exception, which is raised where the actor was asked."""
        if self.owner is not None:
            self.owner.discard(self)
        task = self.task
        if task is not None:
            self.task = None
            self.error = error
            self._is_settled(task)

    def _is_settled(self, task: trio.lowlevel.Task) -> None:
        """Let the asker go on; called once, after the first settlement."""
        if self.is_waited_for:
            trio.lowlevel.reschedule(task, self)  # type: ignore[arg-type]  # unwraps like one

    def expire(self, now: float) -> None:
        """Tell the asker, if it still waits, that its time is up."""
        if self.task is not None:
            self.line.leave_line(self)
            waited = now - self.asked_at
            self.fail(AskTimeout(self.line.path, type(self.message).__name__, waited))
            self._give_up_work()

    def give_up(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        """Stop waiting, for the asker is cancelled; a later settlement does nothing."""
        self.line.leave_line(self)
        self.task = None
        self._give_up_work()
        return trio.lowlevel.Abort.SUCCEEDED

    def stand_for(self, end_work: Callable[[], object]) -> None:
        """End the work for this answer, by that call, once nobody waits for it."""
        self.end_work = end_work
        if not self.is_awaited:
            self._give_up_work()

    def _give_up_work(self) -> None:
        if self.end_work is not None:
            self.end_work()
            if self.owner is not None:
                self.owner.discard(self)


class Forwarded(Deferred[R]):
    """An answer that an actor owes in the stead of the one that was asked.

    Whatever it is settled with is what the asker gets, who waits for the first reply and knows
    nothing of this one.
    """

    __slots__ = ("_first",)

    def __init__(self, first: Deferred[R], line: Line, message: object) -> None:
        super().__init__(None, line, message, first.asked_at)
        self._first = first

    @property
    def is_awaited(self) -> bool:
        """Return True while the asker waits."""
        return self._first.is_awaited

    def stand_for(self, end_work: Callable[[], object]) -> None:
        """End the work for this answer once the asker waits no more; then it is owed no more."""
        self.end_work = end_work
        self._first.stand_for(self._give_up_work)

    def send(self, value: R) -> None:
        """Answer with a value."""
        if self.owner is not None:
            self.owner.discard(self)
        self._first.send(value)

    def fail(self, error: Exception) -> None:
        """Answer with an exception."""
        if self.owner is not None:
            self.owner.discard(self)
        self._first.fail(error)


class SentRequest(Deferred[R]):
    """The answer to a request that was sent and is waited for later, once or several times."""

    __slots__ = ("_settled",)

    def __init__(
        self, task: trio.lowlevel.Task | None, line: Line, message: object, asked_at: float
    ) -> None:
        super().__init__(task, line, message, asked_at)
        self._settled = trio.Event()

    async def wait(self) -> R:
        """Wait for the answer, and return it or raise what `ask` would raise."""
        await self._settled.wait()
        if self.error is not None:
            raise self.error
        return self.value

    def _is_settled(self, _task: trio.lowlevel.Task) -> None:
        """Let those go on that wait for it, now or later."""
        self._settled.set()
