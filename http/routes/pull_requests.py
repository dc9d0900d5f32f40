"""/api/sessions/…/pull-request: what was pushed of a session becomes a pull request."""

from __future__ import annotations

import msgspec
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import PULL_REQUESTS
from command_center.actors.contracts.pull_requests import (
    CallOffMerge,
    MergeOrder,
    MergePullRequest,
    OpenPullRequest,
    PullRequestRequest,
    ReadPullRequest,
)
from command_center.actors.forges.actor import FORGE_SECONDS
from command_center.actors.rules.lengths import Name
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, PullRequest, pull_requests, sessions

api = Api[Center]("Pull requests")


class CallingOffQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The person who calls a merge off."""

    requested_by: Name = "api"


@api.operation(
    "POST",
    "/api/sessions/<id:session_id>/pull-request",
    answers=201,
    refuses=(409,),
    location="/api/pull-requests/{id}",
    is_repeatable=True,
    scope="land",
)
async def open_pull_request(
    center: Center, session_id: int, body: PullRequestRequest
) -> PullRequest:
    """Open a pull request of what was pushed of a session's task."""
    return await center.ask(PULL_REQUESTS, OpenPullRequest(session_id, body), timeout=FORGE_SECONDS)


@api.operation("GET", "/api/sessions/<id:session_id>/pull-requests")
async def list_pull_requests(
    center: Center, session_id: int, query: PageQuery
) -> Page[PullRequest]:
    """List the pull requests of a session's task, the newest first."""

    def read(db: Database) -> Page[PullRequest]:
        where = {"task_id": sessions.get(db, session_id).task_id}
        return pull_requests.page(
            db, where, limit=query.limit, cursor=query.cursor, newest_first=True
        )

    return await center.storage.read_long(read)


@api.operation("GET", "/api/pull-requests/<id:pull_request_id>")
async def get_pull_request(center: Center, pull_request_id: int) -> PullRequest:
    """Show a pull request, as its forge told of it last."""
    return await center.storage.read(lambda db: pull_requests.get(db, pull_request_id))


@api.operation(
    "POST",
    "/api/pull-requests/<id:pull_request_id>/read",
    refuses=(409,),
    is_done_once=False,
    scope="read",
)
async def read_pull_request(center: Center, pull_request_id: int) -> PullRequest:
    """Ask the forge about a pull request now."""
    return await center.ask(PULL_REQUESTS, ReadPullRequest(pull_request_id), timeout=FORGE_SECONDS)


@api.operation(
    "POST",
    "/api/pull-requests/<id:pull_request_id>/merge",
    answers=202,
    refuses=(409,),
    scope="land",
)
async def merge_pull_request(center: Center, pull_request_id: int, body: MergeOrder) -> PullRequest:
    """Ask a person whether a pull request may be merged once its checks pass."""
    return await center.ask(PULL_REQUESTS, MergePullRequest(pull_request_id, body))


@api.operation(
    "DELETE", "/api/pull-requests/<id:pull_request_id>/merge", refuses=(409,), scope="land"
)
async def call_off_merge(
    center: Center, pull_request_id: int, query: CallingOffQuery
) -> PullRequest:
    """Merge a pull request no more by itself, though that was asked or agreed to."""
    message = CallOffMerge(pull_request_id, query.requested_by)
    return await center.ask(PULL_REQUESTS, message, timeout=FORGE_SECONDS)
