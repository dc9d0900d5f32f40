"""Moments that lie ahead, by the wall clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import trio

from command_center.store.timestamps import from_timestamp, to_timestamp

LOOK_SECONDS = 15.0
"""The most seconds to sleep before looking at the wall clock again.

The wall clock may be set, and the machine may sleep, while a timer runs: no timer is trusted for
longer than this.
"""


def later(moment: str, seconds: float) -> str:
    """Return the moment `seconds` after a stored one, as it is stored."""
    return to_timestamp(from_timestamp(moment) + timedelta(seconds=seconds))


def seconds_until(moment: str) -> float:
    """Seconds of the wall clock until a stored moment; negative when it has passed."""
    return (from_timestamp(moment) - datetime.now(UTC)).total_seconds()


async def sleep_until(moment: str) -> None:
    """Return when the wall clock has reached a stored moment, late by `LOOK_SECONDS` at most."""
    left = seconds_until(moment)
    while left > 0:
        await trio.sleep(min(left, LOOK_SECONDS))
        left = seconds_until(moment)
