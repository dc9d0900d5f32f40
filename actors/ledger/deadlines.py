"""The deadlines of approvals: warned of before they pass, put off, and passed.

A deadline is a moment of the wall clock in the approval's row. Nothing else is kept of it, so that
a restart, a sleep of the machine or a clock that is set changes only when it is looked at: it may
pass late, and never not at all.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlite_utils import Database

from command_center.actors.contracts.approvals import Extension
from command_center.actors.contracts.events.approvals import ApprovalExpiring, ApprovalExtended
from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.store import Approval, EventData, Transaction, approvals
from command_center.store.queries.causes import last_event
from command_center.store.queries.summaries import pending_deadlines
from command_center.store.timestamps import from_timestamp, now_timestamp, to_timestamp

WARNING_SECONDS = 600.0
"""The most seconds before a deadline at which a warning is given."""

WARNING_SHARE = 0.2
"""The share of an approval's time that is left when it is warned of, where that is less."""


def check_deadline(expires_at: str | None, ttl_seconds: int | None) -> None:
    """Refuse a deadline that is told twice or is no moment in the future.

    Raises:
        Invalid: it is; the field is named.
    """
    if expires_at is None:
        return
    if ttl_seconds is not None:
        raise Invalid.field("ttlSeconds", "Give either expiresAt or ttlSeconds, not both.")
    try:
        moment = from_timestamp(expires_at)
    except (ValueError, OverflowError) as error:
        raise Invalid.field("expiresAt", "Expected a time such as 2030-01-31T09:00:00Z.") from error
    if moment <= datetime.now(UTC):
        raise Invalid.field("expiresAt", "Expected a time in the future.")


def moment_of(now: str, expires_at: str | None, seconds: float) -> str:
    """Return a deadline as it is stored: the moment that was named, else `seconds` from now."""
    if expires_at is not None:
        return to_timestamp(from_timestamp(expires_at))
    return later(now, seconds)


def extend(tx: Transaction, approval_id: int, wanted: Extension) -> Approval:
    """Put off a deadline, which is warned of anew, and tell of it.

    Raises:
        AlreadySettled: it was settled, or its deadline has passed.
        Conflict: it has none, or one that is not before that moment.
    """
    approval = approvals.get(tx.db, approval_id)
    settlement.check_pending(tx, approval)
    if approval.expires_at is None:
        raise Conflict(f"Approval {approval_id} has no deadline.")
    expires_at = moment_of(tx.now, wanted.expires_at, wanted.ttl_seconds or 0)
    if expires_at <= approval.expires_at:
        raise Conflict(
            f"Approval {approval_id} waits until {approval.expires_at} already. "
            "A deadline can only become later.",
            expires_at=approval.expires_at,
        )
    extended = approvals.update(tx, approval_id, expires_at=expires_at, warned_at=None)
    _tell(
        tx,
        extended,
        ApprovalExtended(from_=approval.expires_at, expires_at=expires_at),
        actor=wanted.requested_by,
    )
    return extended


def warn(tx: Transaction, approval_id: int) -> None:
    """Tell once that an approval expires soon, unless it was settled or put off meanwhile."""
    approval = approvals.get(tx.db, approval_id)
    if (
        approval.status != "pending"
        or approval.expires_at is None
        or approval.warned_at is not None
        or warning_of(approval.created_at, approval.expires_at) > tx.now
    ):
        return
    approvals.update(tx, approval_id, warned_at=tx.now)
    _tell(
        tx,
        approval,
        ApprovalExpiring(kind=approval.kind, title=approval.title, expires_at=approval.expires_at),
        actor="deadline",
    )


def warning_of(created_at: str, expires_at: str) -> str:
    """Return the time at which to warn of a deadline."""
    end = from_timestamp(expires_at)
    waited = (end - from_timestamp(created_at)).total_seconds()
    return to_timestamp(end - timedelta(seconds=min(WARNING_SECONDS, waited * WARNING_SHARE)))


def overdue(db: Database) -> list[int]:
    """Return the pending approvals whose deadline has passed."""
    moment = now_timestamp()
    return [key for key, _, expires_at, _ in pending_deadlines(db) if expires_at <= moment]


def to_warn_of(db: Database) -> list[int]:
    """Return the pending approvals that expire soon and were not warned of."""
    moment = now_timestamp()
    return [
        key
        for key, created_at, expires_at, warned_at in pending_deadlines(db)
        if warned_at is None and warning_of(created_at, expires_at) <= moment < expires_at
    ]


def next_moment(db: Database) -> str | None:
    """Return the time of the next act on a pending approval."""
    moments = (
        expires_at if warned_at is not None else warning_of(created_at, expires_at)
        for _, created_at, expires_at, warned_at in pending_deadlines(db)
    )
    return min(moments, default=None)


def _tell(tx: Transaction, approval: Approval, event: EventData, *, actor: str) -> None:
    tx.emit(
        event,
        actor=actor,
        repository_id=approval.repository_id,
        task_id=approval.task_id,
        session_id=approval.session_id,
        approval_id=approval.id,
        correlation_id=approval.correlation_id,
        causation_id=last_event(tx.db, "approval_id", approval.id),
    )
