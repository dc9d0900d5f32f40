"""Moments in a query: RFC 3339 with any offset, compared with the store's own as text.

The store's timestamps are in UTC and whole milliseconds. For such a timestamp, "not before a
moment" and "before a moment" mean the same for the moment and for the next whole millisecond, so
a finer moment is rounded up.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, TypeAlias

import msgspec

from command_center.http.wire.problems import Detail, InvalidFields
from command_center.store import from_timestamp, to_timestamp

Moment: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=64, extra_json_schema={"format": "date-time"})
]
"""A moment as it comes from outside; `normalised` checks it."""

_MOMENT = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})[Tt ](?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d+))?"
    r"(?P<offset>[Zz]|[+\- ]\d{2}:\d{2})",
    re.ASCII,
)


def normalised(name: str, moment: str | None) -> str | None:
    """Return the moment as the store writes it; None stays None.

    A plus that was not percent-encoded comes as a space, and is taken for what was meant.

    Raises:
        InvalidFields: it is no RFC 3339 moment, named as the parameter `name`.
    """
    if moment is None:
        return None
    found = _read(moment)
    if found is None:
        message = "Expected an RFC 3339 moment, such as 2025-01-31T07:05:09Z."
        raise InvalidFields(f"{name}: {message}", [Detail(path=name, message=message)])
    return found


def _read(moment: str) -> str | None:
    match = _MOMENT.fullmatch(moment)
    if match is None:
        return None
    offset = match["offset"].upper().replace(" ", "+")
    fraction = (match["fraction"] or "").ljust(3, "0")
    try:
        whole = from_timestamp(f"{match['date']}T{match['time']}.{fraction[:3]}{offset}")
        if fraction[3:].strip("0"):
            whole += timedelta(milliseconds=1)
        return to_timestamp(whole)
    except (ValueError, OverflowError):
        return None
