"""The copy with which replication begins has each page in its place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from command_center.store.replication.base import write_base
from tests.store.replication.ends import content, open_wal


def test_a_base_has_each_page_in_its_place_also_those_of_the_log(tmp_path: Path) -> None:
    db = open_wal(tmp_path / "db")
    with closing(db.conn):
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
        for _ in range(50):
            db.execute("INSERT INTO t (v) VALUES (randomblob(3000))")
        db.execute("DELETE FROM t WHERE id % 3 = 0")
        write_base(db, tmp_path / "base")
        expected = content(tmp_path / "db")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    ours, theirs = ((tmp_path / name).read_bytes() for name in ("db", "base"))
    assert len(ours) == len(theirs)
    # SQLite counts changes in the first page's header (bytes 24 to 27, and 92 to 99).
    assert ours[:24] + ours[28:92] + ours[100:] == theirs[:24] + theirs[28:92] + theirs[100:]
    assert expected == content(tmp_path / "base")


def test_a_base_does_not_take_the_place_of_a_copy(tmp_path: Path) -> None:
    (tmp_path / "base").touch()
    db = open_wal(tmp_path / "db")
    with closing(db.conn), pytest.raises(FileExistsError):
        write_base(db, tmp_path / "base")


def test_a_base_cannot_be_made_where_the_system_refuses(tmp_path: Path) -> None:
    db = open_wal(tmp_path / "db")
    with closing(db.conn), pytest.raises((OSError, sqlite3.Error)):
        write_base(db, tmp_path / "nowhere" / "base")
