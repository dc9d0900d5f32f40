"""Both ends of replication in one process: a database that is written to, and copies of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
from sqlite_utils import Database

from command_center.store.replication.base import write_base
from command_center.store.replication.database_copy import CopyPlace, DatabaseCopy, begin_copy
from command_center.store.replication.pieces import cut
from command_center.store.replication.wal import WalReader


def open_wal(path: Path) -> Database:
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = OFF")
    return Database(conn)


@attrs.define
class Sender:
    """A database, and the pieces of each of its commits."""

    path: Path
    db: Database
    limit: int = 20_000
    commit: int = 0
    sent: list[bytes] = attrs.field(factory=list)
    reader: WalReader = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.reader = WalReader(self.db, self.path)

    def send(self) -> int:
        """Add the pieces of what was committed; return how many they are."""
        changes = self.reader.take()
        if changes is None:
            return 0
        self.commit += 1
        pieces = list(cut(changes, self.commit, self.limit))
        self.sent += pieces
        return len(pieces)

    def base(self, target: Path) -> None:
        """Make a copy of what is there now."""
        write_base(self.db, target)
        (page_size,) = self.db.execute("PRAGMA page_size").fetchone()
        begin_copy(target, CopyPlace(len(self.sent), self.commit, page_size))

    def feed(self, copy: DatabaseCopy, until: int | None = None) -> None:
        """Give the copy what it has not got, by its own word."""
        for sequence in range(copy.last_sequence + 1, (until or len(self.sent)) + 1):
            copy.take(sequence, self.sent[sequence - 1])


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the schema and all rows of a database, table by table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        assert [("ok",)] == db.execute("PRAGMA integrity_check").fetchall()
        schema = db.execute("SELECT * FROM sqlite_schema ORDER BY name").fetchall()
        found: dict[str, list[tuple[Any, ...]]] = {
            "": [(kind, name, sql) for kind, name, _, _, sql in schema]
        }
        for name in _tables(schema):
            found[name] = sorted(db.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608
        return found


def _tables(schema: list[tuple[str, str, str, int, str]]) -> Iterator[str]:
    for kind, name, _, _, sql in schema:
        if kind == "table" and not sql.startswith("CREATE VIRTUAL"):
            yield name


def vacuumed(db: Database, target: Path) -> Path:
    """Write what the database has, as SQLite itself copies it."""
    db.execute("VACUUM INTO ?", [str(target)])
    return target
