"""Record that a worktree was made, and that it is gone."""

from __future__ import annotations

from command_center.actors.contracts.events.repositories import (
    WorktreeAdded,
    WorktreePruned,
    WorktreeRemoved,
)
from command_center.actors.contracts.worktrees import WorktreeCreated
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_status
from command_center.store import Repository, Transaction


async def read_created(checkout: Checkout, branch: str | None) -> WorktreeCreated:
    """Return the worktree that was just made, as events tell of it."""
    status = await read_status(checkout)
    return WorktreeCreated(
        path=str(checkout.path), branch_name=branch or "", head_sha=status.head or ""
    )


def tell_worktree(
    tx: Transaction,
    event: type[WorktreeAdded | WorktreeRemoved | WorktreePruned],
    repository: Repository,
    worktree: WorktreeCreated | WorktreeEntry,
    actor: str,
    *,
    force: bool = False,
) -> None:
    """Emit an event of a worktree that somebody made or took away."""
    tx.emit(
        event(
            path=worktree.path,
            branch_name=worktree.branch_name,
            head_sha=worktree.head_sha,
            force=force,
        ),
        actor=actor,
        repository_id=repository.id,
    )
