"""The arithmetic of restarting: who comes back, and when it is too often.

Pure of any clock or task: times come in as numbers, so that every rule can be tested by itself.
"""

from __future__ import annotations

from collections import deque

from command_center.runtime.signals import ExitKind
from command_center.runtime.specs import Intensity, Restart

_COMES_BACK: dict[Restart, frozenset[ExitKind]] = {
    Restart.PERMANENT: frozenset(ExitKind) - {ExitKind.IGNORED},
    Restart.TRANSIENT: frozenset({ExitKind.CRASHED, ExitKind.START_FAILED}),
    Restart.TEMPORARY: frozenset(),
}


def comes_back(restart: Restart, exit_kind: ExitKind) -> bool:
    """Tell whether a child of this kind is started again after such an end."""
    return exit_kind in _COMES_BACK[restart]


class RestartWindow:
    """Counts restarts over the last `period` seconds.

    A restart that is exactly `period` seconds old no longer counts.
    """

    def __init__(self, intensity: Intensity) -> None:
        self._intensity = intensity
        self._times: deque[float] = deque()

    def add(self, now: float) -> bool:
        """Count one restart; return whether that is more than the intensity allows."""
        self._times.append(now)
        return self.count(now) > self._intensity.restarts

    def count(self, now: float) -> int:
        """Return how many restarts the window holds."""
        oldest = now - self._intensity.period
        while self._times and self._times[0] <= oldest:
            self._times.popleft()
        return len(self._times)

    def clear(self) -> None:
        """Forget every restart."""
        self._times.clear()
