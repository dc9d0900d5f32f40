"""/api/approvals: what waits on a person."""

from __future__ import annotations

from quart import Blueprint, Response, request

from command_center.actors.approvals.actor import count_approvals
from command_center.actors.center import Center
from command_center.actors.contracts.approvals import (
    CreateApproval,
    ExtendApproval,
    Extension,
    Resolution,
    ResolveApproval,
)
from command_center.http.wire.codec import (
    PageQuery,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)
from command_center.store import approvals
from command_center.store.records import ApprovalKind, ApprovalStatus


class ApprovalsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of approvals."""

    status: ApprovalStatus | None = None
    kind: ApprovalKind | None = None
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None


def routes(center: Center) -> Blueprint:
    """The routes, answered by `/approvals` and, where nothing changes, from the store."""
    api = Blueprint("approvals", __name__)

    @api.get("/api/approvals")
    async def list_approvals() -> Response:
        query = decode_query(request, ApprovalsQuery)
        page = await center.storage.read(
            lambda db: approvals.page(
                db, query.filters(), limit=query.limit, cursor=query.cursor, newest_first=True
            )
        )
        return page_response(page.items, page.next_cursor)

    @api.get("/api/approvals/counts")
    async def get_counts() -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(count_approvals))

    @api.get("/api/approvals/<id:approval_id>")
    async def get_approval(approval_id: int) -> Response:
        refuse_query(request)
        return json_response(await center.storage.read(lambda db: approvals.get(db, approval_id)))

    @api.post("/api/approvals")
    async def create_approval() -> Response:
        message = await decode_body(request, CreateApproval)
        return json_response(await center.ask("/approvals", message), 201)

    @api.post("/api/approvals/<id:approval_id>/resolve")
    async def resolve_approval(approval_id: int) -> Response:
        resolution = await decode_body(request, Resolution)
        return json_response(
            await center.ask("/approvals", ResolveApproval(approval_id, resolution))
        )

    @api.post("/api/approvals/<id:approval_id>/extend")
    async def extend_approval(approval_id: int) -> Response:
        extension = await decode_body(request, Extension)
        return json_response(await center.ask("/approvals", ExtendApproval(approval_id, extension)))

    return api
