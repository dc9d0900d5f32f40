"""Policy at the door: what stands between a session and its next active status.

Checked when a run is asked for, when a blocked one is approved, and again when a slot is granted:
what the repository allows may have changed while the session waited.
"""

from __future__ import annotations

from functools import partial

from command_center.actors.contracts.events.sessions import SessionBlocked, SessionQueued
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.budgets import turns_of
from command_center.actors.ledger.spending import check_caps
from command_center.actors.ledger.usage_limits import is_held, park
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.host_room import is_closed, no_room
from command_center.actors.rules.occupancy import Obstacle, obstacle
from command_center.actors.rules.policy import PolicyDenied, PolicyResult, Reason, evaluate, run_of
from command_center.store import (
    Approval,
    Session,
    Task,
    Transaction,
    approvals,
    automations,
    host_states,
    orphaned_turns,
    repositories,
    sessions,
)
from command_center.store import tasks as task_table
from command_center.store.statuses import ACTIVE


def judge(tx: Transaction, session: Session) -> PolicyResult:
    """Evaluate the policy for the session as it is now."""
    return evaluate(
        repositories.get(tx.db, session.repository_id),
        task_table.get(tx.db, session.task_id),
        run_of(session),
    )


def admit(
    tx: Transaction,
    session_id: int,
    *,
    actor: str,
    approval_seconds: float,
    begin: str | None = None,
    limit: int | None = None,
    policy: PolicyResult | None = None,
) -> Session:
    """Take a session as far as policy lets it: to `queued`, to `starting`, or to `blocked`.

    Args:
        tx: the transaction.
        session_id: a session that is `created`, `blocked`, `queued` or `waiting_limit`. Of the
            last, somebody has it go on before the limit resets.
        actor: who wants it.
        approval_seconds: how long a person has to decide, where approvals are needed.
        begin: the id of the process that would carry it out; then a queued session starts.
        limit: how many may work at once; over it, where its host has no room, or where another
            session is in its way, a queued session stays queued.
        policy: the answer of policy about the session, where it was asked in this transaction.

    Raises:
        PolicyDenied: the repository forbids it.
        Conflict: the task is cancelled, a cap of the day is reached, or the session in no status to
            be admitted from.
    """
    session = sessions.get(tx.db, session_id)
    if task_table.get(tx.db, session.task_id).status == "cancelled":
        raise Conflict(f"Task {session.task_id} is cancelled.", currentStatus="cancelled")
    result = judge(tx, session) if policy is None else policy
    if result.decision == "deny":
        raise PolicyDenied(result)
    asked = run_approvals(tx, session)
    settled = {approval.details["code"] for approval in asked if approval.status == "approved"}
    missing = [reason for reason in result.approvals if reason.code not in settled]
    if missing:
        pending = {approval.details["code"] for approval in asked if approval.status == "pending"}
        expires_at = later(tx.now, approval_seconds)
        return _block(tx, session, missing, pending, actor=actor, expires_at=expires_at)
    if begin is not None:
        if is_held(tx, session):
            return _park(tx, session, actor=actor)
        check_caps(tx, repositories.get(tx.db, session.repository_id))
    if session.status == "waiting_limit":
        return ledger.move(tx, session_id, "queued", actor=actor, past_limit=True)
    if session.status == "queued" and begin is not None:
        active = active_sessions(tx)
        state = host_states.find(tx.db, {"name": session.host})
        is_full = limit is not None and len(active) >= limit
        is_shut = is_closed(session.host, state, None) or no_room(state, active)
        if is_full or is_shut or _obstacle(tx, session, active):
            return session
        return ledger.move(
            tx, session_id, "starting", actor=actor, runner_instance=begin, started_at=tx.now
        )
    return ledger.move(tx, session_id, "queued", actor=actor)


def _park(tx: Transaction, session: Session, *, actor: str) -> Session:
    """Have the session wait for the limit, unless it does so already."""
    return session if session.status == "waiting_limit" else park(tx, session.id, actor=actor)


def _block(
    tx: Transaction,
    session: Session,
    missing: list[Reason],
    pending: set[str],
    *,
    actor: str,
    expires_at: str,
) -> Session:
    """Have the session wait for approvals, and ask for those that are not `pending` yet."""
    if session.status != "blocked":
        event = partial(SessionBlocked, reasons=[reason.code for reason in missing])
        session = ledger.move(tx, session.id, "blocked", actor=actor, event=event)
    for reason in missing:
        if reason.code not in pending:
            _ask(tx, session, reason, expires_at=expires_at)
    return session


def why_not_go_on(tx: Transaction, session_id: int) -> str | None:
    """Say why a session may not have a further turn for its goal; None where it may."""
    session = sessions.get(tx.db, session_id)
    task = task_table.get(tx.db, session.task_id)
    if task.status == "cancelled":
        return f"Task {task.id} is cancelled."
    if task.turn_limit is not None and turns_of(tx, task) >= task.turn_limit:
        return f"Task {task.id} has had {task.turn_limit} of {task.turn_limit} turns."
    result = judge(tx, session)
    if result.decision == "deny":
        return str(PolicyDenied(result))
    asked = {one.details["code"] for one in run_approvals(tx, session) if one.status == "approved"}
    missing = [reason.message for reason in result.approvals if reason.code not in asked]
    return " ".join(missing) or None


def active_sessions(tx: Transaction) -> list[Session]:
    """Return the sessions that hold a slot."""
    return sessions.every(tx.db, {"status": sorted(ACTIVE)}, texts=False)


def _obstacle(tx: Transaction, session: Session, active: list[Session]) -> Obstacle | None:
    return obstacle(session, active, unsettled=orphaned_turns.waited_for(tx.db))


def yield_folder(tx: Transaction, session_id: int) -> Session:
    """Queue a starting session again whose folder, known only now, another one is writing in."""
    session = sessions.get(tx.db, session_id)
    if session.status != "starting":
        return session
    found = _obstacle(tx, session, active_sessions(tx))
    if found is None:
        return session
    event = partial(SessionQueued, writing_session_id=found.session.id)
    return ledger.move(tx, session_id, "queued", event=event)


def run_approvals(tx: Transaction, session: Session) -> list[Approval]:
    """Return the approvals that policy asked for this run, settled or not.

    A retry, a continuation or what a limit held is the same run: what a person agreed to for its
    predecessor holds, but full access, which is agreed to every time.
    """
    asked = approvals.every(tx.db, {"session_id": session.id, "kind": "run"})
    if session.origin in ledger.SAME_RUN and session.previous_session_id is not None:
        previous = sessions.get(tx.db, session.previous_session_id)
        asked += [
            approval
            for approval in run_approvals(tx, previous)
            if approval.status == "approved"
            and approval.details["code"] != "full_access_needs_approval"
        ]
    return asked


def _ask(tx: Transaction, session: Session, reason: Reason, *, expires_at: str) -> None:
    task = task_table.get(tx.db, session.task_id)
    settlement.ask_about(
        tx,
        session,
        "run",
        title=f"Run “{task.title}”?",
        details={
            "code": reason.code,
            "reason": reason.message,
            "prompt": session.prompt,
            "cwd": session.cwd,
            "sandbox": session.sandbox,
            "allowNetwork": session.allow_network,
            "allowCommit": session.allow_commit,
            "automationId": task.automation_id,
            "automationTitle": _automation_title(tx, task),
        },
        expires_at=expires_at,
    )


def _automation_title(tx: Transaction, task: Task) -> str | None:
    """Return the title of the automation that asks, or None."""
    if task.automation_id is None:
        return None
    return automations.get(tx.db, task.automation_id).title
