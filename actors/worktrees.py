"""Worktrees: where sessions work beside the main checkout, and how their work comes back.

A worktree made for a session lies in the data folder, `worktrees/<repository>/…`, unless the run
names a place. It is never inside a registered repository or the rest of the data folder. Whatever
changes a repository's worktrees holds that repository's lock, and everything is looked at anew
when it is used: an agent may have replaced a folder by a link since it was made.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import attrs
import msgspec
import trio
from sqlite_utils import Database

from command_center.actors.errors import Conflict, Invalid, PolicyDenied
from command_center.actors.git import Checkout, Git, NotAWorkTree, open_checkout
from command_center.actors.git.commit_folders import commit_folders
from command_center.actors.git.diffs import Diff, read_diff
from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.facts import WorktreeEntry, read_status, read_worktrees
from command_center.actors.git.merging import MergeResult, merge_branch
from command_center.actors.git.names import branch_commit, check_branch_name
from command_center.actors.git.trees import add_worktree, prune_worktrees, remove_worktree
from command_center.actors.locks import KeyedLocks
from command_center.actors.paths import check_path, same_file, within
from command_center.actors.places import Places, size_of
from command_center.actors.policy import evaluate, run_of, same_place
from command_center.actors.storage import Storage
from command_center.actors.worktree_messages import (
    CleanWorktrees,
    CreateWorktree,
    DiffWorktree,
    FindCommitFolders,
    ListWorktrees,
    MergeWorktree,
    PrepareWorkplace,
    PruneWorktrees,
    RemoveWorktree,
    TidyWorktrees,
    WorktreeCreated,
    WorktreeState,
)
from command_center.store import Repository, Session, Task, Transaction, repositories, sessions
from command_center.store import tasks as task_table

SYSTEM = "system"
"""Who tidies up."""


@attrs.frozen
class Worktrees:
    """Does the work behind the messages; each public method answers one of them."""

    _storage: Storage
    _git: Git
    _locks: KeyedLocks
    _places: Places

    async def create(self, message: CreateWorktree) -> WorktreeCreated:
        """Make a worktree.

        Raises:
            Invalid: the branch's name, the base or the path cannot be.
            Conflict: the branch is checked out elsewhere, or is not at the base that was named.
        """
        wanted = message.wanted
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            main = await open_main(self._git, repository, self._places.repo_roots)
            await check_branch_name(main, wanted.branch_name)
            path = (
                await self._places.free(repository, wanted.branch_name)
                if wanted.path is None
                else await self._places.asked(wanted.path, "path")
            )
            made = await add_worktree(main, path, wanted.branch_name, wanted.base_ref)
            created = await _created(made, wanted.branch_name)
            await self._storage.write(
                lambda tx: _tell(tx, "worktree.created", repository, created, wanted.requested_by)
            )
            return created

    async def describe(self, message: ListWorktrees) -> list[WorktreeState]:
        """Say how each worktree is."""
        repository = await self._repository(message.repository_id)
        main = await open_main(self._git, repository, self._places.repo_roots)
        active = await self._active(repository)
        return [await self._state(main, entry, active) for entry in await read_worktrees(main)]

    async def diff(self, message: DiffWorktree) -> Diff:
        """Show what changed.

        Raises:
            Invalid: there is no such worktree, or no such base.
            Conflict: no base was named and the repository has no default branch.
        """
        repository = await self._repository(message.repository_id)
        main = await open_main(self._git, repository, self._places.repo_roots)
        checkout = main
        if message.path is not None:
            entry = await self._entry(main, message.path)
            checkout = await open_checkout(self._git, Path(entry.path), common_dir=main.common_dir)
        base = message.base or repository.default_branch
        if base is None:
            raise Conflict("The repository has no default branch; name a base.")
        return await read_diff(checkout, base, limit=message.limit)

    async def remove(self, message: RemoveWorktree) -> WorktreeEntry:
        """Delete a worktree.

        Raises:
            Invalid: there is no such worktree, or it is the main checkout.
            Conflict: a session works in it, it is locked, or it has changes and `force` is not
                set.
        """
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            main = await open_main(self._git, repository, self._places.repo_roots)
            entry = await self._entry(main, message.path)
            await self._check_removable(repository, main, entry, force=message.force)
            await remove_worktree(main, Path(entry.path))
            await self._storage.write(
                lambda tx: _tell(
                    tx,
                    "worktree.removed",
                    repository,
                    entry,
                    message.requested_by,
                    force=message.force,
                )
            )
            return entry

    async def prune(self, message: PruneWorktrees) -> list[WorktreeEntry]:
        """Forget worktrees whose folders are gone."""
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            pruned = await prune_worktrees(
                await open_main(self._git, repository, self._places.repo_roots)
            )

            def tell(tx: Transaction) -> None:
                for entry in pruned:
                    _tell(tx, "worktree.pruned", repository, entry, message.requested_by)

            await self._storage.write(tell)
            return pruned

    async def clean(self, message: CleanWorktrees) -> list[WorktreeEntry]:
        """Delete the worktrees that nobody needs."""
        return await self._clean(message.repository_id, message.requested_by)

    async def tidy(self, message: TidyWorktrees) -> None:
        """Delete those that were made for runs whose tasks are done."""
        done = await self._storage.read(lambda db: done_with(db, message.repository_id))
        if done:
            await self._clean(message.repository_id, SYSTEM, only=done)

    async def _clean(
        self, repository_id: int, requested_by: str, *, only: Collection[str] | None = None
    ) -> list[WorktreeEntry]:
        async with self._locks.of(repository_id):
            repository = await self._repository(repository_id)
            main = await open_main(self._git, repository, self._places.repo_roots)
            removed = []
            for entry in await read_worktrees(main):
                if entry.is_main or not await within(Path(entry.path), [self._places.home]):
                    continue
                if only is not None and entry.path not in only:
                    continue
                try:
                    await self._check_removable(repository, main, entry, force=False)
                except Conflict:
                    continue
                if not await _is_merged(main, entry, repository):
                    continue
                await remove_worktree(main, Path(entry.path))
                removed.append(entry)

            def tell(tx: Transaction) -> None:
                for entry in removed:
                    _tell(tx, "worktree.removed", repository, entry, requested_by)

            await self._storage.write(tell)
            return removed

    async def merge(self, message: MergeWorktree) -> MergeResult:
        """Merge a worktree's branch into the main checkout's branch.

        Raises:
            Invalid: there is no such worktree.
            Conflict: one of the two is dirty or worked in, or the merge conflicts.
        """
        wanted = message.wanted
        async with self._locks.of(message.repository_id):
            repository = await self._repository(message.repository_id)
            main = await open_main(self._git, repository, self._places.repo_roots)
            entry = await self._entry(main, wanted.path)
            if entry.branch_name is None:
                raise Conflict(f"Worktree {entry.path} is on no branch.")
            for path in (Path(entry.path), main.path):
                await self._check_unused(repository, path)
            checkout = await open_checkout(self._git, Path(entry.path), common_dir=main.common_dir)
            if (await read_status(checkout)).dirty:
                raise Conflict(f"Worktree {entry.path} has changes that are not committed.")
            result = await merge_branch(
                main, entry.branch_name, strategy=wanted.strategy, message=wanted.message
            )
            await self._storage.write(
                lambda tx: tx.emit(
                    "worktree.merged",
                    actor=wanted.requested_by,
                    data={"path": entry.path, "merge": result},
                    repository_id=repository.id,
                )
            )
            return result

    async def prepare(self, message: PrepareWorkplace) -> Session:
        """See that a session's folder is there.

        Raises:
            PolicyDenied: the repository does not allow the session any more.
            Invalid: the worktree or branch that the run named cannot be.
            Conflict: the branch is checked out elsewhere, or the folder is not what it was.
        """

        def load(db: Database) -> tuple[Session, Task, Repository]:
            session = sessions.get(db, message.session_id)
            return (
                session,
                task_table.get(db, session.task_id),
                repositories.get(db, session.repository_id),
            )

        session, _, _ = await self._storage.read(load)
        async with self._locks.of(session.repository_id):
            session, task, repository = await self._storage.read(load)
            result = evaluate(repository, task, run_of(session))
            if result.run is None:
                raise PolicyDenied(result)
            main = await open_main(self._git, repository, self._places.repo_roots)
            branch = session.branch_name
            if result.run.worktree == "none":
                await _check_branch(main, branch, "worktreePath")
                return await self._keep_place(session, repository, main, branch, made=False)
            if result.run.worktree == "given":
                assert session.worktree_path is not None  # noqa: S101 - that is what given means
                return await self._prepare_given(session, repository, main, session.worktree_path)
            if branch is not None:
                await check_branch_name(main, branch)
                for entry in await read_worktrees(main):
                    if entry.branch_name != branch:
                        continue
                    if entry.is_main and repository.require_worktree:
                        raise Conflict(
                            f"Branch {branch} is checked out in the main checkout, and repository "
                            f"{repository.id} requires a worktree."
                        )
                    found = await open_checkout(
                        self._git, Path(entry.path), common_dir=main.common_dir
                    )
                    return await self._keep_place(session, repository, found, branch, made=False)
            branch = branch or f"cc/task-{session.task_id}-session-{session.id}"
            place = await self._places.free(repository, branch)
            made = await add_worktree(main, place, branch)
            return await self._keep_place(session, repository, made, branch, made=True)

    async def commit_folders(self, message: FindCommitFolders) -> list[str]:
        """Say where a session writes when it commits, if it may.

        Raises:
            NotAWorkTree: its folder is not what it was.
        """
        session = await self._storage.read(lambda db: sessions.get(db, message.session_id))
        if not session.allow_commit or session.sandbox != "workspace-write":
            return []
        repository = await self._repository(session.repository_id)
        main = await open_main(self._git, repository, self._places.repo_roots)
        checkout = await open_checkout(self._git, Path(session.cwd), common_dir=main.common_dir)
        return [str(path) for path in await trio.to_thread.run_sync(commit_folders, checkout)]

    async def _prepare_given(
        self, session: Session, repository: Repository, main: Checkout, wanted: str
    ) -> Session:
        path = check_path(wanted, "worktreePath")
        for entry in await read_worktrees(main):
            if not await same_file(Path(entry.path), path):
                continue
            if entry.is_main and repository.require_worktree:
                raise Conflict(
                    f"{wanted} is the main checkout, and repository {repository.id} requires a "
                    "worktree."
                )
            found = await open_checkout(self._git, Path(entry.path), common_dir=main.common_dir)
            await _check_branch(found, session.branch_name, "branchName")
            return await self._keep_place(session, repository, found, entry.branch_name, made=False)
        place = await self._places.asked(wanted, "worktreePath")
        branch = session.branch_name or f"cc/task-{session.task_id}-session-{session.id}"
        made = await add_worktree(main, place, branch)
        return await self._keep_place(session, repository, made, branch, made=True)

    async def _keep_place(
        self,
        session: Session,
        repository: Repository,
        checkout: Checkout,
        branch: str | None,
        *,
        made: bool,
    ) -> Session:
        """Commit where the session works, and that a worktree was made for it."""
        created = await _created(checkout, branch) if made else None
        place = {
            "cwd": str(checkout.path),
            "worktree_path": str(checkout.path) if checkout.linked else session.worktree_path,
            "branch_name": branch,
        }

        def keep(tx: Transaction) -> Session:
            kept = sessions.get(tx.db, session.id)
            if any(getattr(kept, name) != value for name, value in place.items()):
                kept = sessions.update(tx, session.id, **place)
            if created is not None:
                tx.emit(
                    "worktree.created",
                    actor=session.requested_by,
                    data=created,
                    repository_id=repository.id,
                    task_id=session.task_id,
                    session_id=session.id,
                    correlation_id=session.correlation_id,
                    causation_id=session.causation_id,
                )
            return kept

        return await self._storage.write(keep)

    async def _repository(self, repository_id: int) -> Repository:
        return await self._storage.read(lambda db: repositories.get(db, repository_id))

    async def _active(self, repository: Repository) -> list[Session]:
        return await self._storage.read(
            lambda db: sessions.every(db, {"repository_id": repository.id, "finished_at": None})
        )

    async def _entry(self, main: Checkout, wanted: str) -> WorktreeEntry:
        """The linked worktree at a path, as git lists it.

        Raises:
            Invalid: there is none, or it is the main checkout.
        """
        path = check_path(wanted, "path")
        for entry in await read_worktrees(main):
            if not same_place(entry.path, str(path)) and not await same_file(
                Path(entry.path), path
            ):
                continue
            if entry.is_main:
                raise Invalid.field("path", f"{wanted} is the main checkout, not a worktree.")
            return entry
        raise Invalid.field("path", f"{wanted} is no worktree of this repository.")

    async def _state(
        self, main: Checkout, entry: WorktreeEntry, active: list[Session]
    ) -> WorktreeState:
        path = Path(entry.path)
        state = WorktreeState(
            path=entry.path,
            branch_name=entry.branch_name,
            head_sha=entry.head_sha,
            is_main=entry.is_main,
            session_ids=[s.id for s in active if await same_file(Path(s.cwd), path)],
            locked_reason=entry.locked_reason,
            prunable_reason=entry.prunable_reason,
        )
        if entry.prunable_reason is not None:
            return state
        try:
            checkout = await open_checkout(self._git, path, common_dir=main.common_dir)
            status = await read_status(checkout)
        except (NotAWorkTree, UnsafeRepository) as error:
            return msgspec.structs.replace(state, problem=error.problem)
        return msgspec.structs.replace(
            state,
            is_dirty=status.dirty,
            head_sha=status.head,
            size_bytes=await trio.to_thread.run_sync(size_of, path),
        )

    async def _check_removable(
        self, repository: Repository, main: Checkout, entry: WorktreeEntry, *, force: bool
    ) -> None:
        """Refuse what must not be deleted.

        Raises:
            Conflict: it is locked, worked in, or dirty (unless forced).
        """
        path = Path(entry.path)
        if entry.locked_reason is not None:
            why = f": {entry.locked_reason}" if entry.locked_reason else ""
            raise Conflict(f"Worktree {entry.path} is locked{why}.")
        await self._check_unused(repository, path)
        if force or entry.prunable_reason is not None:
            return
        checkout = await open_checkout(self._git, path, common_dir=main.common_dir)
        if (await read_status(checkout)).dirty:
            raise Conflict(
                f"Worktree {entry.path} has changes that are not committed; force=true deletes "
                "them.",
                path=entry.path,
            )

    async def _check_unused(self, repository: Repository, path: Path) -> None:
        """Refuse while a session works in a folder.

        Raises:
            Conflict: one does; it is named.
        """
        for session in await self._active(repository):
            if await same_file(Path(session.cwd), path):
                raise Conflict(
                    f"Session {session.id} works in {path} and is {session.status}.",
                    sessionId=session.id,
                )


def done_with(db: Database, repository_id: int) -> set[str]:
    """The worktrees that were made for runs, and whose every task is completed or cancelled.

    After a run that failed or was stopped, somebody may want to go on where it was.
    """
    made = db.execute(
        "SELECT json_extract(body, '$.data.path') FROM events "
        "WHERE type = 'worktree.created' AND repository_id = ? AND session_id IS NOT NULL",
        [repository_id],
    )
    needed = db.execute(
        "SELECT worktree_path FROM sessions JOIN tasks ON tasks.id = sessions.task_id "
        "WHERE sessions.repository_id = ? AND worktree_path IS NOT NULL "
        "AND (finished_at IS NULL OR tasks.status NOT IN ('completed', 'cancelled'))",
        [repository_id],
    )
    return {path for (path,) in made} - {path for (path,) in needed}


async def open_main(git: Git, repository: Repository, roots: Sequence[Path]) -> Checkout:
    """Open the main checkout of a registered repository, which must be the one that it was.

    Raises:
        NotAWorkTree: it is gone, another repository is there now, or it lies outside of `roots`,
            where there are any, which may have changed since it was registered.
        UnsafeRepository: git could not be run in it safely.
    """
    path = Path(repository.local_path)
    if roots and not await within(path, roots):
        raise NotAWorkTree(path, "it lies outside the folders that repositories may be in.")
    git_dir = repository.facts.get("gitDir")
    return await open_checkout(
        git,
        path,
        common_dir=Path(git_dir) if isinstance(git_dir, str) else None,
    )


async def _check_branch(checkout: Checkout, branch: str | None, field: str) -> None:
    if branch is None:
        return
    current = (await read_status(checkout)).branch
    if current != branch:
        raise Conflict(
            f"{checkout.path} is on {current or 'no branch'}, not on {branch}; "
            f"leave out {field} or switch it.",
            currentBranch=current,
        )


async def _created(checkout: Checkout, branch: str | None) -> WorktreeCreated:
    status = await read_status(checkout)
    return WorktreeCreated(
        path=str(checkout.path), branch_name=branch or "", head_sha=status.head or ""
    )


async def _is_merged(main: Checkout, entry: WorktreeEntry, repository: Repository) -> bool:
    """Whether the default branch has all commits of a worktree."""
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


def _tell(
    tx: Transaction,
    kind: str,
    repository: Repository,
    worktree: WorktreeCreated | WorktreeEntry,
    actor: str,
    *,
    force: bool = False,
) -> None:
    tx.emit(
        kind,
        actor=actor,
        data={
            "path": worktree.path,
            "branchName": worktree.branch_name,
            "headSha": worktree.head_sha,
            "force": force,
        },
        repository_id=repository.id,
    )
