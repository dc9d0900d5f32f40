"""/api/approvals: what waits on a person."""

from __future__ import annotations

from typing import Final

from quart import request

from command_center.actors.approvals.actor import ApprovalCounts
from command_center.actors.approvals.actor import count_approvals as read_counts
from command_center.actors.center import Center
from command_center.actors.contracts.addresses import APPROVALS, DEVICES
from command_center.actors.contracts.approvals import (
    CreateApproval,
    DeadlinesPassed,
    ExtendApproval,
    Extension,
    Resolution,
    ResolveApproval,
    words_of,
)
from command_center.actors.contracts.passkeys import AskChallenge, PasskeyChallenge
from command_center.actors.ledger.deadlines import overdue
from command_center.actors.rules.errors import Conflict
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api, Needs, OneOf
from command_center.store import Approval, Page, approvals
from command_center.store.records import ApprovalKind, ApprovalStatus

api = Api[Center]("Approvals")

ALWAYS: Final = Needs(
    scope="admin", where="`rule`", holds=lambda resolution: resolution.rule is not None
)
"""A rule says what runs may do, and not in this case alone."""

DEADLINE: Final = ("ttlSeconds", "expiresAt")
"""The two ways to name a deadline."""


class ApprovalsQuery(
    PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of the list of approvals."""

    status: ApprovalStatus | None = None
    kind: ApprovalKind | None = None
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None


async def expire_overdue(center: Center) -> None:
    """Have what is overdue expire before it is read, so that nobody sees it as pending."""
    if await center.storage.read(overdue):
        await center.ask(APPROVALS, DeadlinesPassed())


@api.operation("GET", "/api/approvals")
async def list_approvals(center: Center, query: ApprovalsQuery) -> Page[Approval]:
    """List the approvals, the newest first."""
    await expire_overdue(center)
    return await center.storage.read_long(
        lambda db: approvals.page(
            db, query.filters(), limit=query.limit, cursor=query.cursor, newest_first=True
        )
    )


@api.operation(
    "POST",
    "/api/approvals",
    answers=201,
    refuses=(404,),
    location="/api/approvals/{id}",
    one_of=OneOf(DEADLINE),
)
async def create_approval(center: Center, body: CreateApproval) -> Approval:
    """Ask a person."""
    return await center.ask(APPROVALS, body)


@api.operation("GET", "/api/approvals/counts")
async def count_approvals(center: Center) -> ApprovalCounts:
    """Count the approvals."""
    await expire_overdue(center)
    return await center.storage.read(read_counts)


@api.operation("GET", "/api/approvals/<id:approval_id>")
async def get_approval(center: Center, approval_id: int) -> Approval:
    """Show an approval."""
    await expire_overdue(center)
    return await center.storage.read(lambda db: approvals.get(db, approval_id))


@api.operation(
    "POST",
    "/api/approvals/<id:approval_id>/extend",
    refuses=(409,),
    one_of=OneOf(DEADLINE, is_needed=True),
    scope="approve",
)
async def extend_approval(center: Center, approval_id: int, body: Extension) -> Approval:
    """Put off the deadline of an approval."""
    return await center.ask(APPROVALS, ExtendApproval(approval_id, body))


@api.operation(
    "POST",
    "/api/approvals/<id:approval_id>/resolve",
    refuses=(409,),
    scope="approve",
    needs=ALWAYS,
)
async def resolve_approval(center: Center, approval_id: int, body: Resolution) -> Approval:
    """Decide on an approval."""
    message = ResolveApproval(approval_id, body, request.headers.get("Origin"))
    return await center.ask(APPROVALS, message)


@api.operation(
    "POST",
    "/api/approvals/<id:approval_id>/challenge",
    refuses=(409,),
    is_done_once=False,
    scope="approve",
)
async def make_approval_challenge(
    center: Center, approval_id: int, body: Resolution
) -> PasskeyChallenge:
    """Make what a passkey is to sign for this decision, once, within two minutes."""
    if not center.settings.wants_passkeys:
        raise Conflict("Approvals need no passkey here: CC_APPROVAL_PASSKEYS is off.")
    await center.storage.read(lambda db: approvals.get(db, approval_id))
    return await center.ask(DEVICES, AskChallenge(words_of(approval_id, body)))
