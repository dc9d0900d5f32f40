"""Follow-ups: what is to be said in a session's thread when its turn has ended."""

from __future__ import annotations

from typing import Literal

import msgspec
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import TASKS
from command_center.actors.contracts.tasks import (
    ChangeFollowup,
    FollowupText,
    NewFollowup,
    QueueFollowup,
)
from command_center.actors.rules.lengths import Name
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.store import Followup, Page, followups, sessions

api = Api[Center]("Follow-ups")


class FollowupsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a session's follow-ups."""

    status: Literal["pending", "sent", "cancelled"] | None = None


class CancellationQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The person who takes a follow-up back."""

    requested_by: Name = "api"


@api.operation("GET", "/api/sessions/<id:session_id>/followups")
async def list_followups(center: Center, session_id: int, query: FollowupsQuery) -> Page[Followup]:
    """List the follow-ups of a session's task."""

    def read(db: Database) -> Page[Followup]:
        task_id = sessions.get(db, session_id).task_id
        wanted = {"task_id": task_id, **query.filters()}
        return followups.page(db, wanted, limit=query.limit, cursor=query.cursor)

    return await center.storage.read_long(read)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/followups",
    answers=201,
    refuses=(409,),
    location="/api/followups/{id}",
)
async def queue_followup(center: Center, session_id: int, body: NewFollowup) -> Followup:
    """Say something when the turn has ended."""
    return await center.ask(TASKS, QueueFollowup(session_id, body, body.attachments))


@api.operation("GET", "/api/followups/<id:followup_id>")
async def get_followup(center: Center, followup_id: int) -> Followup:
    """Show a follow-up."""
    return await center.storage.read(lambda db: followups.get(db, followup_id))


@api.operation("PATCH", "/api/followups/<id:followup_id>", refuses=(409,))
async def change_followup(center: Center, followup_id: int, body: FollowupText) -> Followup:
    """Say something else instead."""
    seen = condition(request, lambda db: followups.get(db, followup_id))
    message = ChangeFollowup(followup_id, body, body.requested_by, seen)
    return await center.ask(TASKS, message)


@api.operation("DELETE", "/api/followups/<id:followup_id>", refuses=(409,))
async def cancel_followup(center: Center, followup_id: int, query: CancellationQuery) -> Followup:
    """Take a follow-up back."""
    seen = condition(request, lambda db: followups.get(db, followup_id))
    return await center.ask(TASKS, ChangeFollowup(followup_id, None, query.requested_by, seen))
