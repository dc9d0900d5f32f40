"""Deletion of the worktrees that nobody needs any more."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import attrs

from command_center.actors.contracts.events.repositories import WorktreeRemoved
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    TidyWorktrees,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_worktrees
from command_center.actors.git.names import branch_commit
from command_center.actors.git.trees import remove_worktree
from command_center.actors.ledger.worktrees import tell_worktree
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.worktree_checks import check_removable
from command_center.actors.rules.errors import Conflict
from command_center.store import Page, Repository, Transaction, repositories
from command_center.store.queries.summaries import finished_worktrees

SYSTEM = "system"
"""Actor in the events of a clean-up."""


@attrs.frozen
class WorktreeCleaning:
    """Deletes what nobody needs; each public method answers a message."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def clean(self, message: CleanWorktrees) -> Page[WorktreeEntry]:
        """Delete the worktrees that nobody needs."""
        return await self._clean(message.repository_id, message.requested_by)

    async def tidy(self, message: TidyWorktrees) -> None:
        """Delete those that were made for runs whose tasks are done."""
        done = await self._storage.read(lambda db: finished_worktrees(db, message.repository_id))
        if done:
            await self._clean(message.repository_id, SYSTEM, only=done)

    async def _clean(
        self, repository_id: int, requested_by: str, *, only: Collection[str] | None = None
    ) -> Page[WorktreeEntry]:
        async with self._locks.of(repository_id):
            repository = await self._repository(repository_id)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            removed = []
            for entry in await read_worktrees(main):
                if entry.is_main or not await host.folders.is_kept(Path(entry.path)):
                    continue
                if only is not None and entry.path not in only:
                    continue
                try:
                    await check_removable(self._storage, host, repository, main, entry, force=False)
                except Conflict:
                    continue
                if not await _is_merged(main, entry, repository):
                    continue
                await remove_worktree(main, Path(entry.path))
                removed.append(entry)

            def tell(tx: Transaction) -> Page[WorktreeEntry]:
                for entry in removed:
                    tell_worktree(tx, WorktreeRemoved, repository, entry, requested_by)
                return Page(items=removed)

            return await self._storage.write(tell)

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))


async def _is_merged(main: Checkout, entry: WorktreeEntry, repository: Repository) -> bool:
    """Return True if the default branch has all commits of a worktree."""
    base = repository.default_branch
    if entry.head_sha is None or base is None or await branch_commit(main, base) is None:
        return False
    answer = await main.run(
        "merge-base",
        "--is-ancestor",
        "--end-of-options",
        entry.head_sha,
        f"refs/heads/{base}",
        accepted=(0, 1),
    )
    return answer.exit_code == 0
