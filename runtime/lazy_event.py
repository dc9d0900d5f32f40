"""An event that costs little, also while somebody waits for it.

Every life of every actor has two, and mostly nobody waits: a `trio.Event` for each would be a tenth
of an idle actor's memory. Whoever starts an actor waits for one, which a `trio.Event` would make a
tenth of that, too.
"""

from __future__ import annotations

from functools import partial

import trio


class LazyEvent:
    """Like a `trio.Event`, made of two fields."""

    __slots__ = ("_is_set", "_tasks")

    def __init__(self) -> None:
        self._is_set = False
        self._tasks: dict[trio.lowlevel.Task, None] | None = None

    def is_set(self) -> bool:
        """Return True if it has been set."""
        return self._is_set

    def set(self) -> None:
        """Let everybody through, now and later."""
        self._is_set = True
        tasks, self._tasks = self._tasks, None
        for task in tasks or ():
            trio.lowlevel.reschedule(task)

    async def wait(self) -> None:
        """Wait until it is set; a checkpoint in any case."""
        if self._is_set:
            await trio.lowlevel.checkpoint()
            return
        if self._tasks is None:
            self._tasks = {}
        task = trio.lowlevel.current_task()
        self._tasks[task] = None
        await trio.lowlevel.wait_task_rescheduled(partial(self._leave, task))

    def _leave(self, task: trio.lowlevel.Task, _raise_cancel: object) -> trio.lowlevel.Abort:
        """Let a task that is cancelled wait no longer."""
        if self._tasks is not None:
            self._tasks.pop(task, None)
        return trio.lowlevel.Abort.SUCCEEDED
