"""The bounded store of dead letters."""

from __future__ import annotations

from command_center.runtime import DeadLetterReason, DeadLetters
from command_center.runtime.deadletters import DeadLetter


def test_the_store_keeps_the_newest_and_counts_all() -> None:
    letters = DeadLetters(2)
    for number in range(5):
        letters.add("/a", number, DeadLetterReason.STOPPED, float(number))
    assert list(letters) == [
        DeadLetter(4, "/a", 3, DeadLetterReason.STOPPED, 3.0),
        DeadLetter(5, "/a", 4, DeadLetterReason.STOPPED, 4.0),
    ]
    assert (letters.total, letters.evicted, len(letters)) == (5, 3, 2)


def test_reasons_are_counted_apart() -> None:
    letters = DeadLetters(1)
    letters.add("/a", None, DeadLetterReason.STOPPED, 0.0)
    letters.add("/a", None, DeadLetterReason.UNHANDLED, 0.0)
    letters.add("/a", None, DeadLetterReason.STOPPED, 0.0)
    assert letters.by_reason == {DeadLetterReason.STOPPED: 2, DeadLetterReason.UNHANDLED: 1}
