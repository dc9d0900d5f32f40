"""/api/repos: the repositories that Command Center works in."""

from __future__ import annotations

import msgspec
from quart import request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.repositories import (
    CreateRepository,
    DeleteRepository,
    Inspection,
    InspectRepository,
    PatchRepository,
    RepositoryChanges,
    RepositoryDeleted,
    ScanRepository,
)
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.actors.rules.lengths import Name
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.etags import condition
from command_center.http.wire.operation import Api
from command_center.store import Page, Repository, repositories

api = Api[Center]("Repositories")


class Requester(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The body of an act that needs nothing but who wants it."""

    requested_by: Name = "api"


class RequesterQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a deletion."""

    requested_by: Name = "api"


@api.operation("GET", "/api/repos")
async def list_repositories(center: Center, query: PageQuery) -> Page[Repository]:
    """List the repositories."""
    return await center.storage.read_long(
        lambda db: repositories.page(db, {}, limit=query.limit, cursor=query.cursor)
    )


@api.operation(
    "POST", "/api/repos", answers=201, refuses=(409,), location="/api/repos/{id}", scope="admin"
)
async def create_repository(center: Center, body: CreateRepository) -> Repository:
    """Register a repository."""
    return await center.ask(REPOSITORIES, body, timeout=GIT_SECONDS)


@api.operation("POST", "/api/repos/inspect", scope="admin")
async def inspect_folder(center: Center, body: InspectRepository) -> Inspection:
    """Look at a folder, and save nothing."""
    return await center.ask(REPOSITORIES, body, timeout=GIT_SECONDS)


@api.operation("GET", "/api/repos/<id:repository_id>")
async def get_repository(center: Center, repository_id: int) -> Repository:
    """Show a repository."""
    return await center.storage.read(lambda db: repositories.get(db, repository_id))


@api.operation("PATCH", "/api/repos/<id:repository_id>", refuses=(409,), scope="admin")
async def patch_repository(
    center: Center, repository_id: int, body: RepositoryChanges
) -> Repository:
    """Change a repository."""
    seen = condition(request, lambda db: repositories.get(db, repository_id))
    message = PatchRepository(repository_id, body, seen)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation("DELETE", "/api/repos/<id:repository_id>", refuses=(409,), scope="admin")
async def delete_repository(
    center: Center, repository_id: int, query: RequesterQuery
) -> RepositoryDeleted:
    """Forget a repository and what was done in it."""
    seen = condition(request, lambda db: repositories.get(db, repository_id))
    message = DeleteRepository(repository_id, query.requested_by, seen)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation("POST", "/api/repos/<id:repository_id>/scan", refuses=(409,))
async def scan_repository(center: Center, repository_id: int, body: Requester) -> Repository:
    """Ask git anew."""
    message = ScanRepository(repository_id, body.requested_by)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)
