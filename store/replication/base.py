"""The copy with which replication begins: the database page by page, at one moment."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlite_utils import Database

from command_center.store.private_files import new_private_file

_COOKIE: Final = 40
_COOKIE_BYTES: Final = 4


def write_base(db: Database, target: Path) -> int:
    """Write the database to a new file, with each page in its place, and flush it.

    Return the bytes of its pages.

    Nothing may be written meanwhile by the connection; what it wrote before is in the file. Only
    such a copy can take changed pages: one by ``VACUUM INTO`` has its rows on other pages.

    Raises:
        FileExistsError: there is a file already; ``remove_copy`` removes one with all beside it.
        OSError: the system refuses.
        sqlite3.Error: the database cannot be read.
    """
    if target.exists():
        # What stands beside it would be taken for what belongs to this one.
        raise FileExistsError(target)
    new_private_file(target).close()
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("PRAGMA journal_mode = MEMORY")
        db.conn.backup(copy)
    with target.open("r+b") as file:
        # SQLite counts its schema on in what it copies; here it must be the same.
        (cookie,) = db.execute("PRAGMA schema_version").fetchone()
        file.seek(_COOKIE)
        file.write(cookie.to_bytes(_COOKIE_BYTES, "big"))
        file.flush()
        os.fsync(file.fileno())
    (page_size,) = db.execute("PRAGMA page_size").fetchone()
    return int(page_size)
