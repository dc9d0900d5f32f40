"""Everything that is written of what came of a push: let through or not, done or failed."""

from __future__ import annotations

from command_center.actors.contracts.events.repositories import PushFailed, WorkPushed
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.pull_request_plans import follow_push
from command_center.store import Approval, Push, Transaction, pushes, sessions


def settle_push(tx: Transaction, approval: Approval) -> None:
    """Let the push go on that waits for an approval, or end it, as that was settled."""
    for push in pushes.every(tx.db, {"approval_id": approval.id, "status": "waiting_approval"}):
        if approval.status == "approved":
            pushes.update(tx, push.id, status="pushing")
        else:
            note = f": {approval.resolution_note}" if approval.resolution_note else "."
            problem = (
                f"Approval {approval.id} was {approval.status} by {approval.resolved_by}{note}"
            )
            fail_push(tx, push.id, problem, actor=approval.resolved_by or ledger.SYSTEM)


def finish_push(tx: Transaction, push_id: int, *, actor: str) -> Push:
    """Note that the commits are there, and the pull request that follows; tell of it."""
    push = pushes.update(tx, push_id, status="pushed", finished_at=tx.now, problem=None)
    told = WorkPushed(
        push_id=push.id,
        remote=push.remote,
        address=push.address,
        branch_name=push.branch_name,
        sha=push.sha,
        commits=push.commits,
    )
    session = sessions.get(tx.db, push.session_id)
    ledger.tell(tx, session, told, actor=actor, approval_id=push.approval_id)
    return follow_push(tx, push)


def fail_push(tx: Transaction, push_id: int, problem: str, *, actor: str) -> Push:
    """Note why the commits were not pushed, and tell of it."""
    push = pushes.update(tx, push_id, status="failed", finished_at=tx.now, problem=problem)
    told = PushFailed(
        push_id=push.id,
        remote=push.remote,
        branch_name=push.branch_name,
        sha=push.sha,
        problem=problem,
    )
    session = sessions.get(tx.db, push.session_id)
    ledger.tell(tx, session, told, actor=actor, approval_id=push.approval_id)
    return push
