"""Errors in a schedule. Their texts tell how to write a right one."""

from __future__ import annotations

EXPECTED = (
    "hourly, hourly:2 to hourly:24, daily@HH:MM, weekly@mon,thu@HH:MM, once@2026-12-01T09:00, "
    "never, on_event@session.failed or a cron expression of five fields such as "
    "cron:*/15 9-17 * * mon-fri"
)
"""Every form of a schedule, each with an example or a range."""


class InvalidSchedule(Exception):
    """The text is no schedule that can be kept; the message says what is expected."""

    def __init__(self, expression: str, fault: str, expected: str = EXPECTED) -> None:
        """Name the fault, and what would be right instead."""
        shown = expression if len(expression) <= _SHOWN else f"{expression[:_SHOWN]}…"
        super().__init__(f"“{shown}” {fault}. Expected {expected}.")
        self.expression = expression


class UnknownTimezone(Exception):
    """No time zone has that name."""

    def __init__(self, name: str) -> None:
        """Name it, and what a right one looks like."""
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        super().__init__(
            f"“{shown}” is not a time zone. Expected an IANA name, such as Europe/Berlin or UTC."
        )
        self.name = name


_SHOWN = 100
