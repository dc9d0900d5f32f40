"""/api/repos/…/prompts: prompts that are said again, saved here or in the repository's files."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.prompts import (
    DeletePrompt,
    ListPrompts,
    NewPrompt,
    ReadyPrompts,
    SavePrompt,
)
from command_center.actors.repositories.actor import GIT_SECONDS
from command_center.http.routes.followups import CancellationQuery
from command_center.http.wire.operation import Api
from command_center.store import SavedPrompt

api = Api[Center]("Prompts")


@api.operation("GET", "/api/repos/<id:repository_id>/prompts")
async def list_prompts(center: Center, repository_id: int) -> ReadyPrompts:
    """List the prompts that were saved for a repository, and those in its `.codex/prompts`."""
    return await center.ask(REPOSITORIES, ListPrompts(repository_id), timeout=GIT_SECONDS)


@api.operation("PUT", "/api/repos/<id:repository_id>/prompts/<prompt:name>", refuses=(409,))
async def save_prompt(
    center: Center, repository_id: int, name: str, body: NewPrompt
) -> SavedPrompt:
    """Save a prompt for a repository, in the place of the one of that name."""
    return await center.ask(REPOSITORIES, SavePrompt(repository_id, name, body))


@api.operation("DELETE", "/api/repos/<id:repository_id>/prompts/<prompt:name>")
async def delete_prompt(
    center: Center, repository_id: int, name: str, query: CancellationQuery
) -> SavedPrompt:
    """Delete a prompt that was saved for a repository."""
    return await center.ask(REPOSITORIES, DeletePrompt(repository_id, name, query.requested_by))
