"""The pages that a commit changed, read from SQLite's own log."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from command_center.store.replication.errors import ChangesMissed, LogBusy
from command_center.store.replication.wal import WalReader
from tests.store.replication.ends import open_wal


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    made = open_wal(tmp_path / "db")
    with closing(made.conn):
        made.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB)")
        yield made


@pytest.fixture
def reader(db: Database, tmp_path: Path) -> WalReader:
    return WalReader(db, tmp_path / "db")


def insert(db: Database, rows: int, end: str = "COMMIT", size: int = 3000) -> None:
    db.conn.execute("BEGIN")
    for _ in range(rows):
        db.conn.execute("INSERT INTO t (v) VALUES (randomblob(?))", [size])
    db.conn.execute(end)


def test_a_commit_is_read_once_with_the_length_of_the_database(
    db: Database, reader: WalReader
) -> None:
    assert reader.take() is None
    insert(db, 10)
    changes = reader.take()
    assert changes is not None
    assert [(changes.length,)] == db.execute("PRAGMA page_count").fetchall()
    assert 4096 == changes.page_size
    assert {*range(3, changes.length + 1)} <= changes.places.keys()
    assert reader.take() is None


def test_pages_are_as_they_are_after_the_last_commit(
    db: Database, reader: WalReader, tmp_path: Path
) -> None:
    for _ in range(3):
        insert(db, 5)
    changes = reader.take()
    assert changes is not None
    pages = dict(zip(changes.places, changes.contents([*changes.places]), strict=True))
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    whole = (tmp_path / "db").read_bytes()
    assert len(whole) == changes.length * 4096
    for number, page in pages.items():
        assert whole[(number - 1) * 4096 : number * 4096] == page


def test_what_was_undone_is_not_read_though_the_log_has_it(
    db: Database, reader: WalReader, tmp_path: Path
) -> None:
    db.execute("PRAGMA cache_size = 5")  # so that it is written to the log before it is undone
    insert(db, 200, "ROLLBACK")
    assert (tmp_path / "db-wal").stat().st_size > 200_000
    assert reader.take() is None
    insert(db, 1)
    changes = reader.take()
    assert changes is not None
    assert len(changes.places) < 10
    insert(db, 2)
    assert reader.take() is not None
    assert reader.take() is None


def test_reading_goes_on_when_the_log_begins_anew(db: Database, reader: WalReader) -> None:
    for how in ("PASSIVE", "RESTART", "TRUNCATE", "TRUNCATE"):
        insert(db, 3)
        assert reader.take() is not None
        db.execute(f"PRAGMA wal_checkpoint({how})").fetchall()
        assert reader.take() is None
        insert(db, 1)
        changes = reader.take()
        assert changes is not None
        assert len(changes.places) < 6


def test_a_database_that_became_shorter_is_told_so(db: Database, reader: WalReader) -> None:
    insert(db, 100)
    before = reader.take()
    db.execute("DELETE FROM t")
    db.execute("VACUUM")
    after = reader.take()
    assert before is not None
    assert after is not None
    assert 2 == after.length < before.length
    assert {1, 2} == after.places.keys()


def test_it_begins_with_an_empty_log_or_not_at_all(db: Database, tmp_path: Path) -> None:
    other = open_wal(tmp_path / "db")
    with closing(other.conn):
        other.execute("BEGIN")
        other.execute("SELECT * FROM t").fetchall()
        insert(db, 3)
        db.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(LogBusy):
            WalReader(db, tmp_path / "db")


def test_what_stands_behind_the_last_commit_is_not_read_though_it_looks_committed(
    db: Database, reader: WalReader, tmp_path: Path
) -> None:
    insert(db, 1)
    log = tmp_path / "db-wal"
    whole = log.read_bytes()
    frame = whole[32 : 32 + 24 + 4096]
    # As a commit whose flush failed leaves it: its number, that it is the last one, and the salts.
    forged = (2).to_bytes(4, "big") + (9).to_bytes(4, "big") + frame[8:]
    log.write_bytes(whole + forged)
    changes = reader.take()
    assert changes is not None
    assert [(changes.length,)] == db.execute("PRAGMA page_count").fetchall()
    assert max(changes.places.values()) < len(whole)
    insert(db, 1)
    assert reader.take() is not None


@pytest.mark.parametrize(
    ("place", "words"),
    [(8, "of another one"), (16, "does not end"), (4, "does not end")],
    ids=["salt", "checksum", "commit"],
)
def test_a_log_that_does_not_end_as_its_index_says_is_told(
    db: Database, reader: WalReader, tmp_path: Path, place: int, words: str
) -> None:
    insert(db, 1)
    with (tmp_path / "db-wal").open("r+b") as log:
        log.seek(-(24 + 4096) + place, 2)
        log.write(bytes(4))
    with pytest.raises(ChangesMissed, match=words):
        reader.take()


def test_a_log_that_was_cut_or_is_none_is_told(
    db: Database, reader: WalReader, tmp_path: Path
) -> None:
    insert(db, 3)
    changes = reader.take()
    assert changes is not None
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with pytest.raises(ChangesMissed, match="cut"):
        list(changes.contents([*changes.places]))
    (tmp_path / "db-wal").write_bytes(b"\x00" * 32)
    with pytest.raises(ChangesMissed, match="none of SQLite's"):
        reader.take()
    (tmp_path / "db-wal").write_bytes(b"")


_LOOK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    try:
        fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
    except OSError:
        print("in use")
"""
"""Ask for the lock by which SQLite knows that nobody else has the index."""


@pytest.mark.skipif(sys.platform == "win32", reason="it has no POSIX locks")
def test_the_index_stays_locked_against_who_would_begin_it_anew(
    db: Database, reader: WalReader, tmp_path: Path
) -> None:
    insert(db, 1)
    assert reader.take() is not None
    look = [sys.executable, "-I", "-S", "-c", _LOOK, str(tmp_path / "db-shm")]
    assert "in use\n" == subprocess.run(look, check=True, capture_output=True, text=True).stdout
