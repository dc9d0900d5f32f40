"""Reads what Codex says of its account, and of the limits of its plan.

Members that Codex does not name, or that are of another type, are left out: an account is shown by
what is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from command_center.actors.contracts.accounts import (
    AccountStatus,
    AgentAccount,
    LimitWindow,
    SignIn,
    UsageLimit,
    UsageLimits,
)
from command_center.store.timestamps import to_timestamp

T = TypeVar("T")

UPDATED: Final = "account/updated"
"""The notification that there is another account, or none."""

SIGN_IN_ENDED: Final = "account/login/completed"
"""The notification that an attempt to sign in has ended."""

MOST_PERCENT: Final = 1000


def account_from(answer: Mapping[str, Any], host: str, sign_in: SignIn | None) -> AgentAccount:
    """Read the answer to `account/read`."""
    account = _typed(answer.get("account"), dict)
    if account is None:
        is_needed = answer.get("requiresOpenaiAuth") is not False
        status = AccountStatus.SIGNED_OUT if is_needed else AccountStatus.NOT_NEEDED
        return AgentAccount(host=host, status=status, sign_in=sign_in)
    return AgentAccount(
        host=host,
        status=AccountStatus.SIGNED_IN,
        kind=_typed(account.get("type"), str),
        email=_typed(account.get("email"), str),
        plan=_typed(account.get("planType"), str),
        workspace=_typed(account.get("workspaceName"), str),
        sign_in=sign_in,
    )


def limits_from(answer: Mapping[str, Any], host: str) -> UsageLimits:
    """Read the answer to `account/rateLimits/read`: each limit by its name, or the only one."""
    named = _typed(answer.get("rateLimitsByLimitId"), dict) or {}
    found = {str(name): limit for name, limit in named.items() if isinstance(limit, dict)}
    if not found:
        only = _typed(answer.get("rateLimits"), dict)
        found = {} if only is None else {_typed(only.get("limitId"), str) or "codex": only}
    return UsageLimits(host=host, limits=[_limit(name, found[name]) for name in sorted(found)])


def _limit(name: str, limit: Mapping[str, Any]) -> UsageLimit:
    windows = (_window(limit.get(which)) for which in ("primary", "secondary"))
    credits_ = _typed(limit.get("credits"), dict) or {}
    return UsageLimit(
        id=name,
        name=_typed(limit.get("limitName"), str),
        plan=_typed(limit.get("planType"), str),
        windows=[window for window in windows if window is not None],
        reached=_typed(limit.get("rateLimitReachedType"), str),
        credits_left=_typed(credits_.get("balance"), str),
    )


def _window(window: object) -> LimitWindow | None:
    if not isinstance(window, dict):
        return None
    used = window.get("usedPercent")
    if not isinstance(used, int | float) or not 0 <= used <= MOST_PERCENT:
        return None
    return LimitWindow(
        used_percent=float(used),
        minutes=_typed(window.get("windowDurationMins"), int),
        resets_at=_moment(window.get("resetsAt")),
    )


def _moment(seconds: object) -> str | None:
    if not isinstance(seconds, int | float):
        return None
    try:
        return to_timestamp(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def _typed(value: object, kind: type[T]) -> T | None:
    return value if isinstance(value, kind) and not isinstance(value, bool) else None
