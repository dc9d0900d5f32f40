"""Automations and what became of each time that they were due."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.records.words import WhenLimited
from command_center.store.timestamps import Timestamp

AutomationTrigger: TypeAlias = Literal["schedule", "catch_up", "manual", "hook", "event"]

AutomationThread: TypeAlias = Literal["new", "same"]

AutomationOutcome: TypeAlias = Literal[
    "started",
    "completed",
    "failed",
    "stopped",
    "interrupted",
    "refused",
    "denied",
    "invalid",
    "skipped",
    "missed",
]


class Automation(Record, frozen=True, kw_only=True, rename="camel"):
    """A schedule that makes and runs tasks.

    Attributes:
        timezone: an IANA name; None for the server's.
        next_run_at: kept across restarts; None while not enabled.
        consecutive_failures: since the last success.
        paused_reason: why it was switched off by itself; None otherwise.
        last_outcome: an outcome of an ``AutomationRun``.
        deleted_at: kept for its tasks and runs, but no longer shown.
        has_hook: others may start it, by `POST /api/hooks/:id`.
        when_limited: what becomes of a run where a limit of the agent's account is met.
        thread: ``same`` for runs that go on in the thread of the run before.
        last_event_id: how far the log was followed; None unless it runs by events.
    """

    repository_id: int
    title: str
    schedule_expr: str
    timezone: str | None = None
    enabled: bool = True
    missed_runs: Literal["run_once", "skip"] = "run_once"
    payload: dict[str, Any] = msgspec.field(default_factory=dict)
    next_run_at: Timestamp | None = None
    last_run_at: Timestamp | None = None
    last_outcome: str | None = None
    last_session_id: int | None = None
    consecutive_failures: int = 0
    paused_reason: str | None = None
    requested_by: str
    deleted_at: Timestamp | None = None
    when_limited: WhenLimited = "wait"
    has_hook: bool = False
    thread: AutomationThread = "new"
    last_event_id: int | None = None


class AutomationRun(Record, frozen=True, kw_only=True, rename="camel"):
    """The outcome of a due time, or of a run by hand. A due time has at most one.

    Attributes:
        trigger: ``schedule``, ``catch_up`` for what was missed, ``manual``, ``hook`` or ``event``.
        due_at: the due time; None for a run by hand, by a hook or by an event.
        fired_at: when it was acted on, by the clock that the schedule follows.
        missed: how many due times passed without a run, or with no other run than this one; of
            events that were passed over for one reason, how many.
        outcome: ``started`` until its session ends, then as that ended (``refused``: its approval
            was rejected or expired); ``denied``, ``invalid``, ``skipped`` or ``missed`` where
            there is no session.
        reason: a sentence where the outcome needs one.
        finished_at: when its session ended, or when it was settled without one.
        event_id: the event that it began by, or the last that was passed over; None for any other.
    """

    automation_id: int
    trigger: AutomationTrigger
    due_at: Timestamp | None = None
    fired_at: Timestamp
    missed: int = 0
    outcome: AutomationOutcome
    reason: str | None = None
    task_id: int | None = None
    session_id: int | None = None
    finished_at: Timestamp | None = None
    event_id: int | None = None
