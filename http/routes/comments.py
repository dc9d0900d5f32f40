"""Comments: what people say of lines that a session has changed."""

from __future__ import annotations

from typing import Literal

from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES, TASKS
from command_center.actors.contracts.comments import (
    ChangeComment,
    CommentText,
    CreateComment,
    NewComment,
    PlaceComments,
    PlacedComment,
    SendComments,
    SendRequest,
    SentComments,
    SteerComments,
)
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.routes.followups import CancellationQuery
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.store import Comment, Page, comments, sessions

api = Api[Center]("Comments")


class CommentsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the comments on a session's changes."""

    status: Literal["open", "sent", "cancelled"] | None = None


@api.operation("GET", "/api/sessions/<id:session_id>/comments", refuses=(409,))
async def list_comments(
    center: Center, session_id: int, query: CommentsQuery
) -> Page[PlacedComment]:
    """List the comments on the work of a session's task, with their places in the files now."""

    def read(db: Database) -> Page[Comment]:
        task_id = sessions.get(db, session_id).task_id
        wanted = {"task_id": task_id, **query.filters()}
        return comments.page(db, wanted, limit=query.limit, cursor=query.cursor)

    page = await center.storage.read_long(read)
    message = PlaceComments(session_id, page.items)
    placed = await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)
    return Page(items=placed, next_cursor=page.next_cursor)


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/comments",
    answers=201,
    refuses=(409,),
    location="/api/comments/{id}",
)
async def create_comment(center: Center, session_id: int, body: NewComment) -> Comment:
    """Say something of lines that a session has changed."""
    return await center.ask(REPOSITORIES, CreateComment(session_id, body), timeout=GIT_SECONDS)


@api.operation("POST", "/api/sessions/<id:session_id>/comments/send", refuses=(409,))
async def send_comments(center: Center, session_id: int, body: SendRequest) -> SentComments:
    """Send all open comments as one message, once."""
    if body.how == "steer":
        return await center.sessions.ask(session_id, SteerComments(requested_by=body.requested_by))
    return await center.ask(TASKS, SendComments(session_id, body.requested_by))


@api.operation("GET", "/api/comments/<id:comment_id>")
async def get_comment(center: Center, comment_id: int) -> Comment:
    """Show a comment."""
    return await center.storage.read(lambda db: comments.get(db, comment_id))


@api.operation("PATCH", "/api/comments/<id:comment_id>", refuses=(409,))
async def change_comment(center: Center, comment_id: int, body: CommentText) -> Comment:
    """Say something else instead."""
    seen = condition(request, lambda db: comments.get(db, comment_id))
    return await center.ask(TASKS, ChangeComment(comment_id, body.text, body.requested_by, seen))


@api.operation("DELETE", "/api/comments/<id:comment_id>", refuses=(409,))
async def cancel_comment(center: Center, comment_id: int, query: CancellationQuery) -> Comment:
    """Take a comment back."""
    seen = condition(request, lambda db: comments.get(db, comment_id))
    return await center.ask(TASKS, ChangeComment(comment_id, None, query.requested_by, seen))
