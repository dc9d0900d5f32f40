"""The replica of the writer's commits: each is sent before it is acknowledged.

SQLite writes its log and leaves the flush to the sender, which flushes in a thread of its own while
the commit is on its way: one waits for the longer of the two. A commit that was sent and then lost
with the power of this machine does no harm. A centre that begins again takes what the others have.

The log is folded into the database only when what it has was sent. So a database whose log is taken
away has nothing that the others have not.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from command_center.store.database.opening import open_for_reading
from command_center.store.database.sqlite_errors import FAULTS
from command_center.store.errors import NotReplicated, StoreUnavailable
from command_center.store.private_files import flush_data, sync_folder
from command_center.store.replication.errors import ChangesMissed
from command_center.store.replication.pieces import cut
from command_center.store.replication.read_lease import ReadLease
from command_center.store.replication.wal import WalReader

FOLD_BYTES: Final = 4 * 1024 * 1024
"""Bytes of SQLite's log from which on it is folded into the database."""


class PageSender:
    """Sends the pages of each commit, in pieces.

    Args:
        path: the database.
        send: takes a piece, and returns once the others have it; it raises NotReplicated.
        commit: the number of the last commit that the others have.
        limit: bytes of the longest piece, before it is closed.
        close: encrypts a piece.
        lease: told when a commit may be seen, and when the others have it.
        fold_bytes: bytes of SQLite's log from which on it is folded into the database.
    """

    def __init__(
        self,
        path: Path,
        send: Callable[[bytes], None],
        *,
        commit: int,
        limit: int,
        close: Callable[[bytes], bytes] = bytes,
        lease: ReadLease | None = None,
        fold_bytes: int = FOLD_BYTES,
    ) -> None:
        self.commit = commit
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._send = send
        self._limit = limit
        self._close = close
        self._lease = lease
        self._fold_bytes = fold_bytes
        self._db: Database | None = None
        self._reader: WalReader | None = None
        self._failed: str | None = None
        self._wanted: Callable[[int, Database], None] | None = None
        self._flushing = ThreadPoolExecutor(1, "flush of the log")

    def base_wanted(self, take: Callable[[int, Database], None]) -> None:
        """Have a base made after the next commit. Any thread may call it.

        Args:
            take: called in the writer's thread, and soon over: with the number of the last commit
                that was sent, and a connection of its own that reads the database as it is then,
                for as long as it is open.
        """
        self._wanted = take

    def opened(self, db: Database) -> None:
        """Take the connection that writes. What the database has now, the others must have.

        Raises:
            LogBusy: the log cannot be folded into the database now.
            NotReplicated: it was opened before. What the log has since then, nobody knows.
        """
        if self._reader is not None:
            self._failed = self._failed or "the database was opened again"
            raise NotReplicated(self._failed)
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("PRAGMA synchronous = NORMAL")  # flushes when the log is folded, and not before
        self._db = db
        self._reader = WalReader(db, self._path)
        sync_folder(self._path.parent)  # the name of the log

    def committing(self) -> None:
        """Hold back whoever reads from now on, until the others have it, too."""
        if self._lease is not None:
            self._lease.committing()

    def withdrawn(self) -> None:
        """Hold nobody back any more: nothing came of the commit."""
        if self._lease is not None:
            self._lease.committed()

    def committed(self) -> None:
        """Send what was committed since the last call; return once the others and the disk have it.

        Raises:
            NotReplicated: they may not have it, or not what was before.
        """
        if self._failed is not None or self._reader is None:
            raise NotReplicated(self._failed or "no database was opened")
        try:
            changes = self._reader.take()
            if changes is None:
                self._settle_unchanged()
                return
            is_flushed = self._flushing.submit(flush_log, self._log)
            for piece in cut(changes, self.commit + 1, self._limit):
                self._send(self._close(piece))
            is_flushed.result()
        except (NotReplicated, ChangesMissed, OSError) as error:
            self._failed = str(error)
            raise NotReplicated(self._failed) from error
        except BaseException as error:
            self._failed = f"it was cut short ({type(error).__name__})"
            raise
        self.commit += 1
        if self._lease is not None:
            self._lease.committed()
        self._fold()
        if self._wanted is not None:
            with suppress(*FAULTS):  # then it is made after the next one
                db = open_for_reading(self._path)
                db.execute("BEGIN")
                db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                self._wanted(self.commit, db)
                self._wanted = None

    def _settle_unchanged(self) -> None:
        """Return once what was read may be told, such as the conflict that a unit has met.

        Nothing was sent by which an old leader would have been told that it leads no more.
        """
        self.withdrawn()
        if self._lease is not None:
            try:
                self._lease.settle()
            except StoreUnavailable as error:
                raise NotReplicated(str(error)) from error

    def _fold(self) -> None:
        """Fold the log into the database, if it is long; one that cannot be now is next time."""
        if self._db is not None and self._log.stat().st_size >= self._fold_bytes:
            with suppress(*FAULTS):
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def flush_log(log: Path) -> None:
    """Return when all that SQLite wrote to its log is on the disk.

    Raises:
        OSError: nobody knows whether it is.
    """
    descriptor = os.open(log, os.O_RDWR)
    try:
        flush_data(descriptor)
    finally:
        os.close(descriptor)
