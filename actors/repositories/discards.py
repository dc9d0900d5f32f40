"""Work that people discard: kept for some time, and brought back on a branch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.events.repositories import WorkDiscarded, WorkRestored
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.landing import (
    DiscardRequest,
    DiscardWork,
    Restored,
    RestoreWork,
)
from command_center.actors.core.clock import later
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git.discarding import (
    KEPT_BELOW,
    keep_work,
    restore_kept,
    take_back,
    take_back_again,
)
from command_center.actors.git.kept_work import KeptWork, forget_kept, forget_unknown
from command_center.actors.git.names import branch_commit
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.repositories.worktree_checks import check_unused
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    DiscardedWork,
    Repository,
    Session,
    Transaction,
    discarded,
    from_timestamp,
    now_timestamp,
    repositories,
    sessions,
)

KEPT_SECONDS: Final = 30 * 24 * 3600
"""Seconds for which discarded work is kept."""


class Discarding(OutsideAct, frozen=True, kw_only=True):
    """The work that is about to be taken away, which is kept."""

    discarded_id: int


class Restoring(OutsideAct, frozen=True, kw_only=True):
    """The branch is about to be made."""


@attrs.frozen
class Discards:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks

    async def discard(self, message: DiscardWork) -> DiscardedWork:
        """Take a session's worktree back to its last commit, and keep what was there.

        It is on the disk and in the database that it is kept before any file goes.

        Raises:
            NotFound: there is no such session.
            Conflict: the session worked in the main checkout, one works in the folder, it is gone,
                or as `keep_work` and `take_back`.
        """
        wanted = message.wanted
        session, task, repository = await load_work(self._storage, message.session_id)
        async with self._locks.of(repository.id):
            host = self._hosts.of(repository)
            begun = self._storage.intended(Discarding)
            if begun is not None:
                return await self._begun_before_a_crash(begun, host, session, repository, wanted)
            await check_unused(self._storage, host, repository, Path(session.cwd))
            checkout = await open_folder(host, session, repository)
            if not checkout.linked:
                raise Conflict("The main checkout has changes of others, too. Nothing is taken.")
            kept = await keep_work(checkout, f"Discarded: {task.title}", head=wanted.head_sha)

            def keep(tx: Transaction) -> Discarding:
                row = discarded.insert(
                    tx,
                    repository_id=repository.id,
                    session_id=session.id,
                    branch_name=kept.branch,
                    head_sha=kept.head,
                    sha=kept.sha,
                    files=len(kept.names),
                    requested_by=wanted.requested_by,
                    expires_at=later(tx.now, KEPT_SECONDS),
                )
                return Discarding(discarded_id=row.id)

            begun = await self._storage.write(keep)
            await take_back(checkout, kept)
            return await self._record(begun, session, wanted)

    async def _record(
        self, begun: Discarding, session: Session, wanted: DiscardRequest
    ) -> DiscardedWork:
        def record(tx: Transaction) -> DiscardedWork:
            done = discarded.update(tx, begun.discarded_id, status="discarded")
            told = WorkDiscarded(
                discarded_id=done.id,
                branch_name=done.branch_name,
                head_sha=done.head_sha,
                sha=done.sha,
                files=done.files,
            )
            tell(tx, session, told, actor=wanted.requested_by)
            return done

        return await self._storage.write(record)

    async def _begun_before_a_crash(
        self,
        begun: Discarding,
        host: Host,
        session: Session,
        repository: Repository,
        wanted: DiscardRequest,
    ) -> DiscardedWork:
        """Go on with it; it stays `kept` if something in the worktree has changed since."""
        row = await self._storage.read(lambda db: discarded.get(db, begun.discarded_id))
        kept = KeptWork(row.branch_name, row.head_sha, row.sha, names=())
        is_taken = False
        with suppress(Conflict):
            await check_unused(self._storage, host, repository, Path(session.cwd))
            checkout = await open_folder(host, session, repository)
            is_taken = await take_back_again(checkout, kept)
        if is_taken:
            return await self._record(begun, session, wanted)
        return await self._storage.write(lambda tx: discarded.get(tx.db, row.id))

    async def restore(self, message: RestoreWork) -> Restored:
        """Make a branch of what was discarded.

        Raises:
            NotFound: nothing of that id was.
            Invalid: the branch cannot have that name.
            Conflict: there is such a branch, or it is kept no longer.
        """
        wanted = message.wanted

        def load(db: Database) -> tuple[DiscardedWork, Session, Repository]:
            row = discarded.get(db, message.discarded_id)
            return (
                row,
                sessions.get(db, row.session_id),
                repositories.get(db, row.repository_id),
            )

        row, session, repository = await self._storage.read(load)
        if row.status == "expired":
            raise Conflict(f"It was kept until {row.expires_at}.")
        branch = wanted.branch_name or f"cc/restored-{row.id}"
        async with self._locks.of(repository.id):
            main = await open_main(self._hosts.of(repository), repository)
            begun = self._storage.intended(Restoring)
            if begun is None or await branch_commit(main, branch) != row.sha:
                await self._storage.intend(Restoring())
                await restore_kept(main, row.sha, branch)

            def record(tx: Transaction) -> Restored:
                told = WorkRestored(discarded_id=row.id, branch_name=branch, sha=row.sha)
                tell(tx, session, told, actor=wanted.requested_by)
                return Restored(branch_name=branch, sha=row.sha)

            return await self._storage.write(record)

    async def expire(self, repository_id: int) -> None:
        """Let go of what was kept for long enough, also where a crash left no row of it."""
        now = now_timestamp()

        def load(db: Database) -> tuple[Repository, set[str], list[tuple[int, str]]]:
            known, due = set[str](), list[tuple[int, str]]()
            for row in discarded.each(
                db, {"repository_id": repository_id, "status": ["kept", "discarded"]}
            ):
                known.add(row.sha)
                if row.expires_at <= now:
                    due.append((row.id, row.sha))
            return repositories.get(db, repository_id), known, due

        repository, known, due = await self._storage.read(load)
        async with self._locks.of(repository_id):
            main = await open_main(self._hosts.of(repository), repository)
            for id_, sha in due:
                await forget_kept(main, sha, KEPT_BELOW)
                await self._storage.write(
                    lambda tx, id_=id_: discarded.update(tx, id_, status="expired")  # type: ignore[misc]
                )
            oldest = from_timestamp(now).timestamp() - KEPT_SECONDS
            await forget_unknown(main, known, KEPT_BELOW, before=oldest)
