"""A heap of wall-clock alarms, the earliest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

SPARE = 1000
"""So many outdated entries may lie in the heap before it is built anew."""


class Alarms:
    """At most one alarm for each automation. Times are seconds since 1970."""

    def __init__(self) -> None:
        """No alarm is set."""
        self._due: dict[int, float] = {}
        self._heap: list[tuple[float, int]] = []

    def __len__(self) -> int:
        """Count the alarms that are set."""
        return len(self._due)

    def set(self, automation_id: int, due: float | None) -> None:
        """Set, move or, with None, remove an alarm."""
        if due is None:
            self._due.pop(automation_id, None)
            return
        if self._due.get(automation_id) == due:
            return
        self._due[automation_id] = due
        if len(self._heap) > 2 * len(self._due) + SPARE:
            self._heap = [(due, key) for key, due in self._due.items()]
            heapq.heapify(self._heap)
        else:
            heapq.heappush(self._heap, (due, automation_id))

    def next_due(self) -> float | None:
        """Return the time of the earliest alarm, or None if none is set."""
        while self._heap:
            due, automation_id = self._heap[0]
            if self._due.get(automation_id) == due:
                return due
            heapq.heappop(self._heap)
        return None

    def take_due(self, now: float) -> Iterator[int]:
        """Remove the alarms that have gone off, and give whose they were, the earliest first."""
        while (due := self.next_due()) is not None and due <= now:
            _, automation_id = heapq.heappop(self._heap)
            del self._due[automation_id]
            yield automation_id
