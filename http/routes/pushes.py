"""/api/sessions/…/push: what a session committed goes to a branch of a remote."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.pushes import PushRequest, PushWork
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, Push, pushes, sessions

api = Api[Center]("Pushes")


def _status(push: Push) -> int:
    return 201 if push.status == "pushed" else 202


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/push",
    answers=(201, 202),
    status=_status,
    refuses=(409, 503),
    location="/api/pushes/{id}",
    is_repeatable=True,
    scope="land",
)
async def push_session(center: Center, session_id: int, body: PushRequest) -> Push:
    """Push what a session committed, or ask a person whether it may be."""
    return await center.ask(REPOSITORIES, PushWork(session_id, body), timeout=GIT_SECONDS)


@api.operation("GET", "/api/sessions/<id:session_id>/pushes")
async def list_pushes(center: Center, session_id: int, query: PageQuery) -> Page[Push]:
    """List the pushes of a session, the newest first."""

    def read(db: Database) -> Page[Push]:
        sessions.require(db, session_id)
        where = {"session_id": session_id}
        return pushes.page(db, where, limit=query.limit, cursor=query.cursor, newest_first=True)

    return await center.storage.read_long(read)


@api.operation("GET", "/api/pushes/<id:push_id>")
async def get_push(center: Center, push_id: int) -> Push:
    """Show a push."""
    return await center.storage.read(lambda db: pushes.get(db, push_id))
