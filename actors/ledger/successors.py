"""Decide what follows a session, in the transaction that ends it.

- What Codex asked without waiting, and was answered too late for the turn, is a follow-up.
- A turn that **completed** is followed by the oldest follow-up that waits in its task.
- One that **failed** is tried again, where the task allows attempts: after a pause that doubles
  (`RETRY`).
- One that met a **limit** of the agent's account waits until that resets, and goes on then.
- One that was **interrupted**, and not asked to end, is continued, where the task says so, at most
  `CONTINUATIONS` times in a row.

The next session is an ordinary one: it stands in the queue, policy judges it, and it is found after
a crash. It goes on in the same Codex thread, but a review that is done again begins one of its own.
Nothing follows what a person stopped or refused, nor in a task that is cancelled or has used its
turns or tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import (
    FollowupCancelled,
    FollowupChanged,
    FollowupQueued,
    SequelRefused,
)
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.core.clock import later
from command_center.actors.ledger import agents, async_questions, drafts
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import admit
from command_center.actors.ledger.budgets import check_limits
from command_center.actors.ledger.outcomes import record_outcome
from command_center.actors.ledger.uploads import joined
from command_center.actors.ledger.usage_limits import hold, note_completed, park, skips
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.policy import PolicyDenied, evaluate, run_of
from command_center.actors.rules.questions import is_async
from command_center.runtime import Backoff
from command_center.store import (
    Approval,
    AutomationOutcome,
    Followup,
    Session,
    Task,
    Transaction,
    approvals,
    followups,
    orphaned_turns,
    repositories,
    sessions,
    tasks,
)
from command_center.store.leases import is_lost
from command_center.store.queries.attachments import still_there
from command_center.store.queries.causes import last_event
from command_center.store.records import LOCAL, SessionStatus

RETRY: Final = Backoff(initial=10.0, cap=300.0, jitter=0.0)
"""The pauses between the failure of an attempt and the next one."""

CONTINUATIONS: Final = 5

GO_ON: Final = (
    "The last turn was cut off before it ended ({reason}). "
    "Look at what is done already, and go on with the task from there."
)
TRY_AGAIN: Final = (
    "The last turn failed ({reason}). Look at what is done already, and try the task again."
)


def end(
    tx: Transaction,
    session_id: int,
    status: SessionStatus,
    *,
    reason: str | None,
    approval_seconds: float,
    leaves_turn: bool = False,
    is_limited: bool = False,
    outcome: AutomationOutcome | None = None,
) -> tuple[Session, Session | None]:
    """Take a session to its end; the second is the session that follows it, if one does.

    `leaves_turn` says that its turn, if Codex has one, may run on: then `/orphaned-turns` ends it.
    `is_limited` says that it failed since a limit of the agent's account is reached. It counts as
    interrupted then, for as long as waiting for the reset is worth it. `outcome` is that of its
    automation's run, where `status` does not say it.
    """
    session = sessions.get(tx.db, session_id)
    is_held = is_limited and status == "failed" and hold(tx, session) and session.origin != "codex"
    if is_held:
        status = "interrupted"
    if status == "completed":
        note_completed(tx, session)
    for answered in async_questions.unheard(tx, session):
        queue_followup(
            tx,
            session_id,
            message=async_questions.words_of(answered),
            actor=answered.resolved_by or ledger.SYSTEM,
        )
    agents.end_all(tx, session_id)
    if session.goal is not None and session.goal["status"] in ledger.PURSUED:
        # Its runner sees to that, so that nothing begins again.
        ledger.record_goal(tx, session_id, {**session.goal, "status": "paused"})
    drafts.cut(tx, session_id)
    ended = ledger.move(tx, session_id, status, exit_reason=reason)
    if leaves_turn and RUNNERS[ended.runner].has_threads and ended.codex_thread_id is not None:
        orphaned_turns.note(tx, session_id)
    cause = last_event(tx.db, "session_id", session_id)
    sequel = _follow(tx, ended, approval_seconds=approval_seconds, is_held=is_held)
    if ended.origin != "codex":
        record_outcome(tx, ended, sequel=sequel, cause=cause, outcome=outcome)
    return ended, sequel


def queue_followup(
    tx: Transaction,
    session_id: int,
    *,
    message: str,
    actor: str,
    attachments: Sequence[dict[str, Any]] = (),
) -> Followup:
    """Keep what is to be said when the session's turn has ended.

    Raises:
        Conflict: the session has ended.
    """
    session = sessions.get(tx.db, session_id)
    if session.finished_at is not None:
        raise Conflict(
            f"Session {session.id} is {session.status}; a follow-up waits for a turn to end.",
            currentStatus=session.status,
        )
    followup = followups.insert(
        tx,
        task_id=session.task_id,
        session_id=session.id,
        message=message,
        requested_by=actor,
        attachments=list(attachments),
    )
    told = FollowupQueued(
        followup_id=followup.id,
        message=followup.message,
        attachments=followup.attachments or msgspec.UNSET,
    )
    ledger.tell(tx, session, told, actor=actor)
    return followup


def say_answer(tx: Transaction, approval: Approval, *, approval_seconds: float) -> Session | None:
    """Say what a person answered to Codex once the turn that asked has ended; the session for it.

    None, where there is nothing to say, or a session of the task that has not ended says it: the
    one that asked, or a later one as a follow-up.

    Raises:
        Conflict: the task is cancelled, or has used up what it may.
        PolicyDenied: the repository forbids it now.
    """
    is_answer = approval.status == "approved" and is_async(approval.kind, approval.details)
    if not is_answer or approval.session_id is None:
        return None
    asked = sessions.get(tx.db, approval.session_id)
    if asked.finished_at is None:
        return None
    actor = approval.resolved_by or ledger.SYSTEM
    message = async_questions.words_of(approval)
    approvals.update(tx, approval.id, delivered_at=tx.now)
    followup, told = say(tx, asked, message=message, actor=actor, approval_seconds=approval_seconds)
    return told if followup is None else None


def say(
    tx: Transaction,
    after: Session,
    *,
    message: str,
    actor: str,
    approval_seconds: float,
    attachments: Sequence[dict[str, Any]] = (),
) -> tuple[Followup | None, Session]:
    """Say something in a session's thread once the turn that runs there has ended.

    A turn that runs in another thread of the task is not waited for.

    Returns:
        the follow-up and the live session that it waits for; or, where none is live, None and the
        session that says it.

    Raises:
        Conflict: the task is cancelled, or has used up what it may.
        PolicyDenied: the repository forbids it now.
    """
    task = tasks.get(tx.db, after.task_id)
    if task.status == "cancelled":
        raise Conflict(f"Task {task.id} is cancelled.", currentStatus=task.status)
    unfinished = sessions.every(tx.db, {"task_id": task.id, "finished_at": None})
    live = next((one for one in unfinished if _share_a_thread(one, after)), None)
    if live is not None:
        waits = queue_followup(tx, live.id, message=message, actor=actor, attachments=attachments)
        return waits, live
    check_limits(tx, task)
    sequel = {
        "origin": "followup",
        "prompt": message,
        "requested_by": actor,
        "attachments": list(attachments),
    }
    return None, _insert(tx, after, task, sequel, approval_seconds=approval_seconds)


def _share_a_thread(live: Session, ended: Session) -> bool:
    """Return whether one works where the other has; one without a thread may get that one."""
    threads = {live.codex_thread_id, ended.codex_thread_id}
    return None in threads or len(threads) == 1


def say_next(
    tx: Transaction,
    session_id: int,
    *,
    message: str,
    actor: str,
    approval_seconds: float,
    attachments: Sequence[dict[str, Any]] = (),
) -> tuple[Followup | None, Session]:
    """Say something once a session's turn has ended, or as the next turn of its thread.

    One that ended before it had a thread has heard nothing: its prompt is said with it, and those
    of its attachments that were not deleted.

    Returns:
        as `say` does.

    Raises:
        Conflict: it is being stopped, or see `say`.
        PolicyDenied: the repository forbids it now.
    """
    session = sessions.get(tx.db, session_id)
    if session.finished_at is None:
        ledger.check_unstopped(session)
        waits = queue_followup(
            tx, session.id, message=message, actor=actor, attachments=attachments
        )
        return waits, session
    if session.codex_thread_id is None:
        unheard = ledger.first_attempt(tx, session)
        message = f"{unheard.prompt}\n\n{message}"
        attachments = joined(still_there(tx.db, unheard.attachments), attachments)
    return say(
        tx,
        newest_in_thread(tx.db, session),
        message=message,
        actor=actor,
        approval_seconds=approval_seconds,
        attachments=attachments,
    )


def newest_of_task(db: Database, session_id: int) -> Session:
    """Return the newest session of a session's task."""
    session = sessions.get(db, session_id)
    return sessions.find(db, {"task_id": session.task_id}, newest_first=True) or session


def newest_in_thread(db: Database, session: Session) -> Session:
    """Return the newest session of a session's task that works, or worked, in its thread."""
    if session.codex_thread_id is None:
        return session
    thread: dict[str, int | str] = {
        "task_id": session.task_id,
        "codex_thread_id": session.codex_thread_id,
    }
    return sessions.find(db, thread, newest_first=True) or session


def change_followup(
    tx: Transaction, followup_id: int, *, message: str | None, actor: str
) -> Followup:
    """Change what is to be said, or with no message take it back, until it is sent.

    Raises:
        Conflict: it was sent or taken back.
    """
    followup = followups.get(tx.db, followup_id)
    if followup.status != "pending":
        raise Conflict(
            f"Follow-up {followup.id} is {followup.status} and cannot be changed.",
            currentStatus=followup.status,
            sentSessionId=followup.sent_session_id,
        )
    changes: dict[str, Any] = {"status": "cancelled"} if message is None else {"message": message}
    followup = followups.update(tx, followup_id, **changes)
    event = FollowupCancelled if message is None else FollowupChanged
    ledger.tell(
        tx,
        sessions.get(tx.db, followup.session_id),
        event(followup_id=followup.id, message=followup.message),
        actor=actor,
    )
    return followup


def cancel_followups(tx: Transaction, task: Task, *, actor: str) -> None:
    """Take back all that waits in a task."""
    for followup in followups.every(tx.db, {"task_id": task.id, "status": "pending"}):
        change_followup(tx, followup.id, message=None, actor=actor)


def _follow(
    tx: Transaction, ended: Session, *, approval_seconds: float, is_held: bool
) -> Session | None:
    is_cut_off = ended.host != LOCAL and ended.status == "interrupted"
    is_moved = is_cut_off and is_lost(tx.db, ended.id)
    if ended.stop_requested is not None or is_moved:
        return None  # a run that is moved goes on once another host has cloned what it needs
    task = tasks.get(tx.db, ended.task_id)
    if task.status == "cancelled":
        return None
    sequel = _held(tx, ended) if is_held else _sequel(tx, ended, task)
    if sequel is None:
        return None
    try:
        check_limits(tx, task, is_held=is_held)
        following = _insert(tx, ended, task, sequel, approval_seconds=approval_seconds)
    except (Conflict, PolicyDenied) as refused:
        ledger.tell(
            tx,
            ended,
            SequelRefused(origin=sequel["origin"], reason=str(refused)),
        )
        return None
    if is_held and following.status == "queued":
        return park(tx, following.id, actor=ledger.SYSTEM)
    return following


def _held(tx: Transaction, ended: Session) -> dict[str, Any] | None:
    """Return the fields of the session that goes on when the limit resets."""
    if skips(tx, ended) or ended.origin == "compact":
        return None
    return {
        "origin": "limit",
        **_next_prompt(tx, ended, GO_ON),
        "requested_by": ended.requested_by,
        "attempt": ended.attempt,
    }


def _sequel(tx: Transaction, ended: Session, task: Task) -> dict[str, Any] | None:
    """Return the fields of the session that is to follow; None where nothing is."""
    match ended.status:
        case "completed":
            followup = followups.find(tx.db, {"task_id": task.id, "status": "pending"})
            if followup is None:
                return None
            return {
                "origin": "followup",
                "prompt": followup.message,
                "requested_by": followup.requested_by,
                "attachments": followup.attachments,
                "followup": followup,
            }
        case _ if ended.origin in {"codex", "compact"}:
            return None  # who began the turn, decides what follows it
        case "failed" if ended.attempt < task.max_attempts:
            return {
                "origin": "retry",
                **_next_prompt(tx, ended, TRY_AGAIN),
                "requested_by": ended.requested_by,
                "attempt": ended.attempt + 1,
                "begin_after": later(tx.now, RETRY.delay(ended.attempt)),
            }
        case "interrupted" if task.on_interrupt == "continue" and ended.attempt <= CONTINUATIONS:
            return {
                "origin": "continue",
                **_next_prompt(tx, ended, GO_ON),
                "requested_by": ended.requested_by,
                "attempt": ended.attempt + 1,
            }
        case _:
            return None


def _next_prompt(tx: Transaction, ended: Session, words: str) -> dict[str, Any]:
    """In a thread that heard the prompt, say what to go on with; else the prompt itself."""
    if ended.type == "review_task":
        return {"prompt": ended.prompt}
    if ended.codex_thread_id is None or ended.codex_turn_id is None:
        first = ledger.first_attempt(tx, ended)
        return {"prompt": first.prompt, "attachments": first.attachments}
    return {"prompt": words.format(reason=ended.exit_reason or "for no known reason")}


def _goal_again(ended: Session) -> dict[str, Any] | None:
    """Return the unreached goal that a retry or a continuation goes on to pursue."""
    if ended.goal is None or ended.goal["status"] == "complete":
        return None
    return {**ended.goal, "status": ledger.WANTED}


def _insert(
    tx: Transaction, ended: Session, task: Task, sequel: dict[str, Any], *, approval_seconds: float
) -> Session:
    repository = repositories.get(tx.db, task.repository_id)
    policy = evaluate(repository, task, run_of(ended))
    if policy.run is None:
        raise PolicyDenied(policy)
    followup: Followup | None = sequel.pop("followup", None)
    goes_on = sequel["origin"] in ledger.SAME_RUN
    again_a_review = ended.type == "review_task" and goes_on
    if goes_on:
        sequel["type"] = ended.type
    session = ledger.insert_session(
        tx,
        task,
        repository,
        policy.run,
        runner=ended.runner,
        previous_session_id=ended.id,
        codex_thread_id=None if again_a_review else ended.codex_thread_id,
        review=ended.review if again_a_review else None,
        token_budget=ended.token_budget,
        goal=_goal_again(ended) if goes_on else None,
        **sequel,
    )
    if followup is not None:
        followups.update(tx, followup.id, status="sent", sent_session_id=session.id)
    return admit(
        tx,
        session.id,
        actor=session.requested_by,
        approval_seconds=approval_seconds,
        policy=policy,
    )
