"""/api/repos: the repositories that Command Center works in, and their worktrees."""

from __future__ import annotations

import msgspec
from quart import Blueprint, Response, request

from command_center.actors.center import Center
from command_center.actors.contracts.repositories import (
    CreateRepository,
    DeleteRepository,
    InspectRepository,
    PatchRepository,
    RepositoryChanges,
    ScanRepository,
)
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    ListWorktrees,
    MergeRequest,
    MergeWorktree,
    PruneWorktrees,
    RemoveWorktree,
    WorktreeRequest,
)
from command_center.actors.git.diffs import PATCH_LIMIT, Limit
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.wire.codec import (
    PageQuery,
    cut_page,
    decode_body,
    decode_query,
    json_response,
    page_response,
    refuse_query,
)
from command_center.http.wire.etags import condition
from command_center.store import repositories

REPOSITORIES = "/repositories"


class Requester(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The body of an act that needs nothing but who wants it."""

    requested_by: str = "api"


class RequesterQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a deletion."""

    requested_by: str = "api"


class RemovalQuery(RequesterQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of a worktree's deletion.

    Attributes:
        force: remove it with changes that are not committed.
    """

    path: str
    force: bool = False


class DiffQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Which worktree's changes, and against what.

    Attributes:
        path: the worktree; the main checkout, if left out.
        base: a branch or commit; the default branch, if left out.
        limit: bytes of the patch.
    """

    path: str | None = None
    base: str | None = None
    limit: Limit = PATCH_LIMIT


def routes(center: Center) -> Blueprint:  # noqa: C901 - a list of routes
    """The routes, answered by `/repositories` and, where nothing changes, from the store."""
    api = Blueprint("repos", __name__)

    @api.get("/api/repos")
    async def list_repositories() -> Response:
        query = decode_query(request, PageQuery)
        page = await center.storage.read(
            lambda db: repositories.page(db, {}, limit=query.limit, cursor=query.cursor)
        )
        return page_response(page.items, page.next_cursor)

    @api.post("/api/repos")
    async def create_repository() -> Response:
        message = await decode_body(request, CreateRepository)
        made = await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)
        return json_response(made, 201)

    @api.post("/api/repos/inspect")
    async def inspect_repository() -> Response:
        message = await decode_body(request, InspectRepository)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.get("/api/repos/<id:repository_id>")
    async def get_repository(repository_id: int) -> Response:
        refuse_query(request)
        return json_response(
            await center.storage.read(lambda db: repositories.get(db, repository_id))
        )

    @api.patch("/api/repos/<id:repository_id>")
    async def patch_repository(repository_id: int) -> Response:
        changes = await decode_body(request, RepositoryChanges)
        seen = condition(request, lambda db: repositories.get(db, repository_id))
        message = PatchRepository(repository_id, changes, seen)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.delete("/api/repos/<id:repository_id>")
    async def delete_repository(repository_id: int) -> Response:
        query = decode_query(request, RequesterQuery)
        seen = condition(request, lambda db: repositories.get(db, repository_id))
        message = DeleteRepository(repository_id, query.requested_by, seen)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.post("/api/repos/<id:repository_id>/scan")
    async def scan_repository(repository_id: int) -> Response:
        body = await decode_body(request, Requester)
        message = ScanRepository(repository_id, body.requested_by)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.get("/api/repos/<id:repository_id>/worktrees")
    async def list_worktrees(repository_id: int) -> Response:
        query = decode_query(request, PageQuery)
        found = await center.ask(REPOSITORIES, ListWorktrees(repository_id), timeout=GIT_SECONDS)
        return cut_page(found, query, f"worktrees of {repository_id}")

    @api.post("/api/repos/<id:repository_id>/worktrees")
    async def create_worktree(repository_id: int) -> Response:
        wanted = await decode_body(request, WorktreeRequest)
        made = await center.ask(
            REPOSITORIES, CreateWorktree(repository_id, wanted), timeout=GIT_SECONDS
        )
        return json_response(made, 201)

    @api.delete("/api/repos/<id:repository_id>/worktrees")
    async def remove_worktree(repository_id: int) -> Response:
        query = decode_query(request, RemovalQuery)
        message = RemoveWorktree(repository_id, query.path, query.force, query.requested_by)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.get("/api/repos/<id:repository_id>/worktrees/diff")
    async def diff_worktree(repository_id: int) -> Response:
        query = decode_query(request, DiffQuery)
        message = DiffWorktree(repository_id, query.path, query.base, query.limit)
        return json_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))

    @api.post("/api/repos/<id:repository_id>/worktrees/merge")
    async def merge_worktree(repository_id: int) -> Response:
        wanted = await decode_body(request, MergeRequest)
        merged = await center.ask(
            REPOSITORIES, MergeWorktree(repository_id, wanted), timeout=GIT_SECONDS
        )
        return json_response(merged)

    @api.post("/api/repos/<id:repository_id>/worktrees/prune")
    async def prune_worktrees(repository_id: int) -> Response:
        body = await decode_body(request, Requester)
        message = PruneWorktrees(repository_id, body.requested_by)
        return page_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS), None)

    @api.post("/api/repos/<id:repository_id>/worktrees/clean")
    async def clean_worktrees(repository_id: int) -> Response:
        body = await decode_body(request, Requester)
        message = CleanWorktrees(repository_id, body.requested_by)
        return page_response(await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS), None)

    return api
