"""/api/tasks: what is to be done, and the runs of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.pools import CLONE_SECONDS
from command_center.actors.contracts.tasks import (
    CheckPolicy,
    CreateSession,
    CreateTask,
    PatchTask,
    RunOutcome,
    RunRequest,
    RunTask,
    TaskChanges,
)
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.actors.rules.policy import PolicyResult, RunInput
from command_center.http.routes.events import EventsQuery, read_events
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api, Needs
from command_center.http.wire.responses import EventPage, run_status
from command_center.store import Event, Page, Session, Task, sessions, tasks
from command_center.store.lists.where import Scalar
from command_center.store.records import Priority, TaskStatus, TaskType

RUN_SECONDS: Final = CLONE_SECONDS + GIT_SECONDS
"""Seconds until a run must have begun, which a pool host may have to clone something for."""

api = Api[Center]("Tasks")

UNASKED: Final = Needs(
    scope="approve",
    where="`approvalRequired: false`",
    holds=lambda changes: changes.approval_required is False,
)
"""Whoever may not approve may not do away with an approval either."""


class TasksQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of the list of tasks.

    Attributes:
        query: words that all stand in the task's title, its prompt or its number (`#12`), in
            letters of either case.
        status: may be given more than once, for any of them.
    """

    query: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    repository_id: int | None = None
    status: tuple[TaskStatus, ...] = ()
    type: TaskType | None = None
    priority: Priority | None = None
    automation_id: int | None = None

    def filters(self) -> dict[str, Scalar | Sequence[Scalar]]:
        """Return the filters that were given; `query` is none."""
        return {name: value for name, value in super().filters().items() if name != "query"}


@api.operation("GET", "/api/tasks")
async def list_tasks(center: Center, query: TasksQuery) -> Page[Task]:
    """List the tasks, the newest first."""
    return await center.storage.read_long(
        lambda db: tasks.page(
            db,
            query.filters(),
            words=query.query,
            limit=query.limit,
            cursor=query.cursor,
            newest_first=True,
        )
    )


@api.operation("POST", "/api/tasks", answers=201, refuses=(404, 409), location="/api/tasks/{id}")
async def create_task(center: Center, body: CreateTask) -> Task:
    """Make a task."""
    return await center.ask(TASKS, body)


@api.operation("GET", "/api/tasks/<id:task_id>")
async def get_task(center: Center, task_id: int) -> Task:
    """Show a task."""
    return await center.storage.read(lambda db: tasks.get(db, task_id))


@api.operation("PATCH", "/api/tasks/<id:task_id>", refuses=(409,), needs=UNASKED)
async def patch_task(center: Center, task_id: int, body: TaskChanges) -> Task:
    """Change a task."""
    seen = condition(request, lambda db: tasks.get(db, task_id))
    return await center.ask(TASKS, PatchTask(task_id, body, seen))


@api.operation(
    "POST",
    "/api/tasks/<id:task_id>/run",
    answers=(201, 202),
    status=run_status,
    refuses=(409,),
    location="/api/sessions/{session.id}",
)
async def run_task(center: Center, task_id: int, body: RunRequest) -> RunOutcome:
    """Run a task."""
    message = RunTask(task_id, body, body.attachments)
    return await center.ask(TASKS, message, timeout=RUN_SECONDS)


@api.operation("POST", "/api/tasks/<id:task_id>/policy-check", refuses=(409,), scope="read")
async def check_policy(center: Center, task_id: int, body: RunInput) -> PolicyResult:
    """Tell what policy would say of a run."""
    return await center.ask(TASKS, CheckPolicy(task_id, body))


@api.operation(
    "POST",
    "/api/tasks/<id:task_id>/sessions",
    answers=201,
    refuses=(409,),
    location="/api/sessions/{id}",
)
async def create_session(center: Center, task_id: int, body: RunRequest) -> Session:
    """Make a session that waits to be told to run."""
    message = CreateSession(task_id, body, body.attachments)
    return await center.ask(TASKS, message, timeout=RUN_SECONDS)


@api.operation("GET", "/api/tasks/<id:task_id>/sessions")
async def list_task_sessions(center: Center, task_id: int, query: PageQuery) -> Page[Session]:
    """List a task's sessions, the newest first."""

    def read(db: Database) -> Page[Session]:
        tasks.get(db, task_id)
        return sessions.page(
            db, {"task_id": task_id}, limit=query.limit, cursor=query.cursor, newest_first=True
        )

    return await center.storage.read_long(read)


@api.operation(
    "GET", "/api/tasks/<id:task_id>/events", answers={200: EventPage[Event]}, refuses=(410,)
)
async def list_task_events(
    center: Center, task_id: int, query: EventsQuery
) -> EventPage[msgspec.Raw]:
    """List a task's events."""
    await center.storage.read(lambda db: tasks.get(db, task_id))
    return await read_events(center, query, task_id=task_id)
