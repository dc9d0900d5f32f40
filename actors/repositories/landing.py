"""From a finished turn to work that has landed: what a session left, and its commit."""

from __future__ import annotations

from pathlib import Path

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.events.repositories import WorkCommitted
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.worktrees import CommitWork, SeeWork
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git import Checkout
from command_center.actors.git.changes import Uncommitted, read_uncommitted
from command_center.actors.git.committing import Committed, commit_changes
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.worktree_checks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    repositories,
    sessions,
    tasks,
)


@attrs.frozen
class Landing:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def see(self, message: SeeWork) -> Uncommitted:
        """Show what a session's folder has that is not committed.

        Raises:
            NotFound: there is no such session.
            Conflict: the folder is gone, or it is not the repository's any more.
        """
        session, _, repository = await self._load(message.session_id)
        checkout = await self._checkout(session, repository)
        return await read_uncommitted(checkout, repository.default_branch)

    async def commit(self, message: CommitWork) -> Committed:
        """Commit what an ended session left in its folder.

        Raises:
            NotFound: there is no such session.
            Invalid: as `commit_changes`.
            Conflict: a session works there, the folder is gone, no path is named though it is the
                main checkout, which has changes of others too, or as `commit_changes`.
        """
        wanted = message.wanted
        session, task, repository = await self._load(message.session_id)
        if session.worktree_path is None and not wanted.paths:
            raise Conflict("Name the files: the main checkout has changes of others, too.")
        async with self._locks.of(repository.id):
            host = self._hosts.of(repository)
            await check_unused(self._storage, host, repository, Path(session.cwd))
            committed = await commit_changes(
                await self._checkout(session, repository),
                wanted.message or task.title,
                paths=wanted.paths,
                author=wanted.author,
                head=wanted.head_sha,
            )

            def record(tx: Transaction) -> Committed:
                tell(tx, session, WorkCommitted(commit=committed), actor=wanted.requested_by)
                return committed

            return await self._storage.write(record)

    async def _load(self, session_id: int) -> tuple[Session, Task, Repository]:
        def load(db: Database) -> tuple[Session, Task, Repository]:
            session = sessions.get(db, session_id)
            task = tasks.get(db, session.task_id)
            return session, task, repositories.get(db, session.repository_id)

        return await self._storage.read(load)

    async def _checkout(self, session: Session, repository: Repository) -> Checkout:
        """Open the folder in which a session worked.

        Raises:
            Conflict: it is gone, or it is not the repository's any more.
        """
        host, folder = self._hosts.of(repository), Path(session.cwd)
        main = await open_main(host, repository)
        if not await host.folders.same(folder, folder):
            raise Conflict(f"The folder {folder} is gone. What was committed is on its branch.")
        return await main.git.open(folder, common_dir=main.common_dir)
