"""Dead letters: the messages that no actor handled, with the reason, in a bounded store."""

from __future__ import annotations

import enum
from collections import Counter, deque
from collections.abc import Iterator, Mapping

import attrs


class DeadLetterReason(enum.Enum):
    """The reasons for which a message becomes a dead letter."""

    STOPPED = "stopped"
    """The target had ended, or was being stopped, when the message came or while it waited."""
    DRAINING = "draining"
    """The target takes no new messages; it ends when it has handled the waiting ones."""
    QUARANTINED = "quarantined"
    """The target failed too often and waits for an operator."""
    UNHANDLED = "unhandled"
    """The target has no handler for messages of this type."""


@attrs.frozen
class DeadLetter:
    """One message that was not handled. `at` is the system clock's time in seconds."""

    number: int
    path: str
    message: object
    reason: DeadLetterReason
    at: float


class DeadLetters:
    """The newest dead letters, oldest first, and a count of all there ever were."""

    def __init__(self, capacity: int) -> None:
        self._kept: deque[DeadLetter] = deque(maxlen=capacity)
        self._by_reason: Counter[DeadLetterReason] = Counter()
        self.total = 0

    def add(self, path: str, message: object, reason: DeadLetterReason, at: float) -> DeadLetter:
        """Keep a message; beyond the capacity the oldest kept one goes, but stays counted."""
        self.total += 1
        self._by_reason[reason] += 1
        letter = DeadLetter(self.total, path, message, reason, at)
        self._kept.append(letter)
        return letter

    @property
    def by_reason(self) -> Mapping[DeadLetterReason, int]:
        """Count all there ever were, by reason."""
        return dict(self._by_reason)

    @property
    def evicted(self) -> int:
        """Count those that are no longer kept."""
        return self.total - len(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[DeadLetter]:
        return iter(tuple(self._kept))
