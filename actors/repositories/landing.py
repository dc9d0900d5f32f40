"""From a finished turn to work that has landed: the commit, and what is in the way of a merge."""

from __future__ import annotations

from pathlib import Path

import attrs

from command_center.actors.contracts.events.repositories import ConflictsMarked, WorkCommitted
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import CommitWork, MarkConflicts
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git.committing import CommitPlan, Committed, commit_changes, find_commit
from command_center.actors.git.conflicts import MarkedConflicts, mark_conflicts
from command_center.actors.git.facts import read_status
from command_center.actors.git.names import check_branch_name
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.repositories.worktree_checks import check_unused
from command_center.actors.rules.commit_messages import propose_message
from command_center.actors.rules.errors import Conflict
from command_center.store import Repository, Transaction


class Committing(OutsideAct, frozen=True, kw_only=True):
    """The commit that is about to be made."""

    plan: CommitPlan


class Marking(OutsideAct, frozen=True, kw_only=True):
    """The base that is about to be merged; doing it again changes nothing."""

    base: str


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
            Unavailable: what signs does not answer.
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
                    wanted.message
                    or propose_message(task.title, session.last_message, session.cwd),
                    paths=wanted.paths,
                    author=wanted.author,
                    head=wanted.head_sha,
                    signs=repository.sign_commits,
                    intend=self._intend,
                )

            def record(tx: Transaction) -> Committed:
                tell(tx, session, WorkCommitted(commit=committed), actor=wanted.requested_by)
                return committed

            return await self._storage.write(record)

    async def mark_conflicts(self, message: MarkConflicts) -> MarkedConflicts:
        """Merge a base into the branch of an ended session, and mark what conflicts in the files.

        Raises:
            NotFound: there is no such session.
            Invalid: no branch can have the name of the base.
            Conflict: a session works there, the folder is gone or is the main checkout, which is on
                no branch, or as `mark_conflicts`.
        """
        wanted = message.wanted
        session, _, repository = await load_work(self._storage, message.session_id)
        async with self._locks.of(repository.id):
            host = self._hosts.of(repository)
            await check_unused(self._storage, host, repository, Path(session.cwd))
            checkout = await open_folder(host, session, repository)
            if not checkout.linked:
                raise Conflict("The main checkout has changes of others, too.")
            if wanted.base is not None:
                await check_branch_name(checkout, wanted.base, "base")
            main = await open_main(host, repository)
            base = wanted.base or (await read_status(main)).branch
            if base is None:
                raise Conflict("The main checkout is on no branch. Name the base.")
            await self._storage.intend(Marking(base=base))
            marked = await mark_conflicts(
                checkout, base, head=wanted.head_sha, signs=repository.sign_commits
            )

            def record(tx: Transaction) -> MarkedConflicts:
                tell(tx, session, ConflictsMarked(merge=marked), actor=wanted.requested_by)
                return marked

            return await self._storage.write(record)

    async def _intend(self, plan: CommitPlan) -> None:
        await self._storage.intend(Committing(plan=plan))

    async def _made_before_a_crash(self, host: Host, repository: Repository) -> Committed | None:
        """Return the commit that a former life made for the same request."""
        begun = self._storage.intended(Committing)
        if begun is None:
            return None
        return await find_commit(await open_main(host, repository), begun.plan)
