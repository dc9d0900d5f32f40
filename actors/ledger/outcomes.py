"""Keep the outcome of a run in the transaction that ends its session.

So no crash comes between a session's end and its automation's count of failures. A session that
was `completed` ends a row of failures and one that `failed` prolongs it; being stopped by a person,
interrupted by a restart or refused by whoever was asked says nothing of the automation.
"""

from __future__ import annotations

from typing import Final

import msgspec

from command_center.actors.contracts.addresses import automation_at
from command_center.actors.contracts.events.automations import AutomationPaused
from command_center.store import (
    Automation,
    AutomationOutcome,
    Session,
    Transaction,
    automation_runs,
    automations,
)

FAILURES: Final = 3
"""So many failures in a row pause an automation."""

FAILED: Final[frozenset[AutomationOutcome]] = frozenset({"failed", "denied", "invalid"})
"""The outcomes that count as failures."""


def record_outcome(
    tx: Transaction,
    ended: Session,
    *,
    sequel: Session | None = None,
    cause: int | None,
    outcome: AutomationOutcome | None = None,
) -> None:
    """Record how a session ended in its automation and its run, if it has them.

    Args:
        tx: the transaction that ends it.
        ended: the session as it ended.
        sequel: the session that follows it, such as a retry: then the run goes on.
        cause: the event that tells of its end.
        outcome: of the run, where the session's status does not say it.
    """
    run = automation_runs.find(tx.db, {"task_id": ended.task_id})
    if run is None:
        return
    automation = automations.get(tx.db, run.automation_id)
    is_last = automation.last_session_id == run.session_id
    if sequel is not None:
        automation_runs.update(tx, run.id, session_id=sequel.id)
        if is_last:
            automations.update(tx, automation.id, last_session_id=sequel.id)
        return
    outcome = outcome or ("refused" if ended.status == "blocked" else _as_ended(ended))
    automation_runs.update(
        tx,
        run.id,
        outcome=outcome,
        reason=ended.exit_reason,
        session_id=ended.id,
        finished_at=ended.finished_at,
    )
    if not is_last:
        return
    automation = automations.update(
        tx, automation.id, last_outcome=outcome, last_session_id=ended.id
    )
    count(
        tx,
        automation,
        outcome,
        reason=ended.exit_reason,
        session_id=ended.id,
        task_id=ended.task_id,
        correlation_id=ended.correlation_id,
        causation_id=cause,
    )


def count(  # noqa: D417 - the rest are the event's own fields
    tx: Transaction,
    automation: Automation,
    outcome: AutomationOutcome,
    *,
    reason: str | None,
    session_id: int | None = None,
    task_id: int | None = None,
    correlation_id: str | None = None,
    causation_id: int | None = None,
) -> Automation:
    """Count an outcome, and pause the automation where it has failed too often in a row.

    Args:
        tx: the transaction.
        automation: as it is stored.
        outcome: how its last run ended.
        reason: why, in a sentence.
    """
    if outcome == "completed" and automation.consecutive_failures:
        return automations.update(tx, automation.id, consecutive_failures=0)
    if outcome not in FAILED:
        return automation
    reason = (reason or outcome).rstrip(".")
    failures = automation.consecutive_failures + 1
    if failures < FAILURES or not automation.enabled:
        return automations.update(tx, automation.id, consecutive_failures=failures)
    resume = f'PATCH /api/automations/{automation.id} {{"enabled": true}}'
    paused = automations.update(
        tx,
        automation.id,
        consecutive_failures=failures,
        enabled=False,
        next_run_at=None,
        paused_reason=(
            f"{failures} runs in a row failed; the last: {reason}. Resume it with {resume}."
        ),
    )
    tx.emit(
        AutomationPaused(
            title=paused.title,
            failures=failures,
            last_outcome=outcome,
            reason=reason,
            resume=resume,
        ),
        actor=automation_at(automation.id),
        repository_id=paused.repository_id,
        task_id=task_id,
        session_id=session_id,
        automation_id=automation.id,
        correlation_id=correlation_id,
        causation_id=causation_id,
    )
    return paused


def _as_ended(session: Session) -> AutomationOutcome:
    outcome: AutomationOutcome = msgspec.convert(session.status, AutomationOutcome)
    return outcome
