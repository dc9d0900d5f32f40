"""Record that a worktree was made, and that it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from command_center.actors.contracts.events.repositories import (
    WorktreeAdded,
    WorktreePruned,
    WorktreeRemoved,
)
from command_center.actors.contracts.worktrees import WorktreeCreated
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_status
from command_center.actors.git.including import only_ignored
from command_center.actors.git.ports import shown
from command_center.store import Repository, Transaction
from command_center.store.queries.removal import remove_snapshots

MOST_NAMED: Final = 100
"""Files that a worktree was given of which an event has the names."""


async def read_created(
    checkout: Checkout, branch: str | None, included: Sequence[bytes]
) -> WorktreeCreated:
    """Return the worktree that was just made, and which files it was given, as events tell it."""
    status = await read_status(checkout)
    given = await only_ignored(checkout, included)
    return WorktreeCreated(
        path=str(checkout.path),
        branch_name=branch or "",
        head_sha=status.head or "",
        included=[shown(name) for name in given[:MOST_NAMED]],
        included_count=len(given),
    )


def created(worktree: WorktreeCreated) -> WorktreeAdded:
    """Make the event that tells of a worktree that was made."""
    return WorktreeAdded(
        path=worktree.path,
        branch_name=worktree.branch_name,
        head_sha=worktree.head_sha,
        included=worktree.included,
        included_count=worktree.included_count,
    )


def tell_worktree(
    tx: Transaction,
    event: type[WorktreeRemoved | WorktreePruned],
    repository: Repository,
    worktree: WorktreeEntry,
    actor: str,
    *,
    force: bool = False,
    correlation_id: str | None = None,
) -> None:
    """Emit an event of a worktree that somebody took away, and forget what its files were.

    Its correlation id is the unit's, unless one is given.
    """
    remove_snapshots(tx, repository.id, worktree.path)
    tx.emit(
        event(
            path=worktree.path,
            branch_name=worktree.branch_name,
            head_sha=worktree.head_sha,
            force=force,
        ),
        actor=actor,
        repository_id=repository.id,
        correlation_id=correlation_id,
    )
