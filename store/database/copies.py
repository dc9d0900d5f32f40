"""Copies of a database: whole, checked, and one file, also while others write."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from sqlite_utils import Database

from command_center.store.database.sqlite_errors import FAULTS, raise_unread


def copy_database(db: Database, target: Path) -> None:
    """Copy the whole database, its WAL included, to a file for its owner alone.

    The copy bears its name only once it is whole, checked and on the disk; what stood there before
    is replaced then. Others may write meanwhile: the copy is of the moment at which it began.

    Raises:
        OSError: the system refuses.
        sqlite3.Error: the database cannot be read, or the copy is damaged.
        MemoryError: there is no memory left.
    """
    partial = target.with_suffix(".partial")
    try:
        target.parent.mkdir(mode=0o700, exist_ok=True)
        _remove(partial, *files_beside(partial))
        create_private_file(partial)
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            db.conn.backup(copy)
            # A copy is to be one file: no WAL beside it.
            copy.execute("PRAGMA journal_mode = DELETE")
            _check_copy(copy)
        _remove(*files_beside(partial))
        with partial.open("rb+") as whole:
            os.fsync(whole.fileno())
        partial.replace(target)
    except (OSError, *FAULTS):
        with suppress(OSError):
            _remove(partial, *files_beside(partial))
        raise


def create_private_file(path: Path) -> None:
    """Make a file, readable by its owner alone; SQLite gives its WAL the same rights."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def files_beside(path: Path) -> list[Path]:
    """Return the files that SQLite may have beside a database."""
    return [path.with_name(f"{path.name}{suffix}") for suffix in ("-journal", "-wal", "-shm")]


def _remove(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _check_copy(copy: sqlite3.Connection) -> None:
    """Do nothing if the copy can be relied on.

    Raises:
        sqlite3.DatabaseError: it is damaged, or cannot be read.
        MemoryError: there is no memory left.
    """
    (damage,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    raise_unread(damage)
    if damage != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {damage}")
