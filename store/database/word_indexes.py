"""Indexes of words (FTS5), which are made of what stands in other tables and can be made anew.

SQLite's checks tell of one that is damaged, and a write to it fails. Nothing is lost then: the
texts stand in their tables. So such a file is not refused: the index is made anew.
"""

import re
import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlite_utils import Database

from command_center.store.database.text_match import SEARCHED, lowered_texts

_FILLED_BY: Final[Mapping[str, str]] = {
    **{
        f"{table}_search": (
            f"INSERT INTO {table}_search (rowid, text) "  # noqa: S608 - constants
            f"SELECT id, {lowered_texts(table, columns)} FROM {table}"
        )
        for table, columns in SEARCHED.items()
    },
    **{
        name: f"INSERT INTO {name} ({name}) VALUES ('rebuild')"  # noqa: S608 - constants
        for name in ("texts_search", "thread_texts_search")
    },
}

WORD_INDEXES: Final = tuple(_FILLED_BY)
"""The names of all indexes of words."""

_TOLD: Final = re.compile(
    r"(?:inverted index for FTS5 table main\.|vtable constructor failed: )(\w+)"
)


def damaged_index(line: str) -> str | None:
    """Return the index that a line of SQLite's check, or its error, tells of; None for no index."""
    found = _TOLD.search(line)
    return found[1] if found is not None and found[1] in _FILLED_BY else None


def is_of_an_index(error: BaseException) -> bool:
    """Say whether an index of words is damaged, or does not fit what it is made of."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_CORRUPT_VTAB


def make_index_anew(db: Database, name: str) -> None:
    """Make an index of words anew, in the transaction of the caller.

    FTS5 neither opens nor empties one whose own structure is damaged. So it is told that there is
    nothing in it, and is dropped.
    """
    (made_by,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", [name]).fetchone()
    empty = f"INSERT OR REPLACE INTO {name}_data (id, block) VALUES (10, zeroblob(7))"  # noqa: S608 - one of ours
    for sql in (empty, f"DROP TABLE {name}", made_by, _FILLED_BY[name]):
        db.execute(sql)
