"""Snapshots: the files of a worktree as they were after each turn, and the way back to them.

A session's worktree is kept before anybody works there and at the end of each session; where one
has several turns for its goal, at the end of the last. What is in the main checkout is not, as it
has changes of others, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import attrs
import structlog
from sqlite_utils import Database

from command_center.actors.contracts.events.repositories import SnapshotFailed, WorkRewound
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.contracts.snapshots import (
    KeepSnapshot,
    ListSnapshots,
    RewindRequest,
    RewindWork,
    Rewound,
)
from command_center.actors.core.locks import KeyedLocks
from command_center.actors.core.storage import OutsideAct, Storage
from command_center.actors.git.errors import StepCutOff
from command_center.actors.git.kept_work import KeptWork, forget_kept, forget_unknown
from command_center.actors.git.ports import Checkout
from command_center.actors.git.rewinding import (
    MOST_KEPT_BYTES,
    SNAPSHOTS_BELOW,
    count_beyond,
    put_back,
    take_snapshot,
    unstage,
)
from command_center.actors.ledger.sessions import tell
from command_center.actors.repositories.discards import KEPT_SECONDS
from command_center.actors.repositories.main_checkout import open_main
from command_center.actors.repositories.seen_changes import load_work, open_folder
from command_center.actors.repositories.worktree_checks import (
    RunningTurns,
    check_no_turn,
    check_unused,
)
from command_center.actors.rules.errors import Conflict, NotFound
from command_center.runtime import Refusal
from command_center.store import (
    Page,
    Repository,
    Session,
    Snapshot,
    Transaction,
    from_timestamp,
    now_timestamp,
    repositories,
    sessions,
    snapshots,
)
from command_center.store.queries.removal import remove_snapshot, remove_snapshots

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

MOST: Final = 50
"""Snapshots that are kept of a worktree, the newest."""

ALWAYS: Final = 2
"""Those that are kept whatever they have: what was put back, and what that undoes."""


class Rewinding(OutsideAct, frozen=True, kw_only=True):
    """The files are about to be put back; what they were is kept."""

    before_id: int
    target_id: int


@attrs.frozen
class Snapshots:
    """The work behind the messages; each public method answers one of them."""

    _storage: Storage
    _hosts: Hosts[Host]
    _locks: KeyedLocks
    _turns: RunningTurns

    async def begin(self, session: Session) -> None:
        """Keep what a worktree is like before anybody works there, or say why it was not kept."""
        if not _has_worktree(session):
            return
        if not await self._storage.read(lambda db: snapshots.count(db, _place(session))):
            async with self._locks.of(session.repository_id):
                await self._keep(session.id, "start", None)

    async def keep(self, message: KeepSnapshot) -> None:
        """Keep what a worktree is like after a turn, or say why it was not kept.

        Who prepares the next turn there waits for it, as both take the repository's lock.
        """
        async with self._locks.of(message.repository_id):
            await self._keep(message.session_id, "turn", message.turn_id)

    async def _keep(self, session_id: int, moment: str, turn_id: str | None) -> None:
        try:
            session, _, repository = await load_work(self._storage, session_id)
            if _has_worktree(session):
                await self._take(session, repository, moment, turn_id)
        except Refusal as error:
            log.info("snapshot.not_taken", session=session_id, reason=str(error))

    async def _take(
        self, session: Session, repository: Repository, moment: str, turn_id: str | None
    ) -> None:
        try:
            checkout = await open_folder(self._hosts.of(repository), session, repository)
            if not checkout.linked:
                return
            kept = await take_snapshot(checkout, f"After session {session.id}")
        except Refusal as error:
            told = SnapshotFailed(turn_id=turn_id, path=session.cwd, problem=str(error))
            await self._storage.write(lambda tx: tell(tx, session, told))
        else:
            made = await self._storage.write(lambda tx: _row(tx, session, kept, moment, turn_id))
            await self._let_go_of_the_oldest(checkout, made)

    async def list(self, message: ListSnapshots) -> Page[Snapshot]:
        """List what is kept of a worktree, behind whoever keeps the turn that has just ended.

        Raises:
            NotFound: there is no such session.
        """

        def read(db: Database) -> Page[Snapshot]:
            return snapshots.page(
                db,
                _place(session),
                limit=message.limit,
                cursor=message.cursor,
                newest_first=True,
            )

        session = await self._storage.read(lambda db: sessions.get(db, message.session_id))
        async with self._locks.of(session.repository_id):
            return await self._storage.read_long(read)

    async def rewind(self, message: RewindWork) -> Rewound:
        """Put the files back, and keep what they were.

        Raises:
            NotFound: there is no such session, or no such snapshot of its worktree.
            Conflict: it is the main checkout, a session works in the folder or a turn runs there,
                it is gone, or as `take_snapshot` and `put_back`. Then nothing is put back.
            StepCutOff: as `put_back`. What the files were is kept as `snapshotId`.
            Unavailable: where turns run cannot be said now.
        """
        wanted = message.wanted
        session, _, repository = await load_work(self._storage, message.session_id)
        async with self._locks.of(repository.id):  # behind whoever keeps the turn that just ended
            begun = self._storage.intended(Rewinding)
            target = await self._storage.read(
                lambda db: (
                    _find(db, session, wanted)
                    if begun is None
                    else snapshots.get(db, begun.target_id)
                )
            )
            host = self._hosts.of(repository)
            folder = Path(session.cwd)
            await check_unused(self._storage, host, repository, folder)
            await check_no_turn(self._turns, host, folder)
            checkout = await open_folder(host, session, repository)
            if not checkout.linked:
                raise Conflict("The main checkout has changes of others, too. Nothing is put back.")
            before_id = None if begun is None else begun.before_id
            if before_id is None:
                saying = f"Before files of session {session.id} were put back"
                kept = await take_snapshot(checkout, saying, head=wanted.head_sha)

                def keep(tx: Transaction) -> Rewinding:
                    left = _row(tx, session, kept, "left", None)
                    return Rewinding(before_id=left.id, target_id=target.id)

                before_id = (await self._storage.write(keep)).before_id
            before = await self._storage.read(lambda db: snapshots.get(db, before_id))
            try:
                await put_back(checkout, before.sha, target.sha)
            except StepCutOff as error:  # it may be the only copy of what was there
                raise StepCutOff(
                    f"{error} What they were is kept as snapshot {before.id}: put it back once "
                    "nothing is in the way.",
                    **error.facts,
                    snapshotId=before.id,
                ) from error
            except Conflict:
                if begun is None:  # nothing is put back, so that this is nothing to go back to
                    with suppress(Refusal):
                        await self._let_go(checkout, [before])
                raise
            files = await unstage(checkout)

            def record(tx: Transaction) -> Rewound:
                now = KeptWork(before.branch_name, before.head_sha, target.sha, files)
                made = _row(tx, session, now, "rewind", target.turn_id)
                told = WorkRewound(
                    snapshot_id=made.id,
                    before_id=before.id,
                    turn_id=made.turn_id,
                    path=made.path,
                    branch_name=made.branch_name,
                    head_sha=made.head_sha,
                    sha=made.sha,
                    files=made.files,
                )
                tell(tx, session, told, actor=wanted.requested_by)
                return Rewound(snapshot=made, before=before)

            rewound = await self._storage.write(record)
            await self._let_go_of_the_oldest(checkout, rewound.snapshot)
            return rewound

    async def _let_go_of_the_oldest(self, checkout: Checkout, newest: Snapshot) -> None:
        """Keep no more of a worktree than a number and so many bytes; log why that failed."""
        place: dict[str, int | str] = {"repository_id": newest.repository_id, "path": newest.path}
        rows = await self._storage.read(lambda db: snapshots.every(db, place))
        rows.sort(key=lambda row: row.id)
        surplus = max(len(rows) - MOST, 0)
        try:
            kept = [row.sha for row in rows[surplus:]]
            surplus += min(
                await count_beyond(checkout, kept, MOST_KEPT_BYTES), max(len(kept) - ALWAYS, 0)
            )
            await self._let_go(checkout, rows[:surplus])
        except Refusal as error:
            log.info("snapshot.oldest_stay", path=newest.path, reason=str(error))

    async def _let_go(self, checkout: Checkout, rows: Sequence[Snapshot]) -> None:
        """Remove rows, and keep the commits no longer that no other row has."""

        def remove(tx: Transaction) -> list[str]:
            for row in rows:
                remove_snapshot(tx, row.id)
            return [
                row.sha
                for row in rows
                if not snapshots.count(tx.db, {"repository_id": row.repository_id, "sha": row.sha})
            ]

        if rows:
            for sha in dict.fromkeys(await self._storage.write(remove)):
                await forget_kept(checkout, sha, SNAPSHOTS_BELOW)

    async def tidy(self, repository_id: int) -> None:
        """Let go of snapshots of worktrees that are gone, and of old ones that nobody knows."""

        def load(db: Database) -> tuple[Repository, dict[str, set[str]]]:
            found = defaultdict[str, set[str]](set)
            for row in snapshots.each(db, {"repository_id": repository_id}):
                found[row.path].add(row.sha)
            return repositories.get(db, repository_id), found

        async with self._locks.of(repository_id):
            repository, kept = await self._storage.read(load)
            host = self._hosts.of(repository)
            folders = {path: Path(path) for path in kept}
            gone = {
                path
                for path, folder in folders.items()
                if not await host.folders.same(folder, folder)
            }

            def remove(tx: Transaction) -> None:
                for path in gone:
                    remove_snapshots(tx, repository_id, path)

            if gone:
                await self._storage.write(remove)
            main = await open_main(host, repository)
            known = {sha for path, shas in kept.items() if path not in gone for sha in shas}
            oldest = from_timestamp(now_timestamp()).timestamp() - KEPT_SECONDS
            await forget_unknown(main, known, SNAPSHOTS_BELOW, before=oldest)


def _has_worktree(session: Session) -> bool:
    return session.worktree_path is not None and not session.worktree_reserved


def _place(session: Session) -> dict[str, int | str]:
    return {"repository_id": session.repository_id, "path": session.cwd}


def _row(
    tx: Transaction, session: Session, kept: KeptWork, moment: str, turn_id: str | None
) -> Snapshot:
    return snapshots.insert(
        tx,
        repository_id=session.repository_id,
        session_id=session.id,
        path=session.cwd,
        turn_id=turn_id,
        moment=moment,
        branch_name=kept.branch,
        head_sha=kept.head,
        sha=kept.sha,
        files=len(kept.names),
    )


def _find(db: Database, session: Session, wanted: RewindRequest) -> Snapshot:
    named: dict[str, int | str] = {}
    if wanted.turn_id is not None:
        named["turn_id"] = wanted.turn_id
    if wanted.snapshot_id is not None:
        named["id"] = wanted.snapshot_id
    where = {**_place(session), **(named or {"moment": "left"})}
    found = snapshots.find(db, where, newest_first=True)
    if found is None:
        name = wanted.snapshot_id or wanted.turn_id or "before files were put back"
        raise NotFound("Snapshot", str(name))
    return found
