"""/api/repos/…/issues: open issues of a repository's forge, and the tasks that are made of them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import ISSUES
from command_center.actors.contracts.issues import (
    LABEL_LENGTH,
    Issue,
    IssueRequest,
    ListIssues,
    TakeIssue,
)
from command_center.actors.forges.actor import FORGE_SECONDS
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, Task
from command_center.store.lists.cursors import decode_cursor, encode_cursor

MOST = 100
"""Issues that GitHub gives at a time."""

api = Api[Center]("Issues")


class IssuesQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of the list of issues.

    Attributes:
        label: only issues that have it.
    """

    label: Annotated[str, msgspec.Meta(max_length=LABEL_LENGTH)] | None = None


@api.operation("GET", "/api/repos/<id:repository_id>/issues", refuses=(409,))
async def list_issues(center: Center, repository_id: int, query: IssuesQuery) -> Page[Issue]:
    """List the open issues of a repository at GitHub, the newest first."""
    listing = f"issues of {repository_id}"
    page = 1
    if query.cursor is not None:
        page = max(1, decode_cursor(query.cursor, listing, newest_first=True))
    message = ListIssues(repository_id, query.label, page=page, limit=min(query.limit, MOST))
    found = await center.ask(ISSUES, message, timeout=FORGE_SECONDS)
    following = None
    if found.next_page is not None:
        following = encode_cursor(listing, newest_first=True, last_id=found.next_page)
    return Page(items=found.items, next_cursor=following)


@api.operation(
    "POST",
    "/api/repos/<id:repository_id>/issues/<id:number>/task",
    answers=201,
    refuses=(409,),
    location="/api/tasks/{id}",
)
async def take_issue(center: Center, repository_id: int, number: int, body: IssueRequest) -> Task:
    """Make a task of an issue, once."""
    return await center.ask(ISSUES, TakeIssue(repository_id, number, body), timeout=FORGE_SECONDS)
