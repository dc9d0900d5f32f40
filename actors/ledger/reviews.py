"""Begin reviews, and make comments of their findings: each function is a unit of a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from command_center.actors.contracts.comments import MOST_OPEN
from command_center.actors.contracts.fields import TITLE_LENGTH
from command_center.actors.contracts.reviews import ReviewRequest
from command_center.actors.contracts.tasks import CreateTask, RunOutcome
from command_center.actors.ledger.comments import keep_comment
from command_center.actors.ledger.tasks import create_task, outcome_of_run
from command_center.actors.rules.lengths import NOTE_LENGTH
from command_center.actors.rules.policy import RunInput
from command_center.actors.rules.reviews import ReviewFinding
from command_center.store import Session, Transaction, comments, sessions, tasks
from command_center.store.records import Runner


def begin_review(
    tx: Transaction,
    session_id: int,
    wanted: ReviewRequest,
    *,
    runner: Runner,
    approval_seconds: float,
) -> RunOutcome:
    """Make a task that reviews a session's work where that is, and take it as far as policy does.

    Raises:
        RecordNotFound: there is no such session.
        PolicyDenied: the repository forbids it.
    """
    session = sessions.get(tx.db, session_id)
    task = tasks.get(tx.db, session.task_id)
    made = create_task(
        tx,
        CreateTask(
            repository_id=session.repository_id,
            type="review_task",
            title=f"Review: {task.title}"[:TITLE_LENGTH],
            prompt=wanted.words,
            priority=task.priority,
            requested_by=wanted.requested_by,
        ),
    )
    run = RunInput(
        model=wanted.model,
        effort=wanted.effort,
        sandbox="read-only",
        worktree_path=session.worktree_path,
        workplace="main_checkout" if session.worktree_path is None else None,
        branch_name=session.branch_name if session.worktree_path is not None else None,
        allow_network=False,
        allow_commit=False,
        requested_by=wanted.requested_by,
    )
    target = {"base": wanted.base, "commit": wanted.commit}
    review = {"type": wanted.kind, **target, "sessionId": session.id}
    return outcome_of_run(
        tx, made.id, run, runner=runner, approval_seconds=approval_seconds, review=review
    )


def comment_findings(tx: Transaction, review: Session, result: Mapping[str, Any]) -> None:
    """Make comments of a review's findings, on the work that it is of; once, as far as fit."""
    reviewed_id = (review.review or {}).get("sessionId")
    if reviewed_id is None or comments.count(tx.db, {"review_session_id": review.id}):
        return
    reviewed = sessions.get(tx.db, int(reviewed_id))
    room = MOST_OPEN - comments.count(tx.db, {"task_id": reviewed.task_id, "status": "open"})
    found = msgspec.convert(result.get("findings", []), list[ReviewFinding])
    for finding in [one for one in found if one.is_inside][: max(0, room)]:
        keep_comment(
            tx,
            reviewed,
            actor="codex",
            path=finding.path,
            side="after",
            line=finding.line,
            end_line=finding.end_line,
            text=f"{finding.title}\n\n{finding.body}".strip()[:NOTE_LENGTH],
            quote="",
            requested_by=review.requested_by,
            review_session_id=review.id,
        )


def quote_finding(tx: Transaction, comment_id: int, quote: str) -> None:
    """Keep the lines that a comment of a review speaks of."""
    comments.update(tx, comment_id, quote=quote)
