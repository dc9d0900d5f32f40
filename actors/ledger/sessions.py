"""Everything that is written of a session: each function is one unit of a transaction.

A unit changes the session, its task and its approvals, and emits the events that tell of it, all
or nothing. It checks the state that it meets, never a copy: two units that race are ordered by the
store's one writer, and the second one sees what the first one did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.approvals import ApprovalResolved
from command_center.actors.contracts.events.sessions import (
    CommandRunElsewhere,
    GoalCleared,
    GoalUpdated,
    ItemCutOff,
    SessionArchived,
    SessionBlocked,
    SessionCompleted,
    SessionCreated,
    SessionEnded,
    SessionFailed,
    SessionHalted,
    SessionInterrupted,
    SessionItem,
    SessionMoved,
    SessionPlaced,
    SessionQueued,
    SessionRenamed,
    SessionResult,
    SessionStarted,
    SessionStarting,
    SessionUnarchived,
    StopRequested,
    TurnBegan,
)
from command_center.actors.contracts.sessions import SessionLabel
from command_center.actors.core.clock import later
from command_center.actors.ledger.reports import result_of
from command_center.actors.rules.branch_names import branch_of_run, folder_name
from command_center.actors.rules.choices import choices_of
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.paths import pure_path
from command_center.actors.rules.policy import RunSettings
from command_center.actors.rules.questions import is_async
from command_center.actors.rules.transitions import check
from command_center.store import (
    EventData,
    Item,
    Repository,
    Session,
    Task,
    Transaction,
    agents,
    approvals,
    items,
    sessions,
    tasks,
)
from command_center.store.queries.attachments import still_there
from command_center.store.queries.causes import last_event
from command_center.store.records import Runner, SessionStatus
from command_center.store.statuses import FINAL

SAME_RUN: Final = frozenset({"retry", "continue", "limit"})
"""The origins of a session that goes on with the run of the one before it."""

OfAgent = TypeVar("OfAgent", SessionItem, CommandRunElsewhere)

SYSTEM = "system"
"""The actor that is recorded where no person acted."""

GOAL: Final = ("objective", "status", "tokenBudget", "tokensUsed", "timeUsedSeconds")
"""The fields that are kept of a goal."""

WANTED: Final = "wanted"
"""The status of a goal that Codex has not been given yet."""

PURSUED: Final = frozenset({"active", WANTED})
"""The statuses of a goal for which Codex goes on when a turn has ended."""


ENDINGS: Mapping[SessionStatus, type[SessionEnded]] = MappingProxyType(
    {
        "completed": SessionCompleted,
        "failed": SessionFailed,
        "stopped": SessionHalted,
        "interrupted": SessionInterrupted,
    }
)
"""The event of each way in which a session ends."""

MOVES: Mapping[SessionStatus, type[SessionMoved | SessionBlocked]] = MappingProxyType(
    {
        "queued": SessionQueued,
        "blocked": SessionBlocked,
        "starting": SessionStarting,
        **ENDINGS,
    }
)
"""The event of each status that a session takes; of the others whoever moves it says which."""


def tell(
    tx: Transaction,
    session: Session,
    event: EventData,
    *,
    actor: str = SYSTEM,
    approval_id: int | None = None,
    causation_id: int | None = None,
) -> int:
    """Emit an event of the session's story; its cause is the story's last event unless named."""
    if causation_id is None:
        causation_id = last_event(tx.db, "session_id", session.id) or session.causation_id
    return tx.emit(
        event,
        actor=actor,
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
    event: Callable[..., EventData] | None = None,
    **changes: Any,
) -> Session:
    """Take the session to another status, its task with it, and tell of it.

    Args:
        tx: the transaction.
        session_id: which session.
        to: the status it takes.
        actor: who did it.
        event: makes the event of the statuses left and taken (`from_`, `to`), and of an end also
            of `exit_reason` and `token_usage`; that of the status in `MOVES` unless given.
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
    told: dict[str, Any] = {"from_": session.status, "to": to}
    if to in FINAL:
        told |= {"exit_reason": moved.exit_reason, "token_usage": moved.token_usage}
    cause = tell(tx, moved, (event or MOVES[to])(**told), actor=actor)
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
    Unless its type is given, what is said beside the task is a prompt, whatever the task's type.
    Where a worktree is to be made for it, its place is reserved.
    """
    more.setdefault("type", task.type if more.get("origin", "run") == "run" else "prompt_task")
    session = sessions.insert(
        tx,
        task_id=task.id,
        title=task.title,
        runner=runner,
        **_settings(repository, given),
        prompt=prompt,
        priority=task.priority,
        requested_by=requested_by,
        correlation_id=task.correlation_id,
        causation_id=last_event(tx.db, "task_id", task.id),
        **more,
    )
    if given.worktree == "automatic":
        session = reserve_worktree(tx, session, repository)
    tell(
        tx,
        session,
        created(session),
        actor=requested_by,
    )
    if session.placement is not None:
        _tell_placed(tx, session)
    return session


def label_session(tx: Transaction, session_id: int, label: SessionLabel) -> Session:
    """Name a session, archive it or bring it back, and tell of what that changed.

    Raises:
        Conflict: it is to be archived, and has not ended.
    """
    session = sessions.get(tx.db, session_id)
    told: list[EventData] = []
    changes: dict[str, Any] = {}
    if label.title not in {msgspec.UNSET, session.title}:
        changes["title"] = label.title
    if label.archived not in {msgspec.UNSET, session.archived}:
        if session.finished_at is None:
            raise Conflict(
                f"Session {session.id} is {session.status}; stop it before you archive it.",
                currentStatus=session.status,
            )
        changes["archived"] = label.archived
        told.append(SessionArchived() if label.archived else SessionUnarchived())
    if not changes:
        return session
    session = sessions.update(tx, session_id, **changes)
    if "title" in changes:
        told.insert(0, SessionRenamed(title=session.title))
    for event in told:
        tell(tx, session, event, actor=label.requested_by)
    return session


def place_session(
    tx: Transaction, session_id: int, repository: Repository, given: RunSettings, reason: str
) -> Session:
    """Give a session that waits to another copy of its repository, and tell of it."""
    here = {"worktree_reserved": False, "placement_reason": reason}
    session = sessions.update(tx, session_id, **_settings(repository, given), **here)
    if given.worktree == "automatic":
        session = reserve_worktree(tx, session, repository)
    _tell_placed(tx, session)
    return session


def _settings(repository: Repository, given: RunSettings) -> dict[str, Any]:
    """Return the fields of a session that say where it works, and what it may do there."""
    return {
        "repository_id": repository.id,
        "host": repository.host,
        **choices_of(given),
        "sandbox": given.sandbox,
        "allow_network": given.allow_network,
        "allow_commit": given.allow_commit,
        "cwd": given.worktree_path or repository.local_path,
        "worktree_path": given.worktree_path,
        "branch_name": given.branch_name,
        "workplace": "main_checkout" if given.worktree == "none" else "worktree",
    }


def _tell_placed(tx: Transaction, session: Session) -> None:
    placed = SessionPlaced(
        host=session.host,
        placement=session.placement or "",
        reason=session.placement_reason or "",
    )
    tell(tx, session, placed)


def reserve_worktree(tx: Transaction, session: Session, repository: Repository) -> Session:
    """Give a session the place where its worktree will be, so that it waits for nobody elsewhere.

    Sessions on one branch are given one place, as git has a branch checked out once. The place is
    looked at when the session begins, and may be another one then.
    """
    folder = repository.facts.get("worktreesFolder")
    if folder is None:
        return session
    branch = session.branch_name
    place = None if branch is None else _place_of_branch(tx, session, branch)
    if place is None:
        name = folder_name(branch or branch_of_run(session.task_id, session.id))
        place = str(pure_path(folder) / str(repository.id) / name)
        if sessions.find(tx.db, {"host": session.host, "cwd": place, "finished_at": None}):
            place = f"{place}-{session.id}"
    return sessions.update(tx, session.id, cwd=place, worktree_path=place, worktree_reserved=True)


def _place_of_branch(tx: Transaction, session: Session, branch: str) -> str | None:
    """Return where a session worked on the branch last, or is going to."""
    where: dict[str, int | str] = {
        "repository_id": session.repository_id,
        "branch_name": branch,
    }
    known = sessions.page(tx.db, where, limit=2, newest_first=True).items
    return next((one.worktree_path for one in known if one.id != session.id), None)


def created(session: Session) -> SessionCreated:
    """Make the event that tells of a session that is there now."""
    return SessionCreated(
        type=session.type,
        runner=session.runner,
        sandbox=session.sandbox,
        host=session.host,
        cwd=session.cwd,
        origin=session.origin,
        previous_session_id=session.previous_session_id,
        attempt=session.attempt,
        begin_after=session.begin_after,
    )


def cancel_open_approvals(tx: Transaction, session: Session, *, cause: int) -> None:
    """Nobody needs to decide for a session that has ended.

    What Codex asked without waiting may still be answered, unless somebody stopped the session.
    """
    for approval in approvals.every(tx.db, {"session_id": session.id, "status": "pending"}):
        if session.status != "stopped" and is_async(approval.kind, approval.details):
            continue
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
            ApprovalResolved(status="cancelled", note=cancelled.resolution_note),
            approval_id=approval.id,
            causation_id=cause,
        )


def check_unstopped(session: Session) -> None:
    """Refuse what is said to a session that is being stopped.

    Raises:
        Conflict: it is, and has not ended.
    """
    if session.finished_at is None and session.stop_requested is not None:
        raise Conflict(
            f"Session {session.id} is being stopped, and nothing follows a stop by itself: say "
            "it again when it has ended.",
            currentStatus=session.status,
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
    request = {"reason": reason, "requestedBy": actor, "at": tx.now, "outcome": outcome}
    session = sessions.update(tx, session_id, stop_requested=request)
    tell(
        tx,
        session,
        StopRequested(reason=reason, outcome=outcome),
        actor=actor,
    )
    return session


def first_attempt(tx: Transaction, session: Session) -> Session:
    """Return the session whose retry or continuation this one is, at the beginning of the row."""
    while session.origin in SAME_RUN and session.previous_session_id is not None:
        session = sessions.get(tx.db, session.previous_session_id)
    return session


def record_thread(
    tx: Transaction, session_id: int, thread_id: str, *, codex_ref: str, model: str | None = None
) -> Session:
    """Commit which Codex thread is the session's, before any prompt is sent to it.

    The model is the one that Codex has opened it with, and the session's where none was asked for.
    A task that was made for a thread stays that thread's, whichever its sessions begin beside it.

    Where it takes the place of a thread that is gone, a retry or a continuation says what the first
    attempt said, for this one has not heard it.
    """
    session = sessions.get(tx.db, session_id)
    changes: dict[str, Any] = {"codex_thread_id": thread_id, "codex_ref": codex_ref}
    if session.model is None:
        changes["model"] = model
    if session.codex_thread_id not in {None, thread_id}:
        first_said = first_attempt(tx, session)
        shown = still_there(tx.db, first_said.attachments)
        changes |= {"prompt": first_said.prompt, "attachments": shown}
    session = sessions.update(tx, session_id, **changes)
    first = sessions.find(tx.db, {"task_id": session.task_id})
    if first is None or first.origin not in {"prompt", "compact"}:
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
    """Record that the turn has begun and the session runs. Told once, however often it is heard.

    `instance` is the life of the server in which it runs.
    """
    session = sessions.get(tx.db, session_id)
    if session.status != "starting":
        return session
    return move(
        tx,
        session_id,
        "running",
        event=partial(SessionStarted, codex_ref=codex_ref, runner=runner, model=session.model),
        codex_turn_id=turn_id,
        codex_ref=codex_ref,
        runner_instance=instance,
    )


def record_next_turn(tx: Transaction, session_id: int, turn_id: str, *, codex_ref: str) -> Session:
    """Codex went on for the session's goal: another turn is the session's."""
    session = sessions.get(tx.db, session_id)
    if session.codex_turn_id == turn_id:
        return session
    session = sessions.update(
        tx, session_id, codex_turn_id=turn_id, codex_ref=codex_ref, turns=session.turns + 1
    )
    tell(tx, session, TurnBegan(turn_id=turn_id, number=session.turns), actor="codex")
    return session


def record_goal(tx: Transaction, session_id: int, goal: Mapping[str, Any] | None) -> Session:
    """Keep the goal as Codex has it; tell of it where more than its count of tokens has changed."""
    session = sessions.get(tx.db, session_id)
    known = session.goal
    if goal is None:
        if known is not None:
            session = sessions.update(tx, session_id, goal=None)
            tell(tx, session, GoalCleared(), actor="codex")
        return session
    kept = {name: goal.get(name) for name in GOAL}
    session = sessions.update(tx, session_id, goal=kept)
    said = ("objective", "status", "tokenBudget")
    if known is None or any(known.get(name) != kept[name] for name in said):
        told = GoalUpdated(
            objective=str(kept["objective"]),
            status=str(kept["status"]),
            token_budget=kept["tokenBudget"],
            tokens_used=int(kept["tokensUsed"] or 0),
        )
        tell(tx, session, told, actor="codex")
    return session


def record_item(
    tx: Transaction,
    session_id: int,
    *,
    turn_id: str,
    item_id: str,
    kind: str,
    completed: bool,
    body: Mapping[str, Any],
    agent_id: int | None = None,
) -> Session:
    """Keep an item of the transcript; a finished one is told of once, however often it is seen.

    Of a sub-agent, `agent_id`, it says nothing about the session itself.
    """
    session = sessions.get(tx.db, session_id)
    known = items.find(tx.db, {"session_id": session_id, "turn_id": turn_id, "item_id": item_id})
    status = "completed" if completed else "in_progress"
    if known is None:
        items.insert(
            tx,
            session_id=session_id,
            agent_id=agent_id,
            turn_id=turn_id,
            item_id=item_id,
            type=kind,
            status=status,
            body=dict(body),
        )
        if is_by_hand(body):
            by_hand = CommandRunElsewhere(item_id=item_id, command=str(body.get("command")))
            tell(tx, session, _of(by_hand, agent_id), actor="codex")
    elif known.status == "completed" or (kind == "agentMessage" and not completed):
        return session
    else:
        items.update(tx, known.id, status=status, body=dict(body))
    if not completed:
        return session
    told = SessionItem(turn_id=turn_id, item_id=item_id, type=kind, item=dict(body))
    if agent_id is not None:
        if kind == "agentMessage" and body.get("text"):
            agents.update(tx, agent_id, last_message=body["text"])
        tell(tx, session, _of(told, agent_id), actor="codex")
        return session
    result = result_of(session, kind, body)
    if kind in {"agentMessage", "plan"} and body.get("text"):
        said = str((result or {}).get("summary") or body["text"])
        session = sessions.update(tx, session_id, last_message=said)
    if result is not None:
        session = sessions.update(tx, session_id, result=result)
        tell(tx, session, SessionResult(result=session.result), actor="codex")
    tell(tx, session, told, actor="codex")
    return session


def is_by_hand(body: Mapping[str, Any]) -> bool:
    """Return whether an item is a command that a person has run in another client of Codex."""
    return body.get("type") == "commandExecution" and body.get("source") == "userShell"


def _of(event: OfAgent, agent_id: int | None) -> OfAgent:
    """Say whose it is, where it is a sub-agent's."""
    return event if agent_id is None else msgspec.structs.replace(event, agent_id=agent_id)


def cut_off_items(tx: Transaction, session_id: int) -> None:
    """Say of what is in progress still that its end was not heard, and will not be."""
    session = sessions.get(tx.db, session_id)
    for item in items.every(tx.db, {"session_id": session_id, "status": "in_progress"}):
        cut_off(tx, session, item, status="cut_off")


def cut_off(tx: Transaction, session: Session, item: Item, *, status: str) -> None:
    """Keep what is known of an item that nothing more will be heard of, and tell of that."""
    items.update(tx, item.id, status=status)
    agent_id = msgspec.UNSET if item.agent_id is None else item.agent_id
    told = ItemCutOff(
        turn_id=item.turn_id,
        item_id=item.item_id,
        type=item.type,
        item=item.body,
        agent_id=agent_id,
    )
    tell(tx, session, told)


def is_sleeping(tx: Transaction, session_id: int) -> bool:
    """Tell whether an item of the session is a pause that is not over yet, nor should be."""
    return any(
        later(item.created_at, float(item.body.get("durationMs") or 0) / 1000) > tx.now
        for item in items.every(
            tx.db, {"session_id": session_id, "type": "sleep", "status": "in_progress"}
        )
    )


def item_body(db: Database, session_id: int, item_id: str) -> dict[str, Any] | None:
    """Return the newest state of an item, as Codex sent it: what an approval of it is about."""
    item = items.find(db, {"session_id": session_id, "item_id": item_id})
    return None if item is None else items.whole(db, item, "body")
