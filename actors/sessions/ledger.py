"""Everything that is written of a session: each function is one unit of a transaction.

A unit changes the session, its task and its approvals, and emits the events that tell of it, all
or nothing. It checks the state that it meets, never a copy: two units that race are ordered by the
store's one writer, and the second one sees what the first one did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.actors.automations.outcomes import record_outcome
from command_center.actors.codex.approvals import ApprovalRequest
from command_center.actors.errors import Conflict
from command_center.actors.policy import RunSettings
from command_center.actors.sessions.reports import result_of
from command_center.actors.sessions.transitions import FINAL, check
from command_center.store import (
    Approval,
    Repository,
    Session,
    Task,
    Transaction,
    approvals,
    items,
    sessions,
    tasks,
)
from command_center.store.records import Runner, SessionStatus

REDACTED = "[redacted"
"""Begins what stands where redaction took something out."""

WITHHELD = "[secret]"
"""Stands in a stored answer for what must not be stored."""

SYSTEM = "system"
"""Who did it, where no person did."""


def last_event(tx: Transaction, column: str, key: int) -> int | None:
    """The newest event of a session, task or approval: the cause of what its story tells next."""
    if column not in {"session_id", "task_id", "approval_id"}:
        raise ValueError(column)
    sql = f"select max(id) from events where {column} = ?"  # noqa: S608 - one of three constants
    row = tx.db.execute(sql, [key]).fetchone()
    found: int | None = row[0]
    return found


def tell(
    tx: Transaction,
    session: Session,
    kind: str,
    *,
    actor: str = SYSTEM,
    data: Mapping[str, Any] | None = None,
    approval_id: int | None = None,
    causation_id: int | None = None,
) -> int:
    """Emit an event of the session's story; its cause is the story's last event unless named."""
    if causation_id is None:
        causation_id = last_event(tx, "session_id", session.id) or session.causation_id
    return tx.emit(
        kind,
        actor=actor,
        data=dict(data or {}),
        repository_id=session.repository_id,
        task_id=session.task_id,
        session_id=session.id,
        approval_id=approval_id,
        correlation_id=session.correlation_id,
        causation_id=causation_id,
    )


def move(
    tx: Transaction,
    session_id: int,
    to: SessionStatus,
    *,
    actor: str = SYSTEM,
    event: str | None = None,
    data: Mapping[str, Any] | None = None,
    **changes: Any,
) -> Session:
    """Take the session to another status, its task with it, and tell of it.

    Args:
        tx: the transaction.
        session_id: which session.
        to: the status it takes.
        actor: who did it.
        event: the event's type; `session.<status>` unless said.
        data: the event's data, beside the statuses left and taken.
        changes: other columns of the session that change with it.

    Raises:
        Conflict: the table of transitions does not allow it.
    """
    session = sessions.get(tx.db, session_id)
    check(session, to)
    if to in FINAL:
        changes.setdefault("finished_at", tx.now)
        changes.setdefault("wait_reason", None)
    moved = sessions.update(tx, session_id, status=to, **changes)
    if tasks.get(tx.db, moved.task_id).status != "cancelled":
        tasks.update(tx, moved.task_id, status="running" if to == "starting" else to)
    told = {"from": session.status, "to": to, **(data or {})}
    if to in FINAL:
        told |= {"exitReason": moved.exit_reason, "tokenUsage": moved.token_usage}
    cause = tell(tx, moved, event or f"session.{to}", actor=actor, data=told)
    if to in FINAL:
        cancel_open_approvals(tx, moved, cause=cause)
    return moved


def insert_session(
    tx: Transaction,
    task: Task,
    repository: Repository,
    given: RunSettings,
    *,
    prompt: str,
    runner: Runner,
    requested_by: str,
    **more: Any,
) -> Session:
    """Add a session in `created`, with what policy gives it, and tell of it.

    `more` are further fields: which session it follows, in which thread, within which budget.
    What is said beside the task is a prompt, whatever the task's type.
    """
    says_the_task = more.get("origin", "run") in {"run", "retry", "continue"}
    session = sessions.insert(
        tx,
        task_id=task.id,
        repository_id=repository.id,
        type=task.type if says_the_task else "prompt_task",
        runner=runner,
        model=given.model,
        sandbox=given.sandbox,
        allow_network=given.allow_network,
        allow_commit=given.allow_commit,
        cwd=given.worktree_path or repository.local_path,
        worktree_path=given.worktree_path,
        branch_name=given.branch_name,
        prompt=prompt,
        priority=task.priority,
        requested_by=requested_by,
        correlation_id=task.correlation_id,
        causation_id=last_event(tx, "task_id", task.id),
        **more,
    )
    tell(
        tx,
        session,
        "session.created",
        actor=requested_by,
        data={
            "type": session.type,
            "runner": runner,
            "sandbox": session.sandbox,
            "cwd": session.cwd,
            "origin": session.origin,
            "previousSessionId": session.previous_session_id,
            "attempt": session.attempt,
            "beginAfter": session.begin_after,
        },
    )
    return session


def cancel_open_approvals(tx: Transaction, session: Session, *, cause: int) -> None:
    """Nobody needs to decide for a session that has ended."""
    for approval in approvals.every(tx.db, {"session_id": session.id, "status": "pending"}):
        cancelled = approvals.update(
            tx,
            approval.id,
            status="cancelled",
            resolved_at=tx.now,
            resolved_by=SYSTEM,
            resolution_note=f"Session {session.id} is {session.status}.",
        )
        tell(
            tx,
            session,
            "approval.resolved",
            data={"status": cancelled.status, "note": cancelled.resolution_note},
            approval_id=approval.id,
            causation_id=cause,
        )


def request_stop(
    tx: Transaction,
    session_id: int,
    *,
    reason: str | None,
    actor: str,
    outcome: SessionStatus = "stopped",
) -> Session:
    """Record that somebody wants the session to end; the first one to say so is kept."""
    session = sessions.get(tx.db, session_id)
    if session.finished_at is not None or session.stop_requested is not None:
        return session
    wish = {"reason": reason, "requestedBy": actor, "at": tx.now, "outcome": outcome}
    session = sessions.update(tx, session_id, stop_requested=wish)
    tell(
        tx,
        session,
        "session.stop.requested",
        actor=actor,
        data={"reason": reason, "outcome": outcome},
    )
    return session


def record_thread(tx: Transaction, session_id: int, thread_id: str, *, codex_ref: str) -> Session:
    """Commit which Codex thread is the session's, before any prompt is sent to it."""
    session = sessions.update(tx, session_id, codex_thread_id=thread_id, codex_ref=codex_ref)
    tasks.update(tx, session.task_id, codex_thread_id=thread_id)
    return session


def record_turn(
    tx: Transaction,
    session_id: int,
    turn_id: str | None,
    *,
    codex_ref: str,
    runner: str,
    instance: str,
) -> Session:
    """The turn has begun: the session runs. Told once, however often it is heard.

    `instance` is the life of the server in which it runs.
    """
    session = sessions.get(tx.db, session_id)
    if session.status != "starting":
        return session
    return move(
        tx,
        session_id,
        "running",
        event="session.started",
        data={"codexRef": codex_ref, "runner": runner, "model": session.model},
        codex_turn_id=turn_id,
        codex_ref=codex_ref,
        runner_instance=instance,
    )


def record_item(
    tx: Transaction,
    session_id: int,
    *,
    turn_id: str,
    item_id: str,
    kind: str,
    completed: bool,
    body: Mapping[str, Any],
) -> Session:
    """Keep an item of the transcript; a finished one is told of once, however often it is seen."""
    session = sessions.get(tx.db, session_id)
    known = items.find(tx.db, {"session_id": session_id, "turn_id": turn_id, "item_id": item_id})
    status = "completed" if completed else "in_progress"
    if known is None:
        items.insert(
            tx,
            session_id=session_id,
            turn_id=turn_id,
            item_id=item_id,
            type=kind,
            status=status,
            body=dict(body),
        )
    elif known.status == "completed":
        return session
    else:
        items.update(tx, known.id, status=status, body=dict(body))
    if not completed:
        return session
    result = result_of(session, kind, body)
    if kind == "agentMessage" and body.get("text"):
        said = str((result or {}).get("summary") or body["text"])
        session = sessions.update(tx, session_id, last_message=said)
    if result is not None:
        session = sessions.update(tx, session_id, result=result)
        tell(tx, session, "session.result", actor="codex", data={"result": session.result})
    tell(
        tx,
        session,
        "session.item",
        actor="codex",
        data={"turnId": turn_id, "itemId": item_id, "type": kind, "item": dict(body)},
    )
    return session


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
    the connection was lost: then the answer is still to be delivered.
    """
    session = sessions.get(tx.db, session_id)
    known = _asked_before(tx, session_id, wanted, request_id)
    if known is not None:
        approval = approvals.update(tx, known.id, codex_request_id=request_id)
        if approval.status != "pending":
            return session, approval
    else:
        approval = approvals.insert(
            tx,
            kind=wanted.kind,
            title=wanted.title,
            details=wanted.details,
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
        )
        tell_requested(tx, session, approval, actor="codex")
    if session.status == "running":
        session = move(tx, session_id, "waiting_approval", data={"approvalId": approval.id})
    return session, approval


def tell_requested(tx: Transaction, session: Session, approval: Approval, *, actor: str) -> None:
    """Tell that a person is asked something about the session."""
    tell(
        tx,
        session,
        "approval.requested",
        actor=actor,
        data={
            "kind": approval.kind,
            "title": approval.title,
            "details": approval.details,
            "expiresAt": approval.expires_at,
        },
        approval_id=approval.id,
    )


def _asked_before(
    tx: Transaction, session_id: int, wanted: ApprovalRequest, request_id: str
) -> Approval | None:
    """The approval of a question that Codex asks again.

    One whose answer was delivered is another question of the same item, unless it has the very
    request's id. One whose answer was a secret, and so was not kept, has to be decided anew.
    """
    same = {
        "session_id": session_id,
        "codex_turn_id": wanted.turn_id,
        "codex_item_id": wanted.item_id,
        "kind": wanted.kind,
    }
    for approval in reversed(approvals.every(tx.db, same)):
        if is_withheld(approval.answers):
            return None
        if approval.delivered_at is None or approval.codex_request_id == request_id:
            return approval
    return None


def is_withheld(answers: Mapping[str, Any] | None) -> bool:
    """Whether the stored answers are not what the person said, because it held a secret."""
    text = msgspec.json.encode(answers or {}).decode()
    return WITHHELD in text or REDACTED in text


def settle_approval(
    tx: Transaction,
    approval_id: int,
    *,
    status: str,
    actor: str,
    note: str | None = None,
    scope: str | None = None,
    answers: Mapping[str, Any] | None = None,
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
    cause = last_event(tx, "approval_id", approval_id)
    tx.emit(
        "approval.expired" if status == "expired" else "approval.resolved",
        actor=actor,
        data={"status": status, "kind": approval.kind, "note": note, "scope": scope},
        repository_id=approval.repository_id,
        task_id=approval.task_id,
        session_id=approval.session_id,
        approval_id=approval_id,
        correlation_id=approval.correlation_id,
        causation_id=cause,
    )
    if settled.kind == "run" and settled.session_id is not None:
        _settle_run(tx, settled)
    return settled


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
    """The last approved approval of a blocked run queues it; a refused one ends it as blocked."""
    assert approval.session_id is not None  # noqa: S101 - told so by the caller
    session = sessions.get(tx.db, approval.session_id)
    if session.status != "blocked" or session.finished_at is not None:
        return
    if approval.status == "approved":
        waiting = approvals.every(
            tx.db, {"session_id": session.id, "kind": "run", "status": "pending"}
        )
        if not list(waiting):
            move(tx, session.id, "queued", actor=approval.resolved_by or SYSTEM)
        return
    note = f": {approval.resolution_note}" if approval.resolution_note else "."
    reason = f"Approval {approval.id} was {approval.status} by {approval.resolved_by}{note}"
    session = sessions.update(tx, session.id, finished_at=tx.now, exit_reason=reason)
    cause = tell(
        tx,
        session,
        "session.blocked",
        actor=approval.resolved_by or SYSTEM,
        data={"exitReason": reason, "final": True},
        approval_id=approval.id,
    )
    cancel_open_approvals(tx, session, cause=cause)
    record_outcome(tx, session, cause=cause)


def record_delivery(tx: Transaction, approval_id: int) -> Session | None:
    """Codex has the answer. With nothing else to decide, the session runs on."""
    approval = approvals.get(tx.db, approval_id)
    if approval.delivered_at is None:
        approval = approvals.update(tx, approval_id, delivered_at=tx.now)
    if approval.session_id is None:
        return None
    session = sessions.get(tx.db, approval.session_id)
    pending = approvals.every(tx.db, {"session_id": session.id, "status": "pending"})
    waiting = any(other.codex_request_id is not None for other in pending)
    if session.status == "waiting_approval" and not waiting:
        return move(
            tx,
            session.id,
            "running",
            event="session.resumed",
            data={"approvalId": approval_id, "decision": approval.status},
        )
    return session


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


def close_requests(tx: Transaction, session_id: int) -> Session:
    """Codex waits for nobody any more: every request of the session is closed."""
    session = sessions.get(tx.db, session_id)
    for approval in approvals.every(tx.db, {"session_id": session_id, "delivered_at": None}):
        if approval.codex_request_id is not None:
            session = close_request(tx, session_id, approval.codex_request_id)
    return session


def item_body(db: Database, session_id: int, item_id: str) -> dict[str, Any] | None:
    """The newest state of an item, as Codex sent it: what an approval of it is about."""
    item = items.find(db, {"session_id": session_id, "item_id": item_id})
    return None if item is None else item.body


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
