"""Signals of a command that has something to finish, or to clear away, before it ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

TERMINATED: Final = 128 + signal.SIGTERM
"""The exit code of a command that SIGTERM has ended."""


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Have SIGTERM end the work as Ctrl-C does, so that nothing is left of it."""

    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def ignoring_ends() -> Iterator[None]:
    """Go on whoever asks for the end: Ctrl-C, SIGTERM, or a terminal that closes."""
    asked = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
    before = {number: signal.signal(number, signal.SIG_IGN) for number in dict.fromkeys(asked)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
