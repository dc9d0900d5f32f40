"""Deletion of the worktrees that nobody needs any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import attrs

from command_center.actors.contracts.events.repositories import WorktreeRemoved
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    TidyWorktrees,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git import Checkout
from command_center.actors.git.facts import WorktreeEntry, read_worktrees
from command_center.actors.git.names import has_commit
from command_center.actors.git.trees import remove_worktree
from command_center.actors.ledger.worktrees import tell_worktree
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.worktree_checks import (
    RunningTurns,
    TurnRuns,
    check_no_turn,
    check_removable,
)
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.store import Page, Repository, Transaction, repositories
from command_center.store.queries.summaries import finished_worktrees

SYSTEM = "system"
"""Actor in the events of a clean-up."""


class Removal(OutsideAct, frozen=True, kw_only=True):
    """Worktrees that are taken away, as git listed them."""

    worktrees: list[WorktreeEntry]


def gone(removed: Sequence[WorktreeEntry], there: Sequence[WorktreeEntry]) -> list[WorktreeEntry]:
    """Return those that were to be removed and are there no more."""
    left = {entry.path for entry in there}
    return [entry for entry in removed if entry.path not in left]


@attrs.frozen
class WorktreeCleaning:
    """Deletes what nobody needs; each public method answers a message."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks
    _turns: RunningTurns

    async def clean(self, message: CleanWorktrees) -> Page[WorktreeEntry]:
        """Delete the worktrees that nobody needs.

        Raises:
            Unavailable: whether a turn runs in one of them cannot be said now.
        """
        return await self._clean(message.repository_id, message.requested_by)

    async def tidy(self, message: TidyWorktrees) -> None:
        """Delete those that were made for runs whose tasks are done.

        Raises:
            Unavailable: a turn runs in one of them, or that cannot be said now.
        """
        done = await self._storage.read(lambda db: finished_worktrees(db, message.repository_id))
        if done:
            await self._clean(message.repository_id, SYSTEM, only=done)

    async def _clean(
        self, repository_id: int, requested_by: str, *, only: Mapping[str, str | None] | None = None
    ) -> Page[WorktreeEntry]:
        async with self._locks.of(repository_id):
            repository = await self._repository(repository_id)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            there = await read_worktrees(main)
            candidates = [
                entry
                for entry in there
                if not entry.is_main
                and (only is None or entry.path in only)
                and await host.folders.is_kept(Path(entry.path))
            ]
            is_tidying = only is not None
            begun = self._storage.intended(Removal)
            removed = [] if begun is None else gone(begun.worktrees, there)
            later: Unavailable | None = None
            for entry in candidates:

                async def intend(entry: WorktreeEntry = entry) -> None:
                    await self._storage.intend(Removal(worktrees=[*removed, entry]))

                try:
                    if await self._delete_unneeded(
                        host, repository, main, entry, is_patient=not is_tidying, intend=intend
                    ):
                        removed.append(entry)
                except TurnRuns as error:
                    later = Unavailable(str(error)) if is_tidying else later
                except Conflict:
                    continue
                except Unavailable as error:
                    later = error
                    break

            def tell(tx: Transaction) -> Page[WorktreeEntry]:
                for entry in removed:
                    origin = None if only is None else only.get(entry.path)
                    tell_worktree(
                        tx, WorktreeRemoved, repository, entry, requested_by, correlation_id=origin
                    )
                return Page(items=removed)

            page = await self._storage.write(tell)
        if later is not None:
            raise later
        return page

    async def _delete_unneeded(
        self,
        host: Host,
        repository: Repository,
        main: Checkout,
        entry: WorktreeEntry,
        *,
        is_patient: bool,
        intend: Callable[[], Awaitable[None]],
    ) -> bool:
        """Delete one; False where its commits are needed.

        Raises:
            Conflict: it is needed.
            Unavailable: whether a turn runs in it cannot be said now.
        """
        path = Path(entry.path)
        await check_removable(self._storage, host, repository, main, entry, force=False)
        if not await _is_merged(main, entry, repository):
            return False
        await check_no_turn(self._turns, host, path, is_patient=is_patient)
        await intend()
        await remove_worktree(main, path)
        return True

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))


async def _is_merged(main: Checkout, entry: WorktreeEntry, repository: Repository) -> bool:
    """Return True if the default branch has all commits of a worktree."""
    base = repository.default_branch
    if entry.head_sha is None or base is None:
        return False
    return await has_commit(main, base, entry.head_sha)
