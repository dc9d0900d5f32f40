"""The checker of histories finds what is wrong, and takes what is right."""

from __future__ import annotations

import pytest

from tests.end_to_end.linearizability import Operation, is_linearizable


def write(value: int, began: float, ended: float = float("inf")) -> Operation:
    return Operation("write", value, began, ended)


def read(value: int, began: float, ended: float) -> Operation:
    return Operation("read", value, began, ended)


@pytest.mark.parametrize(
    "history",
    [
        [],
        [write(1, 0, 1), read(1, 2, 3)],
        [write(1, 0, 4), read(0, 1, 2), read(1, 2.5, 3)],  # it came about meanwhile
        [write(1, 0, 5), write(2, 0, 5), read(2, 6, 7), read(2, 8, 9)],  # at once, in some order
        [write(1, 0), read(0, 1, 2), read(1, 3, 4)],  # nobody knew, and it was done later
        [write(1, 0), read(0, 1, 2), read(0, 3, 4)],  # or never
    ],
)
def test_a_history_that_some_order_explains_is_taken(history: list[Operation]) -> None:
    assert is_linearizable(history, 0)


@pytest.mark.parametrize(
    "history",
    [
        [write(1, 0, 1), read(0, 2, 3)],  # an acknowledged write is lost
        [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)],  # a later one is
        [write(1, 0), read(1, 1, 2), read(0, 3, 4)],  # what was seen is unseen
        [read(7, 0, 1)],  # nobody wrote it
        [write(1, 0, 9), write(2, 0, 9), read(1, 10, 11), read(2, 12, 13)],  # there and back
        [write(1, 2, 3), read(1, 0, 1)],  # seen before it began
    ],
)
def test_a_history_that_no_order_explains_is_found(history: list[Operation]) -> None:
    assert not is_linearizable(history, 0)
