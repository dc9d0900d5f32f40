"""Quiet hours: the time of the day in which people are told without a sound."""

from __future__ import annotations

import re
from datetime import datetime, time, tzinfo
from typing import Final

_FORM: Final = re.compile(r"([01]?\d|2[0-3])(?::([0-5]\d))?-([01]?\d|2[0-3])(?::([0-5]\d))?")


def parse_quiet_hours(said: str) -> tuple[time, time]:
    """Read `22:00-07:00`, or `22-7`.

    Raises:
        ValueError: it is something else, or no time at all.
    """
    match = _FORM.fullmatch(said.replace(" ", ""))
    if match is None:
        raise ValueError(said)
    begin = time(int(match[1]), int(match[2] or 0))
    end = time(int(match[3]), int(match[4] or 0))
    if begin == end:
        raise ValueError(said)
    return begin, end


def is_quiet(hours: str | None, now: datetime, zone: tzinfo | None) -> bool:
    """Tell whether a moment is in quiet hours, which may pass midnight, by the clock of a zone."""
    if hours is None:
        return False
    begin, end = parse_quiet_hours(hours)
    here = now.astimezone(zone).time()
    if begin <= end:
        return begin <= here < end
    return here >= begin or here < end
