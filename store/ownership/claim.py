"""The claim: the authority of one process over a database, wherever that is reached from.

The lock in the data folder keeps a second process away that uses the same folder. It says nothing
where the lock's file was removed, or where the database has a second name in another folder. So the
database itself says who has claimed it, and three things hold together:

- A start looks for another process that has the database open, by SQLite's own locks, which belong
  to the file whatever its name is. If there is one, the claim says who it is; the start is refused.
  Whoever only looks into the file keeps no server from starting again: if the claim was made under
  the very lock that is held now, its holder is dead, since the system had let go of the lock.
- Each transaction of the holder reads the claim. If another process has claimed the database since,
  it is the one that counts, whatever the holder believes.
- Each commit is acknowledged only if the lock, the database and what lies beside it (its log, the
  log's index and the mark) still stand under their names. What was committed to a file that nobody
  will find again was not committed, and without its index another program writes over a log.

The claim is renewed while the server lives, with a commit that comes anyway or by one of its own.
So a server that has nothing to do notices, too, and a look into the file tells how long ago it
lived.
"""

import os
import platform
import sqlite3
import time
import weakref
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
from sqlite_utils import Database

from command_center.store import integrity, log_identity
from command_center.store.database.opening import OnStep, open_database, opening_error
from command_center.store.database.sqlite_errors import (
    FAULTS,
    is_corruption,
    is_held,
    is_of_the_machine,
)
from command_center.store.errors import CannotOpenDatabase, ClaimLost, DatabaseClaimed
from command_center.store.ownership.lock import DataFolderLock, check_in_place
from command_center.store.replica import Replica
from command_center.store.timestamps import from_timestamp, now_timestamp

RENEW_SECONDS = 15.0
"""Seconds after which the claim is renewed."""

_ABANDONED = timedelta(seconds=4 * RENEW_SECONDS)
"""The age of a claim of another machine's that nobody renews any more."""


_READ = "SELECT pid, host, folder, since, renewed, lock FROM claim"


@attrs.frozen
class ClaimHolder:
    """The process that has claimed a database.

    Attributes:
        host: the name of its machine.
        folder: its data folder.
        since: when it claimed it, as a timestamp.
        renewed: when it last renewed the claim, as a timestamp.
    """

    pid: int
    host: str
    folder: str
    since: str
    renewed: str

    def __str__(self) -> str:
        return (
            f"process {self.pid} on {self.host} (data folder {self.folder}, since {self.since}, "
            f"last heard of at {self.renewed})"
        )


@attrs.define(eq=False)
class DatabaseClaim:
    """A claim that was made, as its holder checks and renews it. It belongs to the writer's thread.

    Attributes:
        life: the random name of the holder's life.
        is_damaged: the file was found to be damaged since, so that the next start has to read all
            of it. Any thread may say so (`note_damage`).
        keeps_log: SQLite leaves the log's files where they are when the database is closed.
    """

    life: str
    _database: Path
    _lock: DataFolderLock
    _identity: os.stat_result
    keeps_log: bool = True
    _beside: dict[Path, os.stat_result] = attrs.field(factory=dict)
    _log: list[sqlite3.Connection] = attrs.field(factory=list)
    """The connection that keeps the log's files, while there is one."""
    _renewed: float = attrs.field(factory=time.monotonic)
    is_damaged: bool = attrs.field(default=False, init=False)

    @property
    def is_due(self) -> bool:
        """Return whether it is to be renewed."""
        return time.monotonic() - self._renewed >= RENEW_SECONDS

    def opened(self) -> None:
        """Note the files that the connection has opened beside the database."""
        # SQLite's lie beside the file that a link leads to.
        file = self._database.resolve()
        paths = (Path(f"{file}-wal"), Path(f"{file}-shm"), log_identity.mark_of(self._database))
        self._beside = {path: path.stat() for path in paths if path.exists()}
        if self.keeps_log:
            self.keep_log()

    def keep_log(self) -> None:
        """Have SQLite leave the log's files where they are, until `closed`.

        The last connection that closes a database removes them, unless it only reads: this one does
        and closes last. What sandboxes hide is to stay: a file that was removed is hidden no more,
        and a command whose sandbox is made in that moment fails.
        """
        if self._log:
            return
        address = f"{self._database.absolute().as_uri()}?mode=ro"
        with suppress(*FAULTS):  # who opens it in earnest says what is wrong with it
            conn = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
            weakref.finalize(self, conn.close)
            self._log.append(conn)
            conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def closed(self) -> None:
        """Leave the log's files: the writer's connection has been closed."""
        while self._log:
            self._log.pop().close()

    def check_holder(self, db: Database) -> None:
        """Do nothing if the claim is still this one, in a transaction that may write.

        Raises:
            ClaimLost: another process has claimed the database.
        """
        found = db.conn.execute("SELECT life FROM claim").fetchone()
        if found is None or found[0] != self.life:
            row = db.conn.execute(_READ).fetchone()
            raise ClaimLost(self._database, f"it was claimed by {ClaimHolder(*row[:-1])}")

    def check_files(self) -> None:
        """Do nothing if the lock, the database and the files beside it have their names.

        Raises:
            ClaimLost: one was removed, or another file stands in its place.
        """
        self._lock.check()
        check_in_place(self._database, self._identity, self._database)
        for path, known in self._beside.items():
            check_in_place(path, known, self._database)

    def renew(self, db: Database) -> None:
        """Renew it, in a transaction."""
        db.conn.execute("UPDATE claim SET renewed = ?", [now_timestamp()])
        self._renewed = time.monotonic()

    def is_whole(self, db: Database) -> bool:
        """Say whether the file is this process's still, and was not found to be damaged."""
        try:
            self.check_holder(db)
            self.check_files()
        except ClaimLost:
            return False
        return not self.is_damaged

    def note_damage(self) -> None:
        """Note that the file is damaged: the next start reads all of it, however this life ends.

        Raises:
            OSError: the mark cannot be written; then only an end in order keeps it.
        """
        self.is_damaged = True
        log_identity.note_damage(self._database)

    def note_end(self) -> None:
        """Note that the file was closed in order; where that cannot be, the next start reads it."""
        with suppress(OSError):
            log_identity.note_end(self._database, self.life)


def take_claim(
    database: Path,
    lock: DataFolderLock,
    *,
    replica: Replica | None = None,
    on_step: OnStep = bool,
) -> DatabaseClaim:
    """Open the database, make it this process's, and settle which log it is.

    The database is checked and migrated by ``open_database``, which see for what else is raised. A
    file that was closed in order is not read to its end, nor is a long one that was not: of that is
    read what the life before has changed (``integrity``). One that was found to be damaged is read
    to its end, however long it is.

    With a replica, what is changed here is sent before this returns. The database is a copy then,
    each page of which was held against its checksum, and it is the replica that keeps others away:
    the claim in it is that of the centre that led before.

    Of what takes long with a large file, `on_step` is told before it begins.

    Raises:
        DatabaseClaimed: another process has it.
        NotReplicated: the replica may not have what was changed.
        AcknowledgedLost: the database lacks events that were acknowledged.
        CannotOpenDatabase: the mark beside it cannot be written.
    """
    if replica is not None:
        if is_open_elsewhere(database):
            raise DatabaseClaimed(database, None)
        with closing(
            open_database(
                database, is_sound=True, before_migrations=replica.opened, on_step=on_step
            )
        ) as db:
            # The mark is flushed at once. It may not be ahead of the life that it tells of.
            db.execute("PRAGMA synchronous = FULL")
            life = _write_claim(db, database, lock, replica)
        return DatabaseClaim(life, database, lock, database.stat(), keeps_log=False)
    former = log_identity.former_life(database) if database.exists() else None
    _refuse_while_held(database, lock)
    is_sound = (
        former is not None
        and not former.is_damaged
        and (former.is_closed or integrity.is_long(database, former))
    )
    with closing(open_database(database, is_sound=is_sound, on_step=on_step)) as db:
        try:
            if is_sound and former is not None and not former.is_closed:
                integrity.refuse_damaged_changes(db, database, former)
            life = _write_claim(db, database, lock)
        except FAULTS as error:
            raise opening_error(database, error) from error
        claim = DatabaseClaim(life, database, lock, database.stat())
        claim.keep_log()
    return claim


def _write_claim(
    db: Database, database: Path, lock: DataFolderLock, replica: Replica | None = None
) -> str:
    """Begin a life of the database, claim it for that, and return the life's name."""
    try:
        life = log_identity.begin_life(db, database)
    except OSError as error:
        reason = f"its mark cannot be kept: {error.strerror}"
        raise CannotOpenDatabase(database, reason) from error
    now = now_timestamp()
    db.execute(
        "INSERT OR REPLACE INTO claim VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        [life, os.getpid(), platform.node(), str(lock.folder), lock.identity, now, now],
    )
    if replica is not None:
        replica.committed()
    # Who reaches the file by another name does not see the log: the claim stands in the file.
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return life


def _refuse_while_held(database: Path, lock: DataFolderLock) -> None:
    if not database.exists() or not database.stat().st_size:
        return
    found = _claim_in(database)
    if found is not None and found[1] == lock.identity:
        return
    is_open = is_open_elsewhere(database)
    if found is None:
        if is_open:
            raise DatabaseClaimed(database, None)
        return
    holder, _ = found
    age = datetime.now(UTC) - from_timestamp(holder.renewed)
    is_fresh_elsewhere = holder.host != platform.node() and age < _ABANDONED
    if is_open or is_fresh_elsewhere:
        raise DatabaseClaimed(database, str(holder))


def is_open_elsewhere(database: Path) -> bool:
    """Say whether another connection has the database, whatever folder it was reached from.

    SQLite gives the whole file to nobody while another has it open.

    Raises:
        CannotOpenDatabase: the machine does not tell.
    """
    try:
        with closing(sqlite3.connect(database, timeout=0, isolation_level=None)) as conn:
            conn.execute("PRAGMA locking_mode = EXCLUSIVE")
            conn.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except FAULTS as error:
        if is_held(error):
            return True
        _refuse_without_answer(database, error)
    return False


def forget_claim(database: Path) -> None:
    """Have a copy of a database be nobody's, so that any server may claim it.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("DELETE FROM claim")


def _refuse_without_answer(database: Path, error: Exception) -> None:
    """Refuse the start if the machine failed, so that nobody knows whether another has the file.

    That a file is damaged, or no database of ours, is told by who opens it in earnest.
    """
    if is_of_the_machine(error) and not is_corruption(error):
        raise opening_error(database, error) from error


def _claim_in(database: Path) -> tuple[ClaimHolder, str] | None:
    """Read the claim in the file alone, without its log and without a lock."""
    address = f"{database.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as conn:
            row = conn.execute(_READ).fetchone()
    except FAULTS as error:
        _refuse_without_answer(database, error)
        return None
    return None if row is None else (ClaimHolder(*row[:-1]), row[-1])
