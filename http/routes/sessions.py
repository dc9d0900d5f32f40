"""/api/sessions: runs of tasks, live and ended."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from quart import Blueprint, Response, request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.sessions import (
    PatchSession,
    SessionChanges,
    SteerSession,
    StopSession,
)
from command_center.actors.sessions.slots import live_sessions, waiting_for
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
from command_center.store import Item, Page, Session, items, sessions
from command_center.store.records import Runner, SessionStatus, TaskType
from command_center.store.where import Scalar


class SessionsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of sessions.

    Attributes:
        status: may be given more than once, for any of them.
        diff: false leaves their diffs out, which may be long.
    """

    repository_id: int | None = None
    task_id: int | None = None
    type: TaskType | None = None
    status: tuple[SessionStatus, ...] = ()
    runner: Runner | None = None
    diff: bool = True

    def filters(self) -> dict[str, Scalar | Sequence[Scalar]]:
        """The filters that were given; whether the diffs come along is none."""
        return {name: value for name, value in super().filters().items() if name != "diff"}


class ItemsQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of a session's transcript.

    Attributes:
        newest_first: the order; else the oldest come first.
    """

    newest_first: bool = False


def routes(center: Center) -> Blueprint:  # noqa: C901 - a list of routes
    """The routes, answered by the session's actor and, where nothing changes, from the store."""
    api = Blueprint("sessions", __name__)
    limit = center.settings.max_sessions

    def shown(db: Database, session_id: int) -> Session:
        return explained(db, [sessions.get(db, session_id)], limit)[0]

    @api.get("/api/sessions")
    async def list_sessions() -> Response:
        query = decode_query(request, SessionsQuery)
        page = await center.storage.read(
            lambda db: sessions.page(
                db, query.filters(), limit=query.limit, cursor=query.cursor, newest_first=True
            )
        )
        shown = await center.storage.read(lambda db: explained(db, page.items, limit))
        if not query.diff:
            shown = [msgspec.structs.replace(session, diff=None) for session in shown]
        return page_response(shown, page.next_cursor)

    @api.get("/api/sessions/<id:session_id>")
    async def get_session(session_id: int) -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(lambda db: shown(db, session_id)))

    @api.get("/api/sessions/<id:session_id>/diff")
    async def get_diff(session_id: int) -> Response:
        refuse_query(request)
        session = await center.storage.read(lambda db: sessions.get(db, session_id))
        return json_response({"sessionId": session.id, "diff": session.diff})

    @api.get("/api/sessions/<id:session_id>/plan")
    async def get_plan(session_id: int) -> Response:
        refuse_query(request)
        session = await center.storage.read(lambda db: sessions.get(db, session_id))
        return json_response({"sessionId": session.id, "plan": session.plan})

    @api.patch("/api/sessions/<id:session_id>")
    async def patch_session(session_id: int) -> Response:
        changes = await decode_body(request, SessionChanges)
        seen = condition(request, lambda db: shown(db, session_id))
        return json_response(await center.sessions.ask(session_id, PatchSession(changes, seen)))

    @api.post("/api/sessions/<id:session_id>/stop")
    async def stop_session(session_id: int) -> Response:
        message = await decode_body(request, StopSession)
        return json_response({"session": await center.sessions.stop(session_id, message)})

    @api.post("/api/sessions/<id:session_id>/steer")
    async def steer_session(session_id: int) -> Response:
        message = await decode_body(request, SteerSession)
        return json_response(await center.sessions.ask(session_id, message))

    @api.get("/api/sessions/<id:session_id>/events")
    async def list_session_events(session_id: int) -> Response:
        query = decode_query(request, EventsQuery)
        await center.storage.read(lambda db: sessions.get(db, session_id))
        return await list_events(center, query, session_id=session_id)

    @api.get("/api/sessions/<id:session_id>/items")
    async def list_items(session_id: int) -> Response:
        query = decode_query(request, ItemsQuery)

        def read(db: Database) -> Page[Item]:
            sessions.get(db, session_id)
            return items.page(
                db,
                {"session_id": session_id},
                limit=query.limit,
                cursor=query.cursor,
                newest_first=query.newest_first,
            )

        page = await center.storage.read(read)
        return page_response(page.items, page.next_cursor)

    return api


def explained(db: Database, shown: Sequence[Session], limit: int) -> list[Session]:
    """The sessions, each queued one with what it waits for and its place in the queue."""
    live = live_sessions(db) if any(session.status == "queued" for session in shown) else []
    return [
        msgspec.structs.replace(session, wait_reason=waiting_for(session, live, limit=limit))
        for session in shown
    ]
