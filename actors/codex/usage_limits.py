"""Reads what Codex says of the limits of its account.

Members that Codex does not name, or that are of another type, are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from command_center.actors.codex.accounts import typed
from command_center.actors.contracts.usage_limits import LimitWindow, UsageLimit
from command_center.store.timestamps import to_timestamp

LIMITED: Final = "usageLimitExceeded"
"""The word of Codex for the error of a turn that met a limit of the account."""

TOLD: Final = "account/rateLimits/updated"
"""The notification of how much is used now."""

MOST_PERCENT: Final = 1000


def limits_told(params: Mapping[str, Any]) -> list[UsageLimit]:
    """Read a notification: the one limit that it is about."""
    told = typed(params.get("rateLimits"), dict)
    return [] if told is None else [_limit(typed(told.get("limitId"), str) or "codex", told)]


def limits_from(answer: Mapping[str, Any]) -> list[UsageLimit]:
    """Read the answer to `account/rateLimits/read`: each limit by its name, or the only one."""
    named = typed(answer.get("rateLimitsByLimitId"), dict) or {}
    found = {str(name): limit for name, limit in named.items() if isinstance(limit, dict)}
    if not found:
        return limits_told(answer)
    return [_limit(name, found[name]) for name in sorted(found)]


def _limit(name: str, limit: Mapping[str, Any]) -> UsageLimit:
    windows = (_window(limit.get(which)) for which in ("primary", "secondary"))
    credits_ = typed(limit.get("credits"), dict) or {}
    return UsageLimit(
        id=name,
        name=typed(limit.get("limitName"), str),
        plan=typed(limit.get("planType"), str),
        windows=[window for window in windows if window is not None],
        reached=typed(limit.get("rateLimitReachedType"), str),
        credits_left=typed(credits_.get("balance"), str),
    )


def _window(window: object) -> LimitWindow | None:
    if not isinstance(window, dict):
        return None
    used = window.get("usedPercent")
    if not isinstance(used, int | float) or not 0 <= used <= MOST_PERCENT:
        return None
    return LimitWindow(
        used_percent=float(used),
        minutes=typed(window.get("windowDurationMins"), int),
        resets_at=_moment(window.get("resetsAt")),
    )


def _moment(seconds: object) -> str | None:
    if not isinstance(seconds, int | float):
        return None
    try:
        return to_timestamp(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None
