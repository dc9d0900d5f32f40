"""/api/search: what was said and done in sessions, found by its words."""

from __future__ import annotations

from typing import Annotated

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.fields import NotBlank
from command_center.actors.rules.errors import Invalid
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, search_texts
from command_center.store.queries.search import Found

api = Api[Center]("Search")


class SearchQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The query of a search.

    Attributes:
        q: words that a text has to have; those in double quotes are a phrase. Of a long text only
            the part that is shown is looked through.
    """

    q: Annotated[NotBlank, msgspec.Meta(max_length=500)]
    session_id: int | None = None
    repository_id: int | None = None


@api.operation("GET", "/api/search")
async def search(center: Center, query: SearchQuery) -> Page[Found]:
    """Find what was said and done in sessions, by its words."""
    if not query.q.strip():
        raise Invalid.field("q", "Expected some text.")
    return await center.storage.read_long(
        lambda db: search_texts(
            db,
            query.q,
            limit=query.limit,
            cursor=query.cursor,
            session_id=query.session_id,
            repository_id=query.repository_id,
        )
    )
