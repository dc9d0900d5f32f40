"""The `Retry-After` of an answer (RFC 9110, section 10.2.3), which another machine has written."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def retry_after(said: bytes | str | None, *, longest: float) -> float | None:
    """Return the seconds that it wants: from 0 to `longest`. None where it has no time.

    It has a number of seconds, or a date. Anything else is borne, and is no time.
    """
    text = (said.decode("latin-1") if isinstance(said, bytes) else said or "").strip()
    if not text.isascii():
        return None
    if text.isdigit():
        return min(float(text), longest)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError, TypeError, IndexError):  # as odd dates make it raise
        return None
    return min(max(0.0, seconds), longest)
