"""Moments that lie ahead."""

from __future__ import annotations

from datetime import timedelta

from command_center.store.timestamps import from_timestamp, to_timestamp


def later(moment: str, seconds: float) -> str:
    """The moment `seconds` after a stored one, as it is stored."""
    return to_timestamp(from_timestamp(moment) + timedelta(seconds=seconds))
