"""Questions that Codex does not wait for: it works on, and is told the answer as a message.

Codex shows such questions as a message of its own (`delivery: "async"`). They become an approval
that the turn does not wait for, and that outlives it: while the turn runs, the answer is steered
into it; once it has ended, the answer is a follow-up in its thread. No answer is said twice: that
it is about to be said is committed before, and the transcript tells whether it was heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from command_center.actors.core.clock import later
from command_center.actors.ledger import approvals as settlement
from command_center.actors.rules.questions import UnawaitedQuestion, is_async
from command_center.store import Approval, Session, Task, Transaction, approvals, items, sessions

SAID_AT = "saidAt"
"""The detail of an approval that tells from when on its answer may have been heard."""


def ask(
    tx: Transaction, session_id: int, question: UnawaitedQuestion, *, approval_seconds: float
) -> None:
    """Have a person asked what a finished message asks, once however often it is seen."""
    session = sessions.get(tx.db, session_id)
    shown = question.shown
    known = {
        "session_id": session_id,
        "codex_turn_id": shown.turn_id,
        "codex_item_id": shown.item_id,
        "kind": shown.kind,
    }
    if approvals.find(tx.db, known) is not None:
        return
    approval = approvals.insert(
        tx,
        **known,
        title=shown.title,
        details={**shown.details, "delivery": "async"},
        repository_id=session.repository_id,
        task_id=session.task_id,
        codex_thread_id=session.codex_thread_id,
        codex_request=dict(question.asked),
        requested_by="codex",
        expires_at=later(tx.now, approval_seconds),
        correlation_id=session.correlation_id,
    )
    settlement.tell_requested(tx, session, approval, actor="codex")


def message_id(approval: Approval) -> str:
    """Return the id of ours that an answer carries in its thread."""
    return f"command-center-answer-{approval.session_id}-{approval.id}"


def words_of(approval: Approval) -> str:
    """Say to Codex each question, quoted, with its answer."""
    answers: Mapping[str, Any] = approval.answers or {}
    said = []
    for question in approval.details["questions"]:
        given = answers.get(question["id"], "")
        texts = [given] if isinstance(given, str) else given
        quoted = "\n".join(f"> {line}" for line in question["question"].splitlines())
        said.append(f"{quoted}\n\n{', '.join(map(str, texts))}")
    return "\n\n".join(said)


def begin_to_say(tx: Transaction, approval_id: int) -> bool:
    """Commit that the answer is about to be said; whether this is the first to do so."""
    approval = approvals.get(tx.db, approval_id)
    if approval.delivered_at is not None or SAID_AT in approval.details:
        return False
    approvals.update(tx, approval_id, details={**approval.details, SAID_AT: tx.now})
    return True


def unheard(tx: Transaction, session: Session) -> list[Approval]:
    """Return the answers that the session's ended turn was not told; settle the others.

    Its transcript is complete: what Codex took into the turn is in it, under our id.
    """
    answered = [
        approval
        for approval in approvals.every(
            tx.db,
            {
                "session_id": session.id,
                "kind": "user_input",
                "status": "approved",
                "delivered_at": None,
            },
        )
        if is_async(approval.kind, approval.details)
    ]
    if not answered:
        return []
    heard = {
        item.body.get("clientId")
        for item in items.every(tx.db, {"session_id": session.id, "type": "userMessage"})
    }
    for approval in answered:
        approvals.update(tx, approval.id, delivered_at=tx.now)
    return [approval for approval in answered if message_id(approval) not in heard]


def cancel(tx: Transaction, task: Task, *, actor: str) -> None:
    """Take back what sessions of the task that have ended still ask."""
    for approval in approvals.every(tx.db, {"task_id": task.id, "status": "pending"}):
        if is_async(approval.kind, approval.details):
            note = f"Task {task.id} is cancelled."
            settlement.settle_approval(tx, approval.id, status="cancelled", actor=actor, note=note)
