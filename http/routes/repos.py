"""/api/repos: the repositories that Command Center works in."""

from __future__ import annotations

from typing import Annotated

import msgspec
from quart import request
from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.pools import CLONE_SECONDS
from command_center.actors.contracts.repositories import (
    CloneRepository,
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
from command_center.store.records import LOCAL

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


class RepositoryDeletionQuery(
    RequesterQuery, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The query of a repository's deletion.

    Attributes:
        history: remove its events, too.
    """

    history: bool = False


class FoundQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The place from which on repositories are looked for.

    Attributes:
        after: the `nextAfter` of the look before; else it begins.
    """

    after: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None


class FoundRepository(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A repository that was found on this machine.

    Attributes:
        name: of its folder.
        is_registered: it is one of this server's already.
    """

    name: str
    local_path: str
    is_registered: bool


class FoundRepositories(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The repositories that one look has found.

    Attributes:
        folders: how many folders were looked into.
        passed_over: those of them that have too many entries to be looked through.
        next_after: where the next look goes on, as its `after`; null at the end of all.
    """

    items: list[FoundRepository]
    folders: int
    passed_over: list[str]
    next_after: str | None


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


@api.operation(
    "POST",
    "/api/repos/clone",
    answers=201,
    refuses=(409, 503),
    location="/api/repos/{id}",
    scope="admin",
    is_done_once=False,
)
async def clone_repository(center: Center, body: CloneRepository) -> Repository:
    """Have a pool host clone a remote, and register that.

    One that is there already is fetched and scanned, and keeps what it may do. A clone may take
    minutes; it goes on where the client does not wait for it.
    """
    return await center.ask(REPOSITORIES, body, timeout=CLONE_SECONDS + GIT_SECONDS)


@api.operation("POST", "/api/repos/inspect", scope="admin")
async def inspect_folder(center: Center, body: InspectRepository) -> Inspection:
    """Look at a folder, and save nothing."""
    return await center.ask(REPOSITORIES, body, timeout=GIT_SECONDS)


@api.operation("GET", "/api/repos/found", scope="admin")
async def find_repositories(center: Center, query: FoundQuery) -> FoundRepositories:
    """Look for repositories in the home folder of the server's user, for a second."""
    folders = next(host for host in center.hosts if host.name == LOCAL).folders
    after = None if query.after is None else await folders.expand(query.after, "after")
    look = await folders.find_repositories(after)

    def registered(db: Database) -> set[str]:
        places = [str(path) for path in look.found]
        return {
            place
            for place in places
            if repositories.count(db, {"host": LOCAL, "local_path": place})
        }

    known = await center.storage.read(registered)
    return FoundRepositories(
        items=[
            FoundRepository(name=path.name, local_path=str(path), is_registered=str(path) in known)
            for path in look.found
        ],
        folders=look.folders,
        passed_over=[str(path) for path in look.passed_over],
        next_after=None if look.ended_at is None else str(look.ended_at),
    )


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
    center: Center, repository_id: int, query: RepositoryDeletionQuery
) -> RepositoryDeleted:
    """Forget a repository and what was done in it, its events, too, if `history` is asked for."""
    seen = condition(request, lambda db: repositories.get(db, repository_id))
    message = DeleteRepository(repository_id, query.requested_by, seen, query.history)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation("POST", "/api/repos/<id:repository_id>/scan", refuses=(409,))
async def scan_repository(center: Center, repository_id: int, body: Requester) -> Repository:
    """Ask git anew."""
    message = ScanRepository(repository_id, body.requested_by)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)
