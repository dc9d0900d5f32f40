"""/api/repos/…/worktrees: the worktrees of a repository, and what was changed in them."""

from __future__ import annotations

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.fields import FolderPath
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    ListWorktrees,
    MergeRequest,
    MergeWorktree,
    PruneWorktrees,
    RemoveWorktree,
    WorktreeCreated,
    WorktreeRequest,
    WorktreeState,
)
from command_center.actors.git.diffs import PATCH_LIMIT, Diff, Limit
from command_center.actors.git.facts import WorktreeEntry
from command_center.actors.git.merging import MergeResult
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.actors.rules.lengths import Revision
from command_center.http.routes.repos import Requester, RequesterQuery
from command_center.http.wire.codec import PageQuery, cut_page
from command_center.http.wire.leaving import while_client_stays
from command_center.http.wire.operation import Api
from command_center.store import Page

api = Api[Center]("Worktrees")


class RemovalQuery(RequesterQuery, frozen=True, kw_only=True, rename="camel"):
    """The query of a worktree's deletion.

    Attributes:
        force: remove it with changes that are not committed.
    """

    path: FolderPath
    force: bool = False


class DiffQuery(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The worktree, and what its changes are measured against.

    Attributes:
        path: the worktree; the main checkout, if left out.
        base: a branch or commit; the default branch, if left out.
        limit: bytes of the patch.
    """

    path: FolderPath | None = None
    base: Revision | None = None
    limit: Limit = PATCH_LIMIT


@api.operation("GET", "/api/repos/<id:repository_id>/worktrees", refuses=(409,))
async def list_worktrees(
    center: Center, repository_id: int, query: PageQuery
) -> Page[WorktreeState]:
    """List a repository's worktrees."""
    message = ListWorktrees(repository_id)
    found = await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))
    return cut_page(found, query, f"worktrees of {repository_id}")


@api.operation(
    "POST",
    "/api/repos/<id:repository_id>/worktrees",
    answers=201,
    refuses=(409,),
)
async def create_worktree(
    center: Center, repository_id: int, body: WorktreeRequest
) -> WorktreeCreated:
    """Make a worktree."""
    message = CreateWorktree(repository_id, body)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation("DELETE", "/api/repos/<id:repository_id>/worktrees", refuses=(409,), scope="land")
async def remove_worktree(center: Center, repository_id: int, query: RemovalQuery) -> WorktreeEntry:
    """Remove a worktree."""
    message = RemoveWorktree(repository_id, query.path, query.force, query.requested_by)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation("GET", "/api/repos/<id:repository_id>/worktrees/diff", refuses=(409,))
async def diff_worktree(center: Center, repository_id: int, query: DiffQuery) -> Diff:
    """Show what a worktree changed."""
    message = DiffWorktree(repository_id, query.path, query.base, query.limit)
    return await while_client_stays(center.ask(REPOSITORIES, message, timeout=GIT_SECONDS))


@api.operation(
    "POST",
    "/api/repos/<id:repository_id>/worktrees/merge",
    refuses=(409,),
    scope="land",
)
async def merge_worktree(center: Center, repository_id: int, body: MergeRequest) -> MergeResult:
    """Merge a worktree's branch into the main checkout's, or into another."""
    message = MergeWorktree(repository_id, body)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation(
    "POST",
    "/api/repos/<id:repository_id>/worktrees/prune",
    refuses=(409,),
    scope="land",
)
async def prune_worktrees(
    center: Center, repository_id: int, body: Requester
) -> Page[WorktreeEntry]:
    """Let git forget worktrees whose folders are gone."""
    message = PruneWorktrees(repository_id, body.requested_by)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)


@api.operation(
    "POST",
    "/api/repos/<id:repository_id>/worktrees/clean",
    refuses=(409,),
    scope="land",
)
async def clean_worktrees(
    center: Center, repository_id: int, body: Requester
) -> Page[WorktreeEntry]:
    """Remove worktrees that nobody needs."""
    message = CleanWorktrees(repository_id, body.requested_by)
    return await center.ask(REPOSITORIES, message, timeout=GIT_SECONDS)
