"""/api/sessions: runs of tasks, live and ended."""

from __future__ import annotations

from quart import Blueprint, Response, request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.sessions.messages import PatchSession, SteerSession, StopSession
from command_center.http.decoding import (
    PageQuery,
    decode_body,
    decode_query,
    json_response,
    page_response,
)
from command_center.http.events import EventsQuery, list_events
from command_center.store import Item, Page, items, sessions
from command_center.store.records import Runner, SessionStatus


class SessionsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of sessions."""

    repository_id: int | None = None
    task_id: int | None = None
    status: SessionStatus | None = None
    runner: Runner | None = None


def routes(center: Center) -> Blueprint:
    """The routes, answered by the session's actor and, where nothing changes, from the store."""
    api = Blueprint("sessions", __name__)

    @api.get("/api/sessions")
    async def list_sessions() -> Response:
        query = decode_query(request, SessionsQuery)
        page = await center.storage.read(
            lambda db: sessions.page(
                db, query.filters(), limit=query.limit, cursor=query.cursor, newest_first=True
            )
        )
        return page_response(page.items, page.next_cursor)

    @api.get("/api/sessions/<id:session_id>")
    async def get_session(session_id: int) -> Response:
        return json_response(await center.storage.read(lambda db: sessions.get(db, session_id)))

    @api.patch("/api/sessions/<id:session_id>")
    async def patch_session(session_id: int) -> Response:
        message = await decode_body(request, PatchSession)
        return json_response(await center.ask_session(session_id, message))

    @api.post("/api/sessions/<id:session_id>/stop")
    async def stop_session(session_id: int) -> Response:
        message = await decode_body(request, StopSession)
        return json_response({"session": await center.ask_session(session_id, message)})

    @api.post("/api/sessions/<id:session_id>/steer")
    async def steer_session(session_id: int) -> Response:
        message = await decode_body(request, SteerSession)
        return json_response(await center.ask_session(session_id, message))

    @api.get("/api/sessions/<id:session_id>/events")
    async def list_session_events(session_id: int) -> Response:
        query = decode_query(request, EventsQuery)
        await center.storage.read(lambda db: sessions.get(db, session_id))
        return await list_events(center, query, session_id=session_id)

    @api.get("/api/sessions/<id:session_id>/items")
    async def list_items(session_id: int) -> Response:
        query = decode_query(request, PageQuery)

        def read(db: Database) -> Page[Item]:
            sessions.get(db, session_id)
            return items.page(
                db, {"session_id": session_id}, limit=query.limit, cursor=query.cursor
            )

        page = await center.storage.read(read)
        return page_response(page.items, page.next_cursor)

    return api
