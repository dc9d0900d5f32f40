"""Follow-ups: what is to be said in a session's thread when its turn has ended."""

from __future__ import annotations

from typing import Literal

import msgspec
from quart import Blueprint, Response, request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.tasks import ChangeFollowup, FollowupText, QueueFollowup
from command_center.http.wire.codec import (
    PageQuery,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)
from command_center.http.wire.etags import condition
from command_center.store import Followup, Page, followups, sessions


class FollowupsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a session's follow-ups."""

    status: Literal["pending", "sent", "cancelled"] | None = None


class CancellationQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Who takes a follow-up back."""

    requested_by: str = "api"


def routes(center: Center) -> Blueprint:
    """The routes, answered by `/tasks` and, where nothing changes, from the store."""
    api = Blueprint("followups", __name__)

    @api.get("/api/sessions/<id:session_id>/followups")
    async def list_followups(session_id: int) -> Response:
        query = decode_query(request, FollowupsQuery)

        def read(db: Database) -> Page[Followup]:
            task_id = sessions.get(db, session_id).task_id
            wanted = {"task_id": task_id, **query.filters()}
            return followups.page(db, wanted, limit=query.limit, cursor=query.cursor)

        page = await center.storage.read(read)
        return page_response(page.items, page.next_cursor)

    @api.post("/api/sessions/<id:session_id>/followups")
    async def queue_followup(session_id: int) -> Response:
        text = await decode_body(request, FollowupText)
        return json_response(await center.ask("/tasks", QueueFollowup(session_id, text)), 201)

    @api.get("/api/followups/<id:followup_id>")
    async def get_followup(followup_id: int) -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(lambda db: followups.get(db, followup_id)))

    @api.patch("/api/followups/<id:followup_id>")
    async def change_followup(followup_id: int) -> Response:
        text = await decode_body(request, FollowupText)
        seen = condition(request, lambda db: followups.get(db, followup_id))
        message = ChangeFollowup(followup_id, text, text.requested_by, seen)
        return json_response(await center.ask("/tasks", message))

    @api.delete("/api/followups/<id:followup_id>")
    async def cancel_followup(followup_id: int) -> Response:
        query = decode_query(request, CancellationQuery)
        seen = condition(request, lambda db: followups.get(db, followup_id))
        message = ChangeFollowup(followup_id, None, query.requested_by, seen)
        return json_response(await center.ask("/tasks", message))

    return api
