"""From a finished turn to work that has landed: the commit of what a session left."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.events.repositories import WorkCommitted
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import CommitWork
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import Storage
from command_center.actors.git.committing import Committed, commit_changes
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.repositories.worktree_checks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.store import Transaction


@attrs.frozen
class Landing:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def commit(self, message: CommitWork) -> Committed:
        """Commit what an ended session left in its folder.

        Raises:
            NotFound: there is no such session.
            Invalid: as `commit_changes`.
            Conflict: a session works there, the folder is gone, no path is named though it is the
                main checkout, which has changes of others too, or as `commit_changes`.
        """
        wanted = message.wanted
        session, task, repository = await load_work(self._storage, message.session_id)
        if session.worktree_path is None and not wanted.paths:
            raise Conflict("Name the files: the main checkout has changes of others, too.")
        async with self._locks.of(repository.id):
            host = self._hosts.of(repository)
            await check_unused(self._storage, host, repository, Path(session.cwd))
            committed = await commit_changes(
                await open_folder(host, session, repository),
                wanted.message or task.title,
                paths=wanted.paths,
                author=wanted.author,
                head=wanted.head_sha,
            )

            def record(tx: Transaction) -> Committed:
                tell(tx, session, WorkCommitted(commit=committed), actor=wanted.requested_by)
                return committed

            return await self._storage.write(record)
