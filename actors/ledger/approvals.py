"""Everything that is written of an approval: asked, settled once, delivered to who waits.

Each function is one unit of a transaction, as those of `ledger` are, and tells of what it does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from command_center.actors.contracts.events.approvals import (
    ApprovalAllowed,
    ApprovalExpired,
    ApprovalRequested,
    ApprovalResolved,
)
from command_center.actors.contracts.events.repositories import (
    ConfigurationTrusted,
    SetupTrusted,
)
from command_center.actors.contracts.events.sessions import (
    SessionBlocked,
    SessionResumed,
    SessionWaiting,
)
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.outcomes import record_outcome
from command_center.actors.ledger.pull_request_merges import settle_merge
from command_center.actors.ledger.push_outcomes import settle_push
from command_center.actors.ledger.rules import count_uses, name_of, reason_of, use_rule
from command_center.actors.rules.answers import SECRET
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.questions import ApprovalRequest, connection_of
from command_center.actors.rules.standing_rules import covers, in_words
from command_center.store import (
    Approval,
    DamagedRecord,
    Rule,
    Session,
    Transaction,
    approvals,
    sessions,
    trusted_configurations,
)
from command_center.store.queries.causes import last_event
from command_center.store.records import ApprovalKind, ApprovalStatus

REDACTED = "[redacted"
"""Begins what stands where redaction took something out."""


ABOUT_CONTENT: Final = frozenset({"trust", "setup"})
"""The kinds in which a person decides about files of a repository, whichever run asks."""


def request_approval(
    tx: Transaction,
    session_id: int,
    wanted: ApprovalRequest,
    *,
    request_id: str,
    request: Mapping[str, Any],
    expires_at: str,
) -> tuple[Session, Approval]:
    """Codex asks a person. Asked again after a lost connection, it is the same approval.

    Returns the session and the approval, which is settled already where somebody decided while
    the connection was lost, or a rule always allows this: then the answer is still to be delivered.
    """
    session = sessions.get(tx.db, session_id)
    known = _asked_before(tx, session_id, wanted, request_id, request)
    if known is not None:
        approval = approvals.update(tx, known.id, codex_request_id=request_id)
        if approval.status != "pending":
            return session, approval
    else:
        rule = use_rule(tx, session, wanted)
        approval = approvals.insert(
            tx,
            kind=wanted.kind,
            title=wanted.title,
            details=wanted.details,
            risks=list(wanted.risks),
            repository_id=session.repository_id,
            task_id=session.task_id,
            session_id=session_id,
            codex_thread_id=wanted.thread_id,
            codex_turn_id=wanted.turn_id,
            codex_item_id=wanted.item_id,
            codex_request_id=request_id,
            codex_request=dict(request),
            requested_by="codex",
            expires_at=expires_at,
            correlation_id=session.correlation_id,
            **({} if rule is None else _settled_by(rule, tx.now)),
        )
        if rule is not None:
            tell_allowed(tx, session, approval, rule)
            return session, approval
        tell_requested(tx, session, approval, actor="codex")
    if session.status == "running":
        session = ledger.move(
            tx,
            session_id,
            "waiting_approval",
            event=partial(SessionWaiting, approval_id=approval.id),
        )
    return session, approval


def tell_requested(tx: Transaction, session: Session, approval: Approval, *, actor: str) -> None:
    """Tell that a person is asked something about the session."""
    ledger.tell(
        tx,
        session,
        ApprovalRequested(
            kind=approval.kind,
            title=approval.title,
            details=approval.details,
            expires_at=approval.expires_at,
        ),
        actor=actor,
        approval_id=approval.id,
    )


def _settled_by(rule: Rule, now: str) -> dict[str, Any]:
    """Return the fields of an approval that a rule has settled, for this once."""
    return {
        "status": "approved",
        "scope": "once",
        "resolved_at": now,
        "resolved_by": name_of(rule),
        "resolution_note": reason_of(rule),
    }


def tell_allowed(tx: Transaction, session: Session, approval: Approval, rule: Rule) -> None:
    """Tell that a rule answered, and no person."""
    told = ApprovalAllowed(
        kind=approval.kind,
        title=approval.title,
        rule_id=rule.id,
        rule=in_words(rule),
        details=approval.details,
    )
    ledger.tell(tx, session, told, actor=name_of(rule), approval_id=approval.id)


def ask_about(
    tx: Transaction,
    session: Session,
    kind: ApprovalKind,
    title: str,
    details: Mapping[str, Any],
    *,
    expires_at: str,
    requested_by: str | None = None,
) -> Approval:
    """Have a person asked about a session, on behalf of whoever wants the run unless named."""
    approval = approvals.insert(
        tx,
        kind=kind,
        title=title,
        details=details,
        repository_id=session.repository_id,
        task_id=session.task_id,
        session_id=session.id,
        requested_by=requested_by or session.requested_by,
        expires_at=expires_at,
        correlation_id=session.correlation_id,
    )
    tell_requested(tx, session, approval, actor=approval.requested_by)
    return approval


def _asked_before(
    tx: Transaction,
    session_id: int,
    wanted: ApprovalRequest,
    request_id: str,
    request: Mapping[str, Any],
) -> Approval | None:
    """Return the approval of a question that Codex asks again.

    One that asks for anything else is another question of the same item. So is one whose answer
    was delivered, unless it has the very request's id, and one that the same connection asked
    under another id. One whose answer was a secret, and so was not kept, has to be decided anew.
    """
    same = {
        "session_id": session_id,
        "codex_turn_id": wanted.turn_id,
        "codex_item_id": wanted.item_id,
        "kind": wanted.kind,
    }
    asked = _asked_for(tx.redact(dict(request)), tx.redact(wanted.details))
    for approval in reversed(approvals.every(tx.db, same)):
        if asked != _asked_for(
            approvals.whole(tx.db, approval, "codex_request") or {},
            approvals.whole(tx.db, approval, "details"),
        ):
            continue
        asked_as = approval.codex_request_id or ""
        if asked_as != request_id and connection_of(asked_as) == connection_of(request_id):
            continue
        if is_withheld(approval.answers):
            return None
        if approval.delivered_at is None or asked_as == request_id:
            return approval
    return None


def _asked_for(request: Mapping[str, Any], details: Mapping[str, Any]) -> bytes:
    """Return what a question asks for, to be compared with another of the same item.

    Codex's request says it all, but for the changes of files, which it names by their item.
    """
    params = {**(request.get("params") or {}), "startedAtMs": None}
    asked = [request.get("method"), params, details.get("files"), details.get("diff")]
    return msgspec.json.encode(asked, order="deterministic")


def is_withheld(answers: Mapping[str, Any] | None) -> bool:
    """Tell whether the stored answers are not what the person said, because it held a secret."""
    text = msgspec.json.encode(answers or {}).decode()
    return SECRET in text or REDACTED in text


def settle_approval(
    tx: Transaction,
    approval_id: int,
    *,
    status: ApprovalStatus,
    actor: str,
    note: str | None = None,
    scope: str | None = None,
    answers: Mapping[str, Any] | None = None,
    passkey_id: int | None = None,
) -> Approval:
    """Settle a pending approval: exactly one caller does, and one event tells of it.

    Raises:
        Conflict: it is settled already, or its deadline has passed; it names the winner.
    """
    approval = approvals.get(tx.db, approval_id)
    if status in {"approved", "rejected"}:
        check_pending(tx, approval)
    elif approval.status != "pending":
        raise AlreadySettled(approval, overdue=False)
    settled = approvals.update(
        tx,
        approval_id,
        status=status,
        resolved_at=tx.now,
        resolved_by=actor,
        resolution_note=note,
        scope=scope,
        answers=dict(answers) if answers is not None else None,
    )
    cause = last_event(tx.db, "approval_id", approval_id)
    told = (
        ApprovalExpired(status=status, kind=approval.kind, note=note, scope=scope)
        if status == "expired"
        else ApprovalResolved(
            status=status,
            kind=approval.kind,
            note=note,
            scope=scope,
            passkey_id=msgspec.UNSET if passkey_id is None else passkey_id,
        )
    )
    tx.emit(
        told,
        actor=actor,
        repository_id=approval.repository_id,
        task_id=approval.task_id,
        session_id=approval.session_id,
        approval_id=approval_id,
        correlation_id=approval.correlation_id,
        causation_id=cause,
    )
    if settled.session_id is not None:
        if settled.kind == "run":
            _settle_run(tx, settled)
        elif settled.kind == "push":
            settle_push(tx, settled)
        elif settled.kind == "merge":
            settle_merge(tx, settled)
        elif settled.kind in ABOUT_CONTENT and status in {"approved", "rejected", "expired"}:
            _settle_trust(tx, settled)
    return settled


def settle_alike(tx: Transaction, settled: Approval) -> list[Approval]:
    """Approve what asks about the very content that a person has just agreed to.

    Runs that go on side by side in a repository each ask; one yes is enough.
    """
    if settled.status != "approved" or settled.kind not in ABOUT_CONTENT:
        return []
    wanted = {
        "kind": settled.kind,
        "repository_id": settled.repository_id,
        "status": "pending",
    }
    return [
        settle_approval(
            tx,
            other.id,
            status="approved",
            actor=settled.resolved_by or ledger.SYSTEM,
            note=f"The same was agreed to with approval {settled.id}.",
        )
        for other in approvals.every(tx.db, wanted)
        if other.details["digest"] == settled.details["digest"]
        and (other.expires_at is None or other.expires_at > tx.now)
    ]


def settle_by_rule(tx: Transaction, rule: Rule) -> list[Approval]:
    """Approve what waits in the repository, and the rule that was just made allows.

    A question that cannot be read, or whose session cannot, waits on.
    """
    waiting, _ = approvals.sound(
        tx.db, {"kind": "command", "repository_id": rule.repository_id, "status": "pending"}
    )
    settled = [
        settle_approval(
            tx,
            other.id,
            status="approved",
            actor=name_of(rule),
            note=reason_of(rule),
            scope="once",
        )
        for other in waiting
        if other.codex_request is not None
        and (other.expires_at is None or other.expires_at > tx.now)
        and _is_covered(tx, rule, other)
    ]
    if settled:
        count_uses(tx, rule, len(settled))
    return settled


def _is_covered(tx: Transaction, rule: Rule, approval: Approval) -> bool:
    if approval.session_id is None:
        return False
    try:
        session = sessions.get(tx.db, approval.session_id)
        return covers(rule, session, approvals.whole(tx.db, approval, "details"))
    except DamagedRecord:
        return False


def check_pending(tx: Transaction, approval: Approval) -> None:
    """Refuse to let a person act on an approval that does not wait for one any more.

    Raises:
        AlreadySettled: it is settled, or its deadline has passed; it names the winner.
    """
    pending = approval.status == "pending"
    overdue = pending and approval.expires_at is not None and approval.expires_at <= tx.now
    if not pending or overdue:
        raise AlreadySettled(approval, overdue=overdue)


def _settle_run(tx: Transaction, approval: Approval) -> None:
    """Queue a blocked run with its last approved approval; end it as blocked with a refused one."""
    assert approval.session_id is not None  # noqa: S101 - told so by the caller
    session = sessions.get(tx.db, approval.session_id)
    if session.status != "blocked" or session.finished_at is not None:
        return
    if approval.status == "approved":
        if not approvals.count(
            tx.db, {"session_id": session.id, "kind": "run", "status": "pending"}
        ):
            ledger.move(tx, session.id, "queued", actor=approval.resolved_by or ledger.SYSTEM)
        return
    note = f": {approval.resolution_note}" if approval.resolution_note else "."
    reason = f"Approval {approval.id} was {approval.status} by {approval.resolved_by}{note}"
    session = sessions.update(tx, session.id, finished_at=tx.now, exit_reason=reason)
    cause = ledger.tell(
        tx,
        session,
        SessionBlocked(exit_reason=reason, final=True),
        actor=approval.resolved_by or ledger.SYSTEM,
        approval_id=approval.id,
    )
    ledger.cancel_open_approvals(tx, session, cause=cause)
    record_outcome(tx, session, cause=cause)


def _settle_trust(tx: Transaction, approval: Approval) -> None:
    """Trust what was approved, and let the session that waits for that go on either way."""
    assert approval.session_id is not None  # noqa: S101 - only sessions ask for trust
    session = sessions.get(tx.db, approval.session_id)
    actor = approval.resolved_by or ledger.SYSTEM
    digest = approval.details["digest"]
    known = trusted_configurations.is_trusted(tx.db, session.repository_id, digest)
    if approval.status == "approved" and not known:
        trusted_configurations.trust(tx, session.repository_id, digest, approval_id=approval.id)
        files = [file["path"] for file in approval.details["files"]]
        event = ConfigurationTrusted if approval.kind == "trust" else SetupTrusted
        told = event(digest=digest, files=files)
        ledger.tell(tx, session, told, actor=actor, approval_id=approval.id)
    if session.status == "blocked" and session.finished_at is None:
        ledger.move(tx, session.id, "queued", actor=actor)


def record_delivery(tx: Transaction, approval_id: int) -> Session | None:
    """Codex has the answer. With nothing else to decide, the session runs on."""
    approval = approvals.get(tx.db, approval_id)
    if approval.delivered_at is None:
        approval = approvals.update(tx, approval_id, delivered_at=tx.now)
    if approval.session_id is None:
        return None
    session = sessions.get(tx.db, approval.session_id)
    if session.status == "waiting_approval" and not waits_for_person(tx, session.id):
        return ledger.move(
            tx,
            session.id,
            "running",
            event=partial(SessionResumed, approval_id=approval_id, decision=approval.status),
        )
    return session


def waits_for_person(tx: Transaction, session_id: int) -> bool:
    """Tell whether Codex has asked in the session what nobody has decided yet."""
    pending = approvals.every(tx.db, {"session_id": session_id, "status": "pending"})
    return any(approval.codex_request_id is not None for approval in pending)


def close_request(tx: Transaction, session_id: int, request_id: str) -> Session:
    """Codex closed a request: it has its answer, from here or else from elsewhere."""
    session = sessions.get(tx.db, session_id)
    for approval in approvals.every(
        tx.db, {"session_id": session_id, "codex_request_id": request_id, "delivered_at": None}
    ):
        if approval.status == "pending":
            settle_approval(
                tx,
                approval.id,
                status="answered_elsewhere",
                actor="codex",
                note="Answered by another client of Codex.",
            )
        session = record_delivery(tx, approval.id) or session
    return session


def close_requests(tx: Transaction, session_id: int, *, spared: Collection[str] = ()) -> Session:
    """Codex waits for nobody any more: every request of the session but those spared is closed."""
    session = sessions.get(tx.db, session_id)
    for approval in approvals.every(tx.db, {"session_id": session_id, "delivered_at": None}):
        if approval.codex_request_id is not None and approval.codex_request_id not in spared:
            session = close_request(tx, session_id, approval.codex_request_id)
    return session


class AlreadySettled(Conflict):
    """Somebody, or the deadline, was quicker; the approval as it stands is in `facts`."""

    def __init__(self, approval: Approval, *, overdue: bool) -> None:
        """Name the winner."""
        if overdue or approval.status == "expired":
            message = f"Approval {approval.id} expired at {approval.expires_at}."
        else:
            message = (
                f"Approval {approval.id} is already {approval.status} by {approval.resolved_by}."
            )
        super().__init__(
            message,
            currentStatus="expired" if overdue else approval.status,
            resolvedBy="deadline" if overdue else approval.resolved_by,
            resolvedAt=approval.expires_at if overdue else approval.resolved_at,
        )
        self.approval = approval
