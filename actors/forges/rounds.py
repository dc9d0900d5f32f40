"""Rounds of what is read at a forge again and again: each has its time, and its own failures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs
import trio

from command_center.actors.rules.errors import Unavailable
from command_center.runtime import Backoff, Refusal

RESTS: Final = 3600.0
"""Seconds to rest at most while nothing is due."""


@attrs.define(eq=False)
class _Round:
    """The time from which one is due, and the looks at it that failed in a row."""

    id: int
    _backoff: Backoff
    at: float = 0.0
    _failures: int = 0

    def put_off(self, seconds: float) -> None:
        """Have it read again after so many seconds: it was read."""
        self.at, self._failures = trio.current_time() + seconds, 0

    def fail(self, error: Refusal) -> None:
        """Have it read again, later each time that it fails, and not before its forge allows."""
        self._failures += 1
        pause = self._backoff.delay(self._failures)
        if isinstance(error, Unavailable) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        self.at = trio.current_time() + pause


@attrs.define
class Rounds:
    """Say what is due. One that fails is put off, and holds up no other.

    rounds = Rounds(Backoff(initial=30.0, cap=900.0))
    for one in rounds.due([1, 2]):
        one.put_off(180.0)
    await trio.sleep(rounds.rest())
    """

    _backoff: Backoff
    _known: dict[int, _Round] = attrs.field(factory=dict, init=False)

    @property
    def known(self) -> list[int]:
        """Return the ids of all that are known."""
        return sorted(self._known)

    def due(self, ids: Iterable[int]) -> list[_Round]:
        """Return the rounds of these ids that are due, in their order; forget all others."""
        self._known = {id_: self._known.get(id_) or _Round(id_, self._backoff) for id_ in ids}
        return [one for one in self._known.values() if one.at <= trio.current_time()]

    def hurry(self, *ids: int) -> None:
        """Have these read at once, or all; one that is being read is read once more."""
        for id_ in ids or self.known:
            self._known[id_] = _Round(id_, self._backoff)

    def rest(self) -> float:
        """Return the seconds until the next is due."""
        now = trio.current_time()
        return max(0.0, min((one.at - now for one in self._known.values()), default=RESTS))
