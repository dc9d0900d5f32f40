"""Writing the database's file anew, so that it is as short as what it has.

Files of older versions need it once: only then can pages that are freed later be given back one by
one (`queries.file_size`). SQLite does it in one transaction, so a kill leaves the file as it was.
"""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from command_center.store.database.opening import open_database, opening_error
from command_center.store.database.sqlite_errors import FAULTS
from command_center.store.errors import DatabaseClaimed, NoRoomToCompact
from command_center.store.ownership.claim import is_open_elsewhere
from command_center.store.ownership.lock import DataFolderLock, refuse_centre
from command_center.store.queries.file_size import used_bytes

ROOM: Final = 2.1
"""Bytes of room for each byte that is kept: its copy, and the log of the copy."""


def compact_database(folder: Path, database: Path) -> tuple[int, int]:
    """Write a database anew; return the bytes of its file before and now.

    Args:
        folder: the data folder, of a server that does not run.
        database: its database.

    Raises:
        NoRoomToCompact: the disk has no room for a copy. Nothing was changed.
        DataFolderInUse, DatabaseClaimed: a server runs there.
        DataFolderUnusable: the folder cannot be locked, or is of a cluster.
        CannotOpenDatabase, CorruptDatabase, NewerSchema: the database cannot be used.
    """
    with DataFolderLock(folder):
        refuse_centre(folder)
        if is_open_elsewhere(database.resolve()):
            raise DatabaseClaimed(database, None)
        before = database.stat().st_size
        with closing(open_database(database)) as db:
            needed, free = int(used_bytes(db) * ROOM), shutil.disk_usage(folder).free
            if free < needed:
                raise NoRoomToCompact(folder, needed, free)
            # Its copy may be larger than the memory, or than the disk of temporary files. SQLite
            # has read its environment when Python loaded it, so that is not the way to tell it.
            quoted = str(folder.resolve()).replace("'", "''")
            try:
                for sql in (
                    f"PRAGMA temp_store_directory = '{quoted}'",
                    "PRAGMA temp_store = FILE",
                    "PRAGMA auto_vacuum = INCREMENTAL",
                    "VACUUM",
                    "PRAGMA wal_checkpoint(TRUNCATE)",
                ):
                    db.execute(sql).fetchall()
            except FAULTS as error:
                raise opening_error(database, error) from error
            finally:
                with suppress(*FAULTS):  # it is the whole process's
                    db.execute("PRAGMA temp_store_directory = ''").fetchall()
        return before, database.stat().st_size
