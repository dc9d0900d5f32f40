"""From a finished turn to work that has landed: the commit of what a session left."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.events.repositories import WorkCommitted
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import CommitWork
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git.committing import CommitPlan, Committed, commit_changes, find_commit
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.repositories.worktree_checks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.store import Repository, Transaction


class Committing(OutsideAct, frozen=True, kw_only=True):
    """The commit that is about to be made."""

    plan: CommitPlan


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
            committed = await self._made_before_a_crash(host, repository)
            if committed is None:
                await check_unused(self._storage, host, repository, Path(session.cwd))
                committed = await commit_changes(
                    await open_folder(host, session, repository),
                    wanted.message or task.title,
                    paths=wanted.paths,
                    author=wanted.author,
                    head=wanted.head_sha,
                    intend=self._intend,
                )

            def record(tx: Transaction) -> Committed:
                tell(tx, session, WorkCommitted(commit=committed), actor=wanted.requested_by)
                return committed

            return await self._storage.write(record)

    async def _intend(self, plan: CommitPlan) -> None:
        await self._storage.intend(Committing(plan=plan))

    async def _made_before_a_crash(self, host: Host, repository: Repository) -> Committed | None:
        """Return the commit that a former life made for the same request."""
        begun = self._storage.intended(Committing)
        if begun is None:
            return None
        return await find_commit(await open_main(host, repository), begun.plan)
