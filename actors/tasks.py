"""`/tasks`: what somebody wants done, and the sessions that do it.

Creating and changing tasks are single transactions. A run is one too: the session, its approvals
and all their events are committed together, and only then is the session's actor started. Should
the process end in between, `on_start` finds every session that has no actor and starts it.
"""

from __future__ import annotations

import contextlib
import uuid
from functools import partial
from typing import Annotated, Literal

import msgspec
from sqlite_utils import Database

from command_center.actors.errors import Conflict, Invalid, PolicyDenied
from command_center.actors.policy import PolicyResult, RunInput, evaluate
from command_center.actors.sessions import ledger
from command_center.actors.sessions.actor import SessionActor, SessionServices
from command_center.actors.sessions.admission import admit, run_approvals
from command_center.actors.sessions.messages import SessionCommitted, StopSession
from command_center.actors.sessions.sequels import cancel_followups, check_limits
from command_center.runtime import (
    Actor,
    ActorNotFound,
    ChildExists,
    ChildSpec,
    Deferred,
    Request,
    Restart,
    handles,
)
from command_center.store import (
    Approval,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
)
from command_center.store import tasks as task_table
from command_center.store.records import Priority, Runner, TaskType

Attempts = Annotated[int, msgspec.Meta(ge=1, le=10)]
Positive = Annotated[int, msgspec.Meta(ge=1)]

TITLE_LENGTH = 200
"""Characters of a title; a longer one is refused."""


class CreateTask(
    msgspec.Struct,
    Request[Task],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Keep something to be done in a repository; nothing runs yet."""

    repository_id: int
    title: str
    prompt: str
    type: TaskType = "prompt_task"
    priority: Priority = "normal"
    approval_required: bool = False
    on_interrupt: Literal["stop", "continue"] = "stop"
    max_attempts: Attempts = 1
    turn_limit: Positive | None = None
    token_budget: Positive | None = None
    requested_by: str = "api"


class TaskChanges(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """What to change of a task; what is left out stays. `cancelled` stops what runs of it."""

    title: str | msgspec.UnsetType = msgspec.UNSET
    prompt: str | msgspec.UnsetType = msgspec.UNSET
    type: TaskType | msgspec.UnsetType = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    approval_required: bool | msgspec.UnsetType = msgspec.UNSET
    on_interrupt: Literal["stop", "continue"] | msgspec.UnsetType = msgspec.UNSET
    max_attempts: Attempts | msgspec.UnsetType = msgspec.UNSET
    turn_limit: Positive | msgspec.UnsetType | None = msgspec.UNSET
    token_budget: Positive | msgspec.UnsetType | None = msgspec.UNSET
    status: Literal["open", "cancelled"] | msgspec.UnsetType = msgspec.UNSET
    requested_by: str = "api"


class PatchTask(msgspec.Struct, Request[Task], frozen=True):
    """Change a task."""

    task_id: int
    changes: TaskChanges


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of asking for a run: it is queued, or `blocked` by the `approvals`."""

    task: Task
    session: Session
    policy: PolicyResult
    blocked: bool = False
    approvals: tuple[Approval, ...] = ()


class RunTask(msgspec.Struct, Request[RunOutcome], frozen=True):
    """Run a task: at once as far as slots allow, or once a person has agreed."""

    task_id: int
    run: RunInput


class CreateSession(msgspec.Struct, Request[Session], frozen=True):
    """Make a session of a task that waits in `created` until it is told to run."""

    task_id: int
    run: RunInput


class CheckPolicy(msgspec.Struct, Request[PolicyResult], frozen=True):
    """Say what policy would say of a run; nothing changes."""

    task_id: int
    run: RunInput


class Tasks(Actor):
    """Keeps tasks, and sees to it that each live session has its actor."""

    def __init__(self, services: SessionServices, *, runner: Runner) -> None:
        """Give new sessions `runner`, and every session's actor `services`."""
        self._services = services
        self._storage = services.storage
        self._runner: Runner = runner

    async def on_start(self) -> None:
        """Start the actor of each session that has none: after a crash, of all that live."""
        for session in await self._storage.read(unfinished):
            await self._start(session.id)

    @handles(CreateTask)
    async def create(self, message: CreateTask) -> Deferred[Task]:
        """Answer once the task is committed; the next message is not kept waiting for it."""
        check_texts(title=message.title, prompt=message.prompt)
        return self.ctx.answer_later(self._storage.write, lambda tx: create_task(tx, message))

    @handles(PatchTask)
    async def patch(self, message: PatchTask) -> Deferred[Task]:
        """Answer once the change is committed; cancelling stops the task's sessions."""
        changes = message.changes
        check_texts(
            **{
                name: value
                for name in ("title", "prompt")
                if isinstance(value := getattr(changes, name), str)
            }
        )
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchTask) -> Task:
        task = await self._storage.write(
            lambda tx: patch_task(tx, message.task_id, message.changes)
        )
        if task.status == "cancelled":
            wish = StopSession(
                reason="Its task was cancelled.", requested_by=message.changes.requested_by
            )
            for session in await self._storage.read(
                lambda db: sessions.every(db, {"task_id": task.id, "finished_at": None})
            ):
                with contextlib.suppress(ActorNotFound):
                    await self.ctx.lookup(f"/sessions/{session.id}").tell(wish)
        return task

    @handles(CheckPolicy)
    async def check(self, message: CheckPolicy) -> Deferred[PolicyResult]:
        """Judge a run as `RunTask` would, and change nothing."""
        return self.ctx.answer_later(self._check, message)

    async def _check(self, message: CheckPolicy) -> PolicyResult:
        def judge(db: Database) -> PolicyResult:
            task = task_table.get(db, message.task_id)
            return evaluate(repositories.get(db, task.repository_id), task, message.run)

        return await self._storage.read(judge)

    @handles(CreateSession)
    async def create_session(self, message: CreateSession) -> Deferred[Session]:
        """Answer once the session is committed and has its actor."""
        return self.ctx.answer_later(self._create_session, message)

    async def _create_session(self, message: CreateSession) -> Session:
        session = await self._storage.write(
            lambda tx: create_session(tx, message.task_id, message.run, runner=self._runner)
        )
        await self._start(session.id)
        return session

    @handles(RunTask)
    async def run(self, message: RunTask) -> Deferred[RunOutcome]:
        """Answer once the run is committed, queued or blocked, and its actor is there."""
        return self.ctx.answer_later(self._run, message)

    async def _run(self, message: RunTask) -> RunOutcome:
        outcome = await self._storage.write(
            lambda tx: run_task(
                tx,
                message.task_id,
                message.run,
                runner=self._runner,
                approval_seconds=self._services.approval_seconds,
            )
        )
        await self._start(outcome.session.id)
        return outcome

    @handles(SessionCommitted)
    async def committed(self, message: SessionCommitted) -> None:
        """Start the actor of a session that another actor committed."""
        self.ctx.start_task(self._start, message.session_id)

    async def _start(self, session_id: int) -> None:
        with contextlib.suppress(ChildExists):
            await self.ctx.start_child(
                "/sessions",
                ChildSpec(
                    id=str(session_id),
                    start=partial(SessionActor, session_id, self._services),
                    restart=Restart.TRANSIENT,
                ),
            )


def unfinished(db: Database) -> list[Session]:
    """The sessions that have not ended, the oldest first."""
    return sessions.every(db, {"finished_at": None})


def check_texts(**texts: str) -> None:
    """Refuse a title or prompt that says nothing, and a title that is a prompt."""
    for name, text in texts.items():
        if not text.strip():
            raise Invalid.field(name, "Expected some text.")
    if len(texts.get("title", "")) > TITLE_LENGTH:
        raise Invalid.field("title", f"Expected at most {TITLE_LENGTH} characters.")


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
    repository = repositories.get(tx.db, wanted.repository_id)
    task = task_table.insert(
        tx,
        repository_id=repository.id,
        type=wanted.type,
        title=wanted.title,
        prompt=wanted.prompt,
        priority=wanted.priority,
        approval_required=wanted.approval_required,
        on_interrupt=wanted.on_interrupt,
        max_attempts=wanted.max_attempts,
        turn_limit=wanted.turn_limit,
        token_budget=wanted.token_budget,
        requested_by=wanted.requested_by,
        automation_id=automation_id,
        correlation_id=correlation_id or uuid.uuid4().hex,
        causation_id=causation_id,
    )
    tx.emit(
        "task.created",
        actor=wanted.requested_by,
        data={"title": task.title, "type": task.type, "priority": task.priority},
        repository_id=repository.id,
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
    task = task_table.get(tx.db, task_id)
    given = {
        name: value
        for name in changes.__struct_fields__
        if name != "requested_by" and (value := getattr(changes, name)) is not msgspec.UNSET
    }
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
    task = task_table.update(tx, task_id, **changed)
    if task.status == "cancelled":
        cancel_followups(tx, task, actor=changes.requested_by)
    tx.emit(
        "task.cancelled" if changed.get("status") == "cancelled" else "task.updated",
        actor=changes.requested_by,
        data={"changed": sorted(changed)},
        repository_id=task.repository_id,
        task_id=task.id,
        automation_id=task.automation_id,
        correlation_id=task.correlation_id,
        causation_id=ledger.last_event(tx, "task_id", task.id),
    )
    return task


def running(tx: Transaction, task: Task) -> Session | None:
    """The task's session that has not ended, if there is one."""
    return sessions.find(tx.db, {"task_id": task.id, "finished_at": None})


def create_session(tx: Transaction, task_id: int, run: RunInput, *, runner: Runner) -> Session:
    """Make a session in `created`, with what the run wants and the repository gives by default.

    Raises:
        RecordNotFound: there is no such task.
        Conflict: the task is cancelled, or a session of it has not ended.
        PolicyDenied: the repository forbids the run.
    """
    task = task_table.get(tx.db, task_id)
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
    check_limits(tx, task)
    policy = evaluate(repository, task, run)
    if policy.run is None:
        raise PolicyDenied(policy)
    return ledger.insert_session(
        tx,
        task,
        repository,
        policy.run,
        prompt=task.prompt,
        runner=runner,
        requested_by=run.requested_by or "api",
        token_budget=run.token_budget,
    )


def run_task(
    tx: Transaction, task_id: int, run: RunInput, *, runner: Runner, approval_seconds: float
) -> RunOutcome:
    """Make a session and take it as far as policy lets it.

    Raises:
        RecordNotFound, Conflict, PolicyDenied: as `create_session`.
    """
    session = create_session(tx, task_id, run, runner=runner)
    session = admit(tx, session.id, actor=session.requested_by, approval_seconds=approval_seconds)
    task = task_table.get(tx.db, task_id)
    blocked = session.status == "blocked"
    return RunOutcome(
        task=task,
        session=session,
        policy=evaluate(repositories.get(tx.db, task.repository_id), task, run),
        blocked=blocked,
        approvals=tuple(
            approval for approval in run_approvals(tx, session) if approval.status == "pending"
        )
        if blocked
        else (),
    )
