"""/api/tasks: what is to be done, and the runs of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from quart import Blueprint, Response, request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.tasks import (
    CheckPolicy,
    CreateSession,
    CreateTask,
    PatchTask,
    RunTask,
    TaskChanges,
)
from command_center.actors.rules.policy import RunInput
from command_center.http.routes.events import EventsQuery, list_events
from command_center.http.wire.codec import (
    PageQuery,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)
from command_center.http.wire.etags import condition
from command_center.store import Page, Session, sessions, tasks
from command_center.store.records import Priority, TaskStatus, TaskType
from command_center.store.where import Scalar


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
        """The filters that were given; what words are looked for is none of a field."""
        return {name: value for name, value in super().filters().items() if name != "query"}


def routes(center: Center) -> Blueprint:  # noqa: C901 - a list of routes
    """The routes, answered by `/tasks` and, where nothing changes, from the store."""
    api = Blueprint("tasks", __name__)

    @api.get("/api/tasks")
    async def list_tasks() -> Response:
        query = decode_query(request, TasksQuery)
        page = await center.storage.read(
            lambda db: tasks.page(
                db,
                query.filters(),
                words=query.query,
                limit=query.limit,
                cursor=query.cursor,
                newest_first=True,
            )
        )
        return page_response(page.items, page.next_cursor)

    @api.post("/api/tasks")
    async def create_task() -> Response:
        message = await decode_body(request, CreateTask)
        return json_response(await center.ask("/tasks", message), 201)

    @api.get("/api/tasks/<id:task_id>")
    async def get_task(task_id: int) -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(lambda db: tasks.get(db, task_id)))

    @api.patch("/api/tasks/<id:task_id>")
    async def patch_task(task_id: int) -> Response:
        changes = await decode_body(request, TaskChanges)
        seen = condition(request, lambda db: tasks.get(db, task_id))
        return json_response(await center.ask("/tasks", PatchTask(task_id, changes, seen)))

    @api.post("/api/tasks/<id:task_id>/run")
    async def run_task(task_id: int) -> Response:
        run = await decode_body(request, RunInput)
        outcome = await center.ask("/tasks", RunTask(task_id, run))
        return json_response(outcome, 202 if outcome.blocked else 201)

    @api.post("/api/tasks/<id:task_id>/policy-check")
    async def check_policy(task_id: int) -> Response:
        run = await decode_body(request, RunInput)
        return json_response(await center.ask("/tasks", CheckPolicy(task_id, run)))

    @api.post("/api/tasks/<id:task_id>/sessions")
    async def create_session(task_id: int) -> Response:
        run = await decode_body(request, RunInput)
        return json_response(await center.ask("/tasks", CreateSession(task_id, run)), 201)

    @api.get("/api/tasks/<id:task_id>/sessions")
    async def list_sessions(task_id: int) -> Response:
        query = decode_query(request, PageQuery)

        def read(db: Database) -> Page[Session]:
            tasks.get(db, task_id)
            return sessions.page(
                db,
                {"task_id": task_id},
                limit=query.limit,
                cursor=query.cursor,
                newest_first=True,
            )

        page = await center.storage.read(read)
        return page_response(page.items, page.next_cursor)

    @api.get("/api/tasks/<id:task_id>/events")
    async def list_task_events(task_id: int) -> Response:
        query = decode_query(request, EventsQuery)
        await center.storage.read(lambda db: tasks.get(db, task_id))
        return await list_events(center, query, task_id=task_id)

    return api
