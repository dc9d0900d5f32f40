"""Worktrees: what people ask of them, and how the work in them comes back.

A worktree made for a session lies in the data folder, `worktrees/<repository>/…`, unless the run
names a place. It is never inside a registered repository or the rest of the data folder. Whatever
changes a repository's worktrees holds that repository's lock, and everything is looked at anew
when it is used: an agent may have replaced a folder by a link since it was made.
"""

from __future__ import annotations

from pathlib import Path

import attrs
import msgspec

from command_center.actors.contracts.events.repositories import (
    WorktreeMerged,
    WorktreePruned,
    WorktreeRemoved,
)
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import (
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
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git import Checkout, NotAWorkTree
from command_center.actors.git.diffs import Diff, read_diff
from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.facts import WorktreeEntry, read_status, read_worktrees
from command_center.actors.git.including import include_files, list_included, read_patterns
from command_center.actors.git.merging import MergeResult, merge_branch
from command_center.actors.git.names import (
    branch_commit,
    check_branch_name,
    has_commit,
    resolve_commit,
)
from command_center.actors.git.trees import (
    add_worktree,
    prunable,
    prune_worktrees,
    remove_worktree,
    take_up_worktree,
)
from command_center.actors.ledger.sessions import tell as tell_session
from command_center.actors.ledger.worktrees import created, read_created, tell_worktree
from command_center.actors.repositories.cleanup import Removal, gone
from command_center.actors.repositories.locations import Places
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.worktree_checks import (
    RunningTurns,
    check_no_turn,
    check_removable,
    check_unused,
    live_sessions,
)
from command_center.actors.rules.errors import Conflict, NotFound, Unavailable
from command_center.actors.rules.paths import same_place
from command_center.store import (
    Page,
    Repository,
    Session,
    Transaction,
    repositories,
    sessions,
)


class Making(OutsideAct, frozen=True, kw_only=True):
    """The place of a worktree that is made."""

    path: str


class Merging(OutsideAct, frozen=True, kw_only=True):
    """A worktree's path, and what the merge of its branch will have done."""

    path: str
    merge: MergeResult


@attrs.frozen
class Worktrees:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks
    _places: Places
    _turns: RunningTurns

    async def create(self, message: CreateWorktree) -> WorktreeCreated:
        """Make a worktree.

        Raises:
            Invalid: the branch's name or the path cannot be.
            NotFound: there is no such base.
            Conflict: the branch is checked out elsewhere, or is not at the base that was named.
        """
        wanted = message.wanted
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            await check_branch_name(main, wanted.branch_name)
            included = await list_included(main, await read_patterns(main))
            made = await self._left_by_a_crash(host, main, wanted)
            if made is None:
                path = (
                    await self._places.free(host, repository, wanted.branch_name)
                    if wanted.path is None
                    else await self._places.asked(host, wanted.path, "path")
                )
                await self._storage.intend(Making(path=str(path)))
                made = await add_worktree(
                    main, path, wanted.branch_name, wanted.base_ref, include=included
                )
            else:
                await include_files(main, made, included)
            worktree = await read_created(made, wanted.branch_name, included)

            def tell(tx: Transaction) -> WorktreeCreated:
                tx.emit(created(worktree), actor=wanted.requested_by, repository_id=repository.id)
                return worktree

            return await self._storage.write(tell)

    async def _left_by_a_crash(
        self, host: Host, main: Checkout, wanted: WorktreeRequest
    ) -> Checkout | None:
        """Return the worktree that a former life made for the same request, or began to make.

        By its key that request is known to be the same. Another one is, where it wants the branch
        of a worktree that was never filled, and that lies where it would go.

        Raises:
            WorktreeUnfinished: it has files that are not of its commit, or is still being filled.
        """
        begun = self._storage.intended(Making)
        for entry in await read_worktrees(main):
            if entry.is_main or entry.branch_name != wanted.branch_name:
                continue
            path = Path(entry.path)
            is_same = begun is not None and await host.folders.same(path, Path(begun.path))
            if not is_same and not await self._would_go_to(host, main, path, wanted):
                continue
            await self._storage.intend(Making(path=entry.path))
            made = await take_up_worktree(main, path, also_full=is_same)
            if made is not None:
                return made
        return None

    async def _would_go_to(
        self, host: Host, main: Checkout, path: Path, wanted: WorktreeRequest
    ) -> bool:
        """Say whether a worktree that is there may be what a request has begun."""
        if wanted.base_ref is not None:
            base = await resolve_commit(main, wanted.base_ref)
            if base != await branch_commit(main, wanted.branch_name):
                return False
        if wanted.path is None:
            return await host.folders.is_kept(path)
        return await host.folders.same(path, Path(wanted.path))

    async def describe(self, message: ListWorktrees) -> list[WorktreeState]:
        """Say how each worktree is."""
        repository = await self._repository(message.repository_id)
        host = self._hosts.of(repository)
        main = await open_main(host, repository)
        active = await live_sessions(self._storage, repository)
        return [
            await self._state(host, main, entry, active) for entry in await read_worktrees(main)
        ]

    async def diff(self, message: DiffWorktree) -> Diff:
        """Show what changed.

        Raises:
            NotFound: there is no such worktree, or no such base.
            Conflict: no base was named and the repository has no default branch.
        """
        repository = await self._repository(message.repository_id)
        host = self._hosts.of(repository)
        main = await open_main(host, repository)
        checkout = main
        if message.path is not None:
            entry = await self._entry(host, main, message.path)
            if not entry.is_main:
                checkout = await main.git.open(Path(entry.path), common_dir=main.common_dir)
        base = message.base or repository.default_branch
        if base is None:
            raise Conflict("The repository has no default branch; name a base.")
        return await read_diff(checkout, base, limit=message.limit)

    async def remove(self, message: RemoveWorktree) -> WorktreeEntry:
        """Delete a worktree.

        Raises:
            NotFound: there is no such worktree.
            Conflict: it is the main checkout, a session or a turn works in it, it is locked, or it
                has changes and `force` is not set.
            Unavailable: whether a turn runs in it cannot be said now, and `force` is not set.
        """
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            entry = await self._linked(host, main, message.path)
            await check_removable(self._storage, host, repository, main, entry, force=message.force)
            try:
                await check_no_turn(self._turns, host, Path(entry.path))
            except Unavailable as error:
                if not message.force:
                    raise Unavailable(
                        f"Codex does not say whether a turn runs in {entry.path}: {error} "
                        "To delete it all the same, add force=true.",
                        retry_after=error.retry_after,
                    ) from error
            await remove_worktree(main, Path(entry.path))
            await self._storage.write(
                lambda tx: tell_worktree(
                    tx,
                    WorktreeRemoved,
                    repository,
                    entry,
                    message.requested_by,
                    force=message.force,
                )
            )
            return entry

    async def prune(self, message: PruneWorktrees) -> Page[WorktreeEntry]:
        """Forget worktrees whose folders are gone."""
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            main = await open_main(self._hosts.of(repository), repository)
            there = await read_worktrees(main)
            begun = self._storage.intended(Removal)
            pruned = [] if begun is None else gone(begun.worktrees, there)
            found = prunable(there)
            await self._storage.intend(Removal(worktrees=pruned + found))
            pruned += await prune_worktrees(main, found)

            def tell(tx: Transaction) -> Page[WorktreeEntry]:
                for entry in pruned:
                    tell_worktree(tx, WorktreePruned, repository, entry, message.requested_by)
                return Page(items=pruned)

            return await self._storage.write(tell)

    async def merge(self, message: MergeWorktree) -> MergeResult:
        """Merge a worktree's branch into the main checkout's branch, or into another.

        Raises:
            NotFound: there is no such worktree.
            Invalid: no branch can have the name of the target.
            Conflict: it is the main checkout, one of the two is dirty or worked in, the target is
                checked out elsewhere, or the merge conflicts.
        """
        wanted = message.wanted
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            host = self._hosts.of(repository)
            main = await open_main(host, repository)
            merging = self._storage.intended(Merging)
            if merging is None or not await has_commit(
                main, merging.merge.target_branch, merging.merge.head_sha
            ):
                merging = await self._merge(host, repository, main, wanted)
            done = WorktreeMerged(path=merging.path, merge=merging.merge)

            def tell(tx: Transaction) -> MergeResult:
                if message.session_id is None:
                    tx.emit(done, actor=wanted.requested_by, repository_id=repository.id)
                else:
                    session = sessions.get(tx.db, message.session_id)
                    tell_session(tx, session, done, actor=wanted.requested_by)
                return done.merge

            return await self._storage.write(tell)

    async def _merge(
        self, host: Host, repository: Repository, main: Checkout, wanted: MergeRequest
    ) -> Merging:
        entry = await self._linked(host, main, wanted.path)
        if entry.branch_name is None:
            raise Conflict(f"Worktree {entry.path} is on no branch.")
        if wanted.into is not None:
            await check_branch_name(main, wanted.into, "into")
        places = [Path(entry.path)]
        if wanted.into in {None, (await read_status(main)).branch}:
            places.append(main.path)
        for path in places:
            await check_unused(self._storage, host, repository, path)
        checkout = await main.git.open(Path(entry.path), common_dir=main.common_dir)
        if (await read_status(checkout)).dirty:
            raise Conflict(f"Worktree {entry.path} has changes that are not committed.")

        async def intend(merge: MergeResult) -> None:
            await self._storage.intend(Merging(path=entry.path, merge=merge))

        merge = await merge_branch(
            main,
            entry.branch_name,
            into=wanted.into,
            head=wanted.head_sha,
            strategy=wanted.strategy,
            message=wanted.message,
            signs=repository.sign_commits,
            intend=intend,
        )
        return Merging(path=entry.path, merge=merge)

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))

    async def _linked(self, host: Host, main: Checkout, wanted: str) -> WorktreeEntry:
        """Return the worktree at a path, if it is not the main checkout.

        Raises:
            NotFound, Invalid: as `_entry`.
            Conflict: it is the main checkout.
        """
        entry = await self._entry(host, main, wanted)
        if entry.is_main:
            raise Conflict(f"{wanted} is the main checkout, which stays as it is.")
        return entry

    async def _entry(self, host: Host, main: Checkout, wanted: str) -> WorktreeEntry:
        """Return the worktree at a path, or the main checkout, as git lists it.

        Raises:
            NotFound: there is none.
            Invalid: the path can be none.
        """
        path = await host.folders.expand(wanted, "path")
        for entry in await read_worktrees(main):
            if same_place(entry.path, str(path)) or await host.folders.same(Path(entry.path), path):
                return entry
        raise NotFound("Worktree", wanted)

    async def _state(
        self, host: Host, main: Checkout, entry: WorktreeEntry, active: list[Session]
    ) -> WorktreeState:
        path = Path(entry.path)
        state = WorktreeState(
            host=host.name,
            path=entry.path,
            branch_name=entry.branch_name,
            head_sha=entry.head_sha,
            is_main=entry.is_main,
            session_ids=[s.id for s in active if await host.folders.same(Path(s.cwd), path)],
            locked_reason=entry.locked_reason,
            prunable_reason=entry.prunable_reason,
        )
        if entry.prunable_reason is not None:
            return state
        try:
            checkout = await main.git.open(path, common_dir=main.common_dir)
            status = await read_status(checkout)
        except (NotAWorkTree, UnsafeRepository) as error:
            return msgspec.structs.replace(state, problem=error.problem)
        return msgspec.structs.replace(
            state,
            is_dirty=status.dirty,
            head_sha=status.head,
            size_bytes=await host.folders.size(path),
        )
