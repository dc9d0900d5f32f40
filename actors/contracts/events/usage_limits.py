"""Events of the limits of an agent's account, and of the caps that people set."""

from __future__ import annotations

from typing import Any

from command_center.store import EventData


class LimitsChanged(EventData, frozen=True, kw_only=True, tag="limits.changed"):
    """More of a limit of an agent's account is used, or less: `limits` has each, as it is now."""

    host: str
    limits: list[dict[str, Any]]


class LimitNears(EventData, frozen=True, kw_only=True, tag="limits.near"):
    """A window of a limit is almost used up; told once for each window, until it resets."""

    host: str
    limit: str
    minutes: int | None
    used_percent: float
    resets_at: str | None


class LimitReached(EventData, frozen=True, kw_only=True, tag="limits.reached"):
    """A run met a limit. Runs of the host wait until it resets; `until` is null if nobody knows."""

    host: str
    until: str | None


class LimitReset(EventData, frozen=True, kw_only=True, tag="limits.reset"):
    """The limit is over. The `sessions` that waited for it go on, the earlier ones first."""

    host: str
    sessions: list[int]


class CapReached(EventData, frozen=True, kw_only=True, tag="limits.cap"):
    """A cap of a repository's runs, or of all, is reached; `over` is what becomes of what works."""

    reason: str
    over: str


class SpendingChanged(EventData, frozen=True, kw_only=True, tag="limits.rules_changed"):
    """Somebody changed the caps of all repositories, or the price table; `changed` names which."""

    changed: list[str]
