"""Events of automations. Moments are timestamps, or null where there is none."""

from __future__ import annotations

from command_center.store import EventData


class AutomationCreated(EventData, frozen=True, kw_only=True, tag="automation.created"):
    """An automation was made."""

    title: str
    schedule_expr: str
    enabled: bool
    next_run_at: str | None
    template: str | None


class AutomationUpdated(EventData, frozen=True, kw_only=True, tag="automation.updated"):
    """It was changed, or its pause ended; `changed` names the fields."""

    changed: list[str]
    enabled: bool
    next_run_at: str | None


class AutomationDeleted(EventData, frozen=True, kw_only=True, tag="automation.deleted"):
    """It was taken away."""

    title: str


class AutomationFired(EventData, frozen=True, kw_only=True, tag="automation.fired"):
    """A due time came, or somebody ran it: its task is made and run."""

    title: str
    trigger: str
    due_at: str | None
    missed: int


class AutomationSkipped(EventData, frozen=True, kw_only=True, tag="automation.skipped"):
    """A due time passed without a run; `reason` says why."""

    title: str
    outcome: str
    reason: str
    due_at: str | None
    missed: int
    next_run_at: str | None


class AutomationPaused(EventData, frozen=True, kw_only=True, tag="automation.paused"):
    """It failed too often in a row, and waits to be enabled again."""

    title: str
    failures: int
    last_outcome: str | None
    reason: str | None
    resume: str
