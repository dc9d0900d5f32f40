"""The bounded end of a life.

An end is bounded in four steps, because trio cannot kill: the message in hand has three quarters
of the shutdown deadline, then it is cancelled; `on_stop` and the background tasks have the rest,
then they are cancelled too; after a grace, shields that still hold are lifted; after another, the
task is given up, reported by name, and no longer waited for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import trio

from command_center.runtime.cancel_shields import lift_shields
from command_center.runtime.lazy_event import LazyEvent

HAND_SHARE = 0.75
"""The share of the shutdown deadline that the message in hand may use."""
GRACE = 1.0
"""Seconds that a cancelled task has to end, before its shields are lifted and again after."""


class Mortal(Protocol):
    """A life, as the one sees it who waits for its end."""

    ended: LazyEvent
    cutoff: float
    """The time at which the message in hand is cancelled."""
    deadline: float
    """The time at which everything is cancelled."""

    def cut(self) -> None:
        """Cancel the message in hand."""

    def cancel_everything(self) -> None:
        """Cancel all that still runs."""

    def own_tasks(self) -> Iterable[trio.lowlevel.Task]:
        """Return the tasks of it that run."""

    def abandon(self, waited: float) -> None:
        """Count as over, though it is not."""


async def see_the_end(life: Mortal) -> None:
    """Wait for the end of a life, and enforce it; return at the latest when it is given up."""
    began = trio.current_time()
    with trio.move_on_at(life.cutoff):
        await life.ended.wait()
        return
    life.cut()
    with trio.move_on_at(life.deadline):
        await life.ended.wait()
        return
    life.cancel_everything()
    with trio.move_on_after(GRACE):
        await life.ended.wait()
        return
    for task in life.own_tasks():
        lift_shields(task)
    with trio.move_on_after(GRACE):
        await life.ended.wait()
        return
    life.abandon(trio.current_time() - began)
