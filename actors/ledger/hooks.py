"""Everything that is written of hooks: each function is one unit of a transaction.

A hook starts its automation's run, once for each delivery: the delivery is claimed together with
the run, or with why there is none. It keeps the rules of due times: no run beside another, none
while the automation is off, and a pause after failures.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from command_center.actors.contracts.addresses import automation_at
from command_center.actors.contracts.automations import HookReceipt, HookSecret
from command_center.actors.contracts.events.automations import AutomationUpdated
from command_center.actors.ledger.automations import Terms, existing
from command_center.actors.ledger.firing import begin_run, pass_over_run, why_not_now
from command_center.actors.ledger.outcomes import count
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.store import (
    Automation,
    AutomationOutcome,
    AutomationRun,
    Transaction,
    automation_hooks,
    automation_runs,
    automations,
)

PREFIX: Final = "cch_"
"""The beginning of a hook's secret, by which one is known."""


def make_hook(tx: Transaction, automation_id: int, *, actor: str) -> HookSecret:
    """Give an automation a hook, or its hook another secret, and tell.

    Raises:
        RecordNotFound: there is no such automation.
    """
    existing(tx.db, automation_id)
    secret = PREFIX + secrets.token_urlsafe(32)
    automation_hooks.set_secret(tx, automation_id, secret)
    automation = _tell(tx, automation_id, has_hook=True, actor=actor)
    hook_path = f"/api/hooks/{automation_id}"
    return HookSecret(automation=automation, hook_path=hook_path, secret=secret)


def remove_hook(tx: Transaction, automation_id: int, *, actor: str) -> Automation:
    """Take an automation's hook away, and tell.

    Raises:
        RecordNotFound: there is no such automation.
    """
    before = existing(tx.db, automation_id)
    if not before.has_hook:
        return before
    automation_hooks.remove_hook(tx, automation_id)
    return _tell(tx, automation_id, has_hook=False, actor=actor)


def deliver(
    tx: Transaction,
    automation_id: int,
    terms: Terms,
    now: datetime,
    *,
    delivery: str,
    fields: Mapping[str, Any],
) -> HookReceipt:
    """Start the run of a delivery, unless it was claimed before.

    Raises:
        NotFound: the automation was deleted, or has no hook any more.
        Conflict: it is off; nothing is claimed, and the delivery may come again.
        PolicyDenied, Invalid: the run cannot be made; `refuse` claims the delivery for it.
    """
    if (known := _known(tx, automation_id, delivery)) is not None:
        return known
    automation = _on(tx, automation_id)
    reason = why_not_now(tx, automation, terms)
    if reason is not None:
        return _passed_over(
            tx, automation, now, delivery=delivery, outcome="skipped", reason=reason
        )
    _, run, _ = begin_run(
        tx,
        automation,
        terms,
        now,
        trigger="hook",
        actor=automation_at(automation.id),
        fields=fields,
    )
    automation_hooks.claim_delivery(tx, automation_id, delivery, run.id)
    return _receipt(run)


def refuse(
    tx: Transaction,
    automation_id: int,
    now: datetime,
    *,
    delivery: str,
    outcome: AutomationOutcome,
    reason: str,
) -> HookReceipt:
    """Claim a delivery whose run cannot be made, and count it where it is a failure."""
    if (known := _known(tx, automation_id, delivery)) is not None:
        return known
    automation = _on(tx, automation_id)
    receipt = _passed_over(tx, automation, now, delivery=delivery, outcome=outcome, reason=reason)
    count(tx, automation, outcome, reason=reason)
    return receipt


def _on(tx: Transaction, automation_id: int) -> Automation:
    automation = existing(tx.db, automation_id)
    if not automation.has_hook:
        raise NotFound("Hook", automation_id)
    if not automation.enabled:
        why = automation.paused_reason
        raise Conflict(
            f"The automation is off{'' if why is None else f': {why}'}. Enable it first.",
            automationId=automation_id,
        )
    return automation


def _known(tx: Transaction, automation_id: int, delivery: str) -> HookReceipt | None:
    run_id = automation_hooks.run_of(tx.db, automation_id, delivery)
    return None if run_id is None else _receipt(automation_runs.get(tx.db, run_id), is_new=False)


def _passed_over(
    tx: Transaction,
    automation: Automation,
    now: datetime,
    *,
    delivery: str,
    outcome: AutomationOutcome,
    reason: str,
) -> HookReceipt:
    run = pass_over_run(tx, automation, now, trigger="hook", outcome=outcome, reason=reason)
    automation_hooks.claim_delivery(tx, automation.id, delivery, run.id)
    return _receipt(run)


def _receipt(run: AutomationRun, *, is_new: bool = True) -> HookReceipt:
    return HookReceipt(
        run_id=run.id,
        outcome=run.outcome,
        reason=run.reason,
        task_id=run.task_id,
        session_id=run.session_id,
        is_repeated=not is_new,
    )


def _tell(tx: Transaction, automation_id: int, *, has_hook: bool, actor: str) -> Automation:
    automation = automations.update(tx, automation_id, has_hook=has_hook)
    tx.emit(
        AutomationUpdated(
            changed=["hook"], enabled=automation.enabled, next_run_at=automation.next_run_at
        ),
        actor=actor,
        repository_id=automation.repository_id,
        automation_id=automation_id,
    )
    return automation
