"""Everything that is written of a task: each function is one unit of a transaction.

A run is one unit as well: the session, its approvals and all their events, or nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.tasks import TaskCancelled, TaskCreated, TaskUpdated
from command_center.actors.contracts.fields import TITLE_LENGTH
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.tasks import (
    CreateTask,
    RunOutcome,
    TaskChanges,
    ThreadPrompt,
)
from command_center.actors.ledger import async_questions
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import admit, run_approvals
from command_center.actors.ledger.budgets import check_limits
from command_center.actors.ledger.placing import RunPlaces, place_run
from command_center.actors.ledger.successors import cancel_followups
from command_center.actors.ledger.uploads import attached
from command_center.actors.rules.choices import Choices, choices_of, stored
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.paths import check_path, same_place
from command_center.actors.rules.placement import (
    check_placement,
    stored_placement,
)
from command_center.actors.rules.policy import (
    PolicyDenied,
    PolicyResult,
    RunInput,
    evaluate,
)
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    tasks,
)
from command_center.store.queries.causes import last_event
from command_center.store.records import LOCAL, Runner


def create_task(
    tx: Transaction,
    wanted: CreateTask,
    *,
    automation_id: int | None = None,
    correlation_id: str | None = None,
    causation_id: int | None = None,
) -> Task:
    """Keep a task and tell of it; its story gets a correlation id unless it goes on with one.

    Raises:
        RecordNotFound: there is no such repository.
    """
    repositories.require(tx.db, wanted.repository_id)
    check_placement(wanted.placement)
    task = tasks.insert(
        tx,
        repository_id=wanted.repository_id,
        type=wanted.type,
        title=wanted.title,
        prompt=wanted.prompt,
        priority=wanted.priority,
        approval_required=wanted.approval_required,
        on_interrupt=wanted.on_interrupt,
        max_attempts=wanted.max_attempts,
        turn_limit=wanted.turn_limit,
        token_budget=wanted.token_budget,
        on_checks_failed=wanted.on_checks_failed,
        on_review=wanted.on_review,
        forge_followups=wanted.forge_followups,
        merge_when=wanted.merge_when,
        run_defaults=stored(wanted.run_defaults),
        placement=stored_placement(wanted.placement),
        requested_by=wanted.requested_by,
        automation_id=automation_id,
        correlation_id=correlation_id or tx.origin or uuid.uuid4().hex,
        causation_id=causation_id,
    )
    tx.emit(
        TaskCreated(title=task.title, type=task.type, priority=task.priority),
        actor=wanted.requested_by,
        repository_id=task.repository_id,
        task_id=task.id,
        automation_id=automation_id,
        correlation_id=task.correlation_id,
        causation_id=causation_id,
    )
    return task


def patch_task(tx: Transaction, task_id: int, changes: TaskChanges) -> Task:
    """Change a task and tell what changed.

    Raises:
        RecordNotFound: there is no such task.
        Conflict: it is reopened while a session of it lives.
    """
    task = tasks.get(tx.db, task_id)
    given = {
        name: value
        for name in changes.__struct_fields__
        if name != "requested_by" and (value := getattr(changes, name)) is not msgspec.UNSET
    }
    if isinstance(changes.run_defaults, Choices):
        given["run_defaults"] = stored(changes.run_defaults)
    if changes.placement is not msgspec.UNSET:
        check_placement(changes.placement)
        given["placement"] = stored_placement(changes.placement)
    live = running(tx, task)
    if given.get("status") == "open" and live is not None:
        raise Conflict(
            f"Task {task.id} cannot be reopened while session {live.id} is {live.status}.",
            sessionId=live.id,
            currentStatus=live.status,
        )
    changed = {name: value for name, value in given.items() if getattr(task, name) != value}
    if not changed:
        return task
    task = tasks.update(tx, task_id, **changed)
    if task.status == "cancelled":
        cancel_followups(tx, task, actor=changes.requested_by)
        async_questions.cancel(tx, task, actor=changes.requested_by)
    event = TaskCancelled if changed.get("status") == "cancelled" else TaskUpdated
    tx.emit(
        event(changed=sorted(changed)),
        actor=changes.requested_by,
        repository_id=task.repository_id,
        task_id=task.id,
        automation_id=task.automation_id,
        correlation_id=task.correlation_id,
        causation_id=last_event(tx.db, "task_id", task.id),
    )
    return task


def running(tx: Transaction, task: Task) -> Session | None:
    """Return the task's session that has not ended, if there is one."""
    return sessions.find(tx.db, {"task_id": task.id, "finished_at": None})


def create_session(
    tx: Transaction, task_id: int, run: RunInput, *, runner: Runner, **more: Any
) -> Session:
    """Make a session in `created`, with what the run wants and the repository gives by default.

    Nothing begins it; `begin_session` makes one that begins. `more` are further fields of the
    session; its prompt is the task's unless one is among them.

    Raises:
        RecordNotFound: there is no such task.
        Conflict: the task is cancelled, or a session of it has not ended.
        PolicyDenied: the repository forbids the run.
    """
    return _make_session(tx, task_id, run, runner=runner, **more)[0]


def begin_session(
    tx: Transaction,
    task_id: int,
    run: RunInput,
    *,
    runner: Runner,
    approval_seconds: float,
    **more: Any,
) -> tuple[Session, PolicyResult]:
    """Make a session as `create_session` does, and take it as far as policy lets it.

    Return what policy said, too, which is asked once.

    Raises:
        RecordNotFound, Conflict, PolicyDenied: as `create_session`.
    """
    session, policy = _make_session(tx, task_id, run, runner=runner, **more)
    session = admit(
        tx,
        session.id,
        actor=session.requested_by,
        approval_seconds=approval_seconds,
        policy=policy,
    )
    return session, policy


def _make_session(
    tx: Transaction, task_id: int, run: RunInput, *, runner: Runner, **more: Any
) -> tuple[Session, PolicyResult]:
    task = tasks.get(tx.db, task_id)
    if task.status == "cancelled":
        raise Conflict(
            f"Task {task.id} is cancelled; reopen it before it is run.",
            currentStatus=task.status,
        )
    live = running(tx, task)
    if live is not None:
        raise Conflict(
            f"Task {task.id} already has session {live.id}, which is {live.status}.",
            sessionId=live.id,
            currentStatus=live.status,
        )
    repository = repositories.get(tx.db, task.repository_id)
    if more.get("attachments") and task.type == "review_task" and "prompt" not in more:
        raise Conflict(f"Task {task.id} is a review, and Codex takes no attachments for one.")
    check_limits(tx, task)
    policy = evaluate(repository, task, run)
    if policy.run is None:
        raise PolicyDenied(policy)
    if policy.run.collaboration_mode == "plan" and not RUNNERS[runner].plans:
        raise Conflict(
            f"Plan mode needs CC_CODEX_RUNNER_MODE=app-server; the runner here is {runner}. "
            "Leave collaborationMode out.",
            runner=runner,
        )
    if policy.run.permission_profile is not None and not RUNNERS[runner].has_threads:
        raise Conflict(
            "A permission profile needs CC_CODEX_RUNNER_MODE=app-server; the runner here is "
            f"{runner}. Leave permissionProfile out.",
            runner=runner,
        )
    session = ledger.insert_session(
        tx,
        task,
        repository,
        policy.run,
        runner=runner,
        requested_by=run.requested_by or "api",
        token_budget=run.token_budget,
        **{"prompt": task.prompt, **more, **_goal_of(task, run, runner, more)},
    )
    return session, policy


def _goal_of(
    task: Task, run: RunInput, runner: Runner, more: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the field of the session that has its goal, where the run wants one.

    Raises:
        Conflict: a goal cannot be pursued so.
    """
    if run.goal is None:
        return {}
    if not RUNNERS[runner].pursues_goals:
        raise Conflict(
            f"A goal needs CC_CODEX_RUNNER_MODE=app-server; the runner here is {runner}.",
            runner=runner,
        )
    if task.type == "review_task" and "prompt" not in more:
        raise Conflict(f"Task {task.id} is a review. A review is one turn and has no goal.")
    objective = run.goal.objective or more.get("prompt", task.prompt)
    wanted = {"objective": objective, "tokenBudget": run.goal.token_budget}
    return {"goal": {**wanted, "status": ledger.WANTED, "tokensUsed": 0, "timeUsedSeconds": 0}}


def outcome_of_run(
    tx: Transaction,
    task_id: int,
    run: RunInput,
    *,
    runner: Runner,
    approval_seconds: float,
    **more: Any,
) -> RunOutcome:
    """Begin a session as `begin_session` does, and return what came of it."""
    begun = begin_session(
        tx, task_id, run, runner=runner, approval_seconds=approval_seconds, **more
    )
    return _outcome(tx, *begun)


def run_task(
    tx: Transaction,
    task_id: int,
    run: RunInput,
    *,
    places: RunPlaces,
    runner: Runner,
    approval_seconds: float,
    attachments: Sequence[int] = (),
) -> RunOutcome:
    """Make a session, on a host of `places` if one is to be chosen, as far as policy lets it.

    Raises:
        RecordNotFound, Conflict, PolicyDenied: as `create_session`.
        NowhereToRun: no host can be chosen.
    """
    return outcome_of_run(
        tx,
        task_id,
        run,
        runner=runner,
        approval_seconds=approval_seconds,
        attachments=attached(tx, attachments),
        **place_run(tx, task_id, run, places),
    )


def prompt_thread(
    tx: Transaction,
    thread_id: str,
    wanted: ThreadPrompt,
    *,
    preview: str,
    branch_name: str | None = None,
    origin: Literal["prompt", "compact"] = "prompt",
    runner: Runner,
    approval_seconds: float,
) -> RunOutcome:
    """Make a session of the thread's task, and take it as far as policy lets it.

    `branch_name` is that of the worktree at `cwd`, where that has to be made again.

    Raises:
        Invalid: `cwd` is no absolute path of its host.
        RecordNotFound: there is no such repository.
        Conflict: the thread or its task has a session that has not ended, or the task has used up
            what it may.
        PolicyDenied: the repository forbids it.
    """
    repository = repositories.get(tx.db, wanted.repository_id)
    if wanted.cwd is not None:
        check_path(wanted.cwd, "cwd", is_foreign=repository.host != LOCAL)
    if wanted.resume:
        check_unused(tx.db, repository.host, thread_id)
    task = _task_of(tx, thread_id, repository) or _thread_task(tx, thread_id, wanted, preview)
    in_main = wanted.cwd is not None and same_place(wanted.cwd, repository.local_path)
    run = RunInput(
        **choices_of(wanted),
        sandbox=wanted.sandbox,
        allow_network=wanted.allow_network,
        allow_commit=wanted.allow_commit,
        goal=wanted.goal,
        worktree_path=None if in_main else wanted.cwd,
        branch_name=None if in_main else branch_name,
        workplace="main_checkout" if in_main and not repository.require_worktree else None,
        requested_by=wanted.requested_by,
    )
    begun = begin_session(
        tx,
        task.id,
        run,
        runner=runner,
        approval_seconds=approval_seconds,
        origin=origin,
        prompt=wanted.prompt,
        attachments=attached(tx, wanted.attachments),
        codex_thread_id=thread_id if wanted.resume else None,
    )
    return _outcome(tx, *begun)


def check_unused(db: Database, host: str, thread_id: str) -> None:
    """See that no session works in a host's thread, or will: a turn of two would be neither's.

    Raises:
        Conflict: one does.
    """
    same = {"codex_thread_id": thread_id, "host": host}
    live = sessions.find(db, {**same, "finished_at": None})
    if live is not None:
        raise Conflict(
            f"Thread {thread_id} already has session {live.id}, which is {live.status}; "
            "steer or stop that, or queue a follow-up to it.",
            sessionId=live.id,
            currentStatus=live.status,
        )


def _outcome(tx: Transaction, session: Session, policy: PolicyResult) -> RunOutcome:
    asked = run_approvals(tx, session)
    return RunOutcome(
        task=tasks.get(tx.db, session.task_id),
        session=session,
        policy=policy,
        blocked=session.status == "blocked",
        approvals=tuple(approval for approval in asked if approval.status == "pending"),
    )


def _task_of(tx: Transaction, thread_id: str, repository: Repository) -> Task | None:
    """Return the one local task of a thread: made for it, or that of the session that began it."""
    where: dict[str, str | int] = {
        "codex_thread_id": thread_id,
        "repository_id": repository.id,
    }
    task = tasks.find(tx.db, where, newest_first=True)
    if task is not None:
        return task
    session = sessions.find(tx.db, where, newest_first=True)
    return None if session is None else tasks.get(tx.db, session.task_id)


def _thread_task(tx: Transaction, thread_id: str, wanted: ThreadPrompt, preview: str) -> Task:
    """Return the local task of a thread that is prompted here for the first time."""
    title = " ".join((preview or wanted.prompt).split())[:TITLE_LENGTH]
    made = CreateTask(
        repository_id=wanted.repository_id,
        title=title,
        prompt=wanted.prompt,
        requested_by=wanted.requested_by,
    )
    return tasks.update(tx, create_task(tx, made).id, codex_thread_id=thread_id)
