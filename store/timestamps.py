"""Moments as text: RFC 3339, UTC, milliseconds. As text they sort as they follow each other."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

import msgspec

Timestamp: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A moment as ``to_timestamp`` writes it."""


def to_timestamp(moment: datetime) -> str:
    """Give an aware moment as ``2025-01-31T07:05:09.120Z``; parts of a millisecond are cut off.

    Raises:
        ValueError: the moment has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("The time names no time zone.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_timestamp(text: str) -> datetime:
    """Read an RFC 3339 moment with any offset, as an aware moment in UTC.

    Raises:
        ValueError: the text is no such moment.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("The time names no time zone.")
    return moment.astimezone(UTC)


def now_timestamp() -> str:
    """Give the present moment, by the wall clock."""
    return f"{datetime.now(UTC).isoformat(timespec='milliseconds')[:-6]}Z"
