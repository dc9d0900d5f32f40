"""`/clock`: notices that the machine slept, or that its clock was set.

While a machine sleeps its monotonic clock stands still and its wall clock goes on; a clock that is
set moves alone. Either way the two come apart, and everything that follows the wall clock is due
for a look: deadlines of approvals and pauses before retries. What measures silence follows the
monotonic clock, so a turn is not called stalled for having slept.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping

import msgspec

from command_center.actors.contracts.addresses import APPROVALS, SLOTS
from command_center.actors.contracts.approvals import DeadlinesPassed
from command_center.actors.contracts.events.operator import ClockMoved
from command_center.actors.contracts.sessions import SlotsChanged
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, ActorNotFound, MailboxFull, handles
from command_center.store import Transaction

LOOK_SECONDS = 5.0
"""Seconds between two looks."""

GAP_SECONDS = 5.0
"""Seconds by which the clocks must differ between two looks to be reported."""


class LookAtClocks(msgspec.Struct, frozen=True):
    """It is time for another look."""


class ClockWatch(Actor):
    """Tells of gaps between the wall clock and the monotonic one."""

    def __init__(
        self,
        storage: Storage,
        *,
        wall: Callable[[], float] = time.time,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """Compare `wall`, in seconds, with trio's clock, every `look_seconds`."""
        self._storage = storage
        self._wall = wall
        self._look_seconds = look_seconds
        self._jumps = 0
        self._seen: tuple[float, float]
        """The two clocks at the last look."""

    async def on_start(self) -> None:
        """Begin to look."""
        self._seen = (self._wall(), self.ctx.now())
        self.ctx.send_every(self._look_seconds, LookAtClocks())

    def describe(self) -> Mapping[str, object]:
        """Show how many gaps there were since the start."""
        return {"jumps": self._jumps}

    @handles(LookAtClocks)
    async def look(self, _message: LookAtClocks) -> None:
        """Tell of a gap, and have everybody who follows the wall clock look again."""
        before, self._seen = self._seen, (self._wall(), self.ctx.now())
        gap = (self._seen[0] - before[0]) - (self._seen[1] - before[1])
        if abs(gap) < GAP_SECONDS:
            return
        self._jumps += 1

        def record(tx: Transaction) -> None:
            tx.emit(ClockMoved(seconds=round(gap, 3)), actor="runtime")

        await self._storage.write(record)
        with contextlib.suppress(ActorNotFound, MailboxFull):
            self.ctx.lookup(APPROVALS).try_tell(DeadlinesPassed())
        with contextlib.suppress(ActorNotFound, MailboxFull):
            self.ctx.lookup(SLOTS).try_tell(SlotsChanged())
