"""A checker of histories of one register: some order of its operations must explain what they saw.

The order must keep to real time: what had ended before another operation began comes first
(Herlihy and Wing, https://doi.org/10.1145/78969.78972). A write whose outcome nobody knows may have
been done at any time after it began, or never; one that no read saw is left out. The search is that
of Wing and Gong, with a memory of what was tried.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import attrs


@attrs.frozen
class Operation:
    """An operation on the register.

    Attributes:
        kind: a write of the value, or a read that saw it.
        value: the value.
        began: the moment at which it began.
        ended: the moment of its answer; infinity for a write that nobody knows the outcome of.
    """

    kind: Literal["write", "read"]
    value: object
    began: float
    ended: float = math.inf


def is_linearizable(history: Sequence[Operation], initial: object) -> bool:
    """Tell whether some order explains the history."""
    seen = {one.value for one in history if one.kind == "read"}
    history = [one for one in history if one.ended < math.inf or one.value in seen]
    certain = frozenset(place for place, one in enumerate(history) if one.ended < math.inf)
    tried: set[tuple[frozenset[int], object]] = set()
    waiting: list[tuple[frozenset[int], object]] = [(frozenset(range(len(history))), initial)]
    while waiting:
        left, value = waiting.pop()
        if not left & certain:
            return True
        if (left, value) in tried:
            continue
        tried.add((left, value))
        first_end = min(history[place].ended for place in left)
        for place in left:
            one = history[place]
            if one.began > first_end or (one.kind == "read" and one.value != value):
                continue
            waiting.append((left - {place}, one.value))
    return False
