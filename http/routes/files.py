"""/api/sessions/…/files and /api/repos/…/files: what is in a folder and in a file, and where."""

from __future__ import annotations

from typing import Annotated

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.files import FilesOf, FindFiles, SearchedFor, SeeFiles
from command_center.actors.git.files import LONGEST_QUERY, FileView, FoundFiles
from command_center.actors.git.patches import PageCursor
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.wire.codec import PageLimit, PageQuery, cut_page
from command_center.http.wire.leaving import while_client_stays
from command_center.http.wire.operation import Api
from command_center.store import InvalidCursor

api = Api[Center]("Files")


class FilesQuery(PageQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The folder or file, and the page of it.

    Attributes:
        path: from the top of the checkout; the top, if left out.
        limit: things of a folder; a page of a file is as long as it is.
    """

    path: Annotated[str, msgspec.Meta(max_length=4000)] = ""


class FilesSearch(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The thing that is looked for.

    Attributes:
        query: words that are in a path, letter by letter; or the text that a line has.
        searched: the names of files, or the text in them.
    """

    query: Annotated[str, msgspec.Meta(max_length=LONGEST_QUERY)] = ""
    searched: SearchedFor = "names"
    limit: PageLimit = 50


@api.operation("GET", "/api/repos/<id:repository_id>/files", refuses=(409,))
async def list_repository_files(center: Center, repository_id: int, query: FilesQuery) -> FileView:
    """Show a folder or a file of a repository's main checkout, page by page."""
    return await _see(center, FilesOf("repository", repository_id), query)


@api.operation("GET", "/api/repos/<id:repository_id>/files/search", refuses=(409,))
async def search_repository_files(
    center: Center, repository_id: int, query: FilesSearch
) -> FoundFiles:
    """Find files of a repository's main checkout by name, or by a text in them."""
    return await _find(center, FilesOf("repository", repository_id), query)


@api.operation("GET", "/api/sessions/<id:session_id>/files", refuses=(409,))
async def list_session_files(center: Center, session_id: int, query: FilesQuery) -> FileView:
    """Show a folder or a file where a session works, page by page."""
    return await _see(center, FilesOf("session", session_id), query)


@api.operation("GET", "/api/sessions/<id:session_id>/files/search", refuses=(409,))
async def search_session_files(center: Center, session_id: int, query: FilesSearch) -> FoundFiles:
    """Find files by name, or by a text in them, where a session works."""
    return await _find(center, FilesOf("session", session_id), query)


async def _see(center: Center, place: FilesOf, query: FilesQuery) -> FileView:
    cursor = None if query.cursor is None else PageCursor.read(query.cursor)
    message = SeeFiles(place, query.path, cursor)
    found = await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))
    if found.kind == "file":
        if query.cursor is not None and cursor is None:
            raise InvalidCursor(query.cursor)
        return found
    page = cut_page(found.items, query, f"files of {place.kind} {place.id} {found.path}")
    return msgspec.structs.replace(found, items=page.items, next_cursor=page.next_cursor)


async def _find(center: Center, place: FilesOf, query: FilesSearch) -> FoundFiles:
    message = FindFiles(place, query.query, query.searched, query.limit)
    return await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))
