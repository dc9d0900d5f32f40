"""Silence of a turn: measured since the last sign of life, whatever the turn's duration."""

from __future__ import annotations

import trio

from command_center.actors.contracts.turns import TurnSilent
from command_center.runtime import ActorRef


class StallDetector:
    """Tells a session's actor when nothing was heard of its turn for long, and again after that."""

    def __init__(self, ref: ActorRef[TurnSilent], seconds: float) -> None:
        """Tell `ref` after each `seconds` of silence; 0 for never. Time while asleep counts not."""
        self._ref = ref
        self._seconds = seconds
        self._heard_at = trio.current_time()
        self._told = 0
        self._running = False

    def heard(self) -> None:
        """Take note of a sign of life."""
        self._heard_at = trio.current_time()
        self._told = 0

    def silence(self) -> float:
        """Return the seconds since the last sign of life."""
        return trio.current_time() - self._heard_at

    async def run(self) -> None:
        """Watch from now on until cancelled; a second call begins to count anew, and returns.

        However long the session waited for its turn, that was no silence of the turn. It may have
        waited in the queue, after a launch that its host did not live to see.
        """
        self.heard()
        if self._running or self._seconds == 0:
            return
        self._running = True
        while True:
            due = self._heard_at + self._seconds * (self._told + 1)
            if trio.current_time() < due:
                await trio.sleep_until(due)
                continue
            self._told += 1
            await self._ref.tell(TurnSilent(seconds=self.silence(), count=self._told))
