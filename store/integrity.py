"""The check of a whole file, in pieces, and of what a life that ended badly has changed.

SQLite's ``quick_check`` reads a file to its end, and our checksums are compared row by row: both
take a time that grows with the file. So a start does neither where the file was closed in order.
`FileCheck` does both beside the service. Each of its pieces is a snapshot of its own, so that the
log can be folded into the database between two of them; nobody who writes waits for it.

After an end without order the whole file is read before the service, unless it is long. SQLite's
log keeps a file whole over any such end, if the disk did as it said. So of a long one is read what
a disk that lied would have lost: the events of that life, and the records of which they tell.
"""

import sqlite3
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from sqlite_utils import Database

from command_center.store import event_cut, event_notes, events, totals
from command_center.store.database.checksums import damage_of_tables, damaged_rows
from command_center.store.database.opening import open_for_reading
from command_center.store.database.sqlite_errors import is_corruption, raise_unread, words_of
from command_center.store.database.word_indexes import WORD_INDEXES, damaged_index
from command_center.store.derived import TOTALS
from command_center.store.errors import CorruptDatabase
from command_center.store.log_identity import FormerLife

LONG: Final = 256 * 1024 * 1024
"""Bytes from which on a file is not read to its end before the service; a third of a second."""

ROWS: Final = 500
"""Rows of a piece."""

MOST: Final = 20
"""Damages of the structure of a table that are told."""

AGAIN_SECONDS: Final = 0.1
"""Seconds after which a piece that has not ended is interrupted once more."""

_CHANGED: Final = {
    "repositories": ("id", "repository_id"),
    "automations": ("id", "automation_id"),
    "tasks": ("id", "task_id"),
    "sessions": ("id", "session_id"),
    "items": ("session_id", "session_id"),
    "approvals": ("id", "approval_id"),
}
"""The records that events tell of: the column, and the events' that names it."""


class CheckedPiece(NamedTuple):
    """A piece of a check.

    Attributes:
        rows: the rows whose checksums were compared.
        seconds: how long it took.
        structure: what is wrong with the file, in SQLite's words.
        damaged: the tables and numbers of rows that are not as they were written.
        derived: what is not as what it is made of says, and can be made anew (`derived`).
    """

    rows: int
    seconds: float
    structure: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()


def is_long(path: Path, former: FormerLife) -> bool:
    """Say whether only what the former life has changed is read before the service."""
    return former.began_after is not None and path.stat().st_size >= LONG


def refuse_damaged_changes(db: Database, path: Path, former: FormerLife) -> None:
    """Read what a life has changed, by the events that tell of it.

    Raises:
        CorruptDatabase: some of it cannot be read, or an event is missing.
        sqlite3.Error: the machine fails.
    """
    after = max(former.began_after or 0, event_cut.removed_up_to(db))
    found = db.execute("SELECT count(*), max(id) FROM events WHERE id > ?", [after]).fetchone()
    if found[0] and found[0] != found[1] - after:
        raise CorruptDatabase(path, f"events are missing after event {after}")
    conditions = damage_of_tables(db)
    _read_through(db, f"events WHERE id > ? AND {events.IS_DAMAGED}", after)
    for table, (column, subject) in _CHANGED.items():
        told = f"SELECT {subject} FROM events WHERE id > ? AND {subject} IS NOT NULL"  # noqa: S608 - constants
        _read_through(db, f"{table} WHERE {column} IN ({told}) AND {conditions[table]}", after)


def _read_through(db: Database, rows: str, after: int) -> None:
    """Read rows to find out that they can be; a damaged one is told when somebody uses it."""
    try:
        db.execute(f"SELECT count(*) FROM {rows}", [after]).fetchone()  # noqa: S608 - constants
    except sqlite3.OperationalError as error:
        if not _is_of_a_row(error):
            raise


def _is_of_a_row(error: sqlite3.OperationalError) -> bool:
    """Say whether a row has a text that is none, so that it has no checksum."""
    return "user-defined function" in str(error)


class FileCheck:
    """A check of a whole file: the structure of each table, then the rows.

        check = FileCheck(path)
        while (piece := check.next_piece()) is not None:
            print(piece.damaged)
        check.close()

    A piece may be taken in any thread, one at a time; `close` ends the one in hand.
    """

    def __init__(self, path: Path, *, is_of_log: bool = False) -> None:
        """Check all of it, or the events and what is noted or summed alone."""
        self._db = open_for_reading(path)
        self._pieces = self._log() if is_of_log else self._all()
        self._lock = threading.Lock()
        self._is_closed = False

    def next_piece(self) -> CheckedPiece | None:
        """Check the next piece; None after the last.

        Raises:
            sqlite3.Error: the machine fails, or somebody closes the check.
            MemoryError: there is no memory left.
        """
        with self._lock:
            if self._is_closed:
                return None
            self._db.execute("BEGIN")  # all of a piece is of one snapshot
            try:
                return next(self._pieces, None)
            finally:
                self._db.conn.rollback()

    def close(self) -> None:
        """Have the piece in hand end with an error, and close the connection."""
        self._is_closed = True
        self._db.conn.interrupt()
        while not self._lock.acquire(timeout=AGAIN_SECONDS):
            self._db.conn.interrupt()  # the piece had not begun when it was interrupted
        with closing(self._db):
            self._pieces.close()
        self._lock.release()

    def _all(self) -> Generator[CheckedPiece, None, None]:
        for name in self._names("sqlite_schema WHERE type = 'table' AND rootpage > 0"):
            yield self._structure(name)
        for name in WORD_INDEXES:
            yield self._structure(name)
        without_numbers = set(self._names("pragma_table_list WHERE wr = 1"))  # which are short
        yield CheckedPiece(0, 0.0, damaged=tuple(damaged_rows(self._db, without_numbers)))
        for name, is_damaged in damage_of_tables(self._db).items():
            if name not in without_numbers:
                yield from self._rows(name, is_damaged)
        yield from self._log()

    def _totals(self) -> Iterator[CheckedPiece]:
        for name, kind in TOTALS.items():
            begun = time.perf_counter()
            try:
                wrong = bool(totals.differences(self._db, kind))
            except sqlite3.DatabaseError as error:
                if not is_corruption(error):
                    raise
                wrong = False  # the rows that it cannot be compared with are told of
            seconds = time.perf_counter() - begun
            yield CheckedPiece(0, seconds, derived=(name,) if wrong else ())

    def _log(self) -> Generator[CheckedPiece, None, None]:
        yield from self._totals()
        yield from self._rows(events.TABLE, events.IS_DAMAGED)
        thousand: int | None = 0
        while thousand is not None:
            begun = time.perf_counter()
            try:
                thousand = max(thousand, event_cut.removed_up_to(self._db) // 1000)
                wrong, thousand = event_notes.wrong_notes(self._db, thousand)
            except sqlite3.DatabaseError as error:
                if not is_corruption(error):
                    raise
                told = (f"{events.TABLE}: {words_of(error)}",)
                yield CheckedPiece(0, time.perf_counter() - begun, structure=told)
                return
            yield CheckedPiece(0, time.perf_counter() - begun, damaged=tuple(wrong))

    def _names(self, source: str) -> list[str]:
        found = self._db.execute(f"SELECT name FROM {source}").fetchall()  # noqa: S608 - constants
        return [name for (name,) in found]

    def _structure(self, table: str) -> CheckedPiece:
        begun = time.perf_counter()
        quoted = table.replace('"', '""')
        told: list[str] = []
        try:
            with closing(self._db.execute(f'PRAGMA quick_check("{quoted}")')) as found:
                told = [line for (line,) in found.fetchmany(MOST) if line != "ok"]
            for line in told:
                raise_unread(line)
        except sqlite3.DatabaseError as error:
            if not is_corruption(error):
                raise
            told = [words_of(error)]
        derived = tuple(index for line in told if (index := damaged_index(line)) is not None)
        told = [f"{table}: {line}" for line in told if damaged_index(line) is None]
        seconds = time.perf_counter() - begun
        return CheckedPiece(0, seconds, structure=tuple(told), derived=derived)

    def _rows(self, table: str, is_damaged: str) -> Iterator[CheckedPiece]:
        last = 0
        while True:
            begun = time.perf_counter()
            try:
                if table == events.TABLE:
                    last = max(last, event_cut.removed_up_to(self._db))
                rows = self._read(table, is_damaged, last)
                lost = self._lost(table, last, rows)
            except sqlite3.DatabaseError as error:
                if not is_corruption(error):
                    raise
                told = (f"{table}: {words_of(error)}",)
                yield CheckedPiece(0, time.perf_counter() - begun, structure=told)
                return
            if not rows:
                return
            wrong = [f"{table} {id_}" for id_, is_wrong in rows if is_wrong]
            wrong += [f"{table} {id_}" for id_ in lost if f"{table} {id_}" not in wrong]
            if table == events.TABLE and rows[-1][0] != last + len(rows):  # its ids have no gaps
                there = {id_ for id_, _ in rows}
                gaps = (id_ for id_ in range(last + 1, rows[-1][0]) if id_ not in there)
                wrong.append(f"{table} {next(gaps)} is missing")
            last = rows[-1][0]
            yield CheckedPiece(len(rows), time.perf_counter() - begun, damaged=tuple(wrong))

    def _lost(self, table: str, last: int, rows: list[tuple[int, bool]]) -> list[int]:
        """Return which rows have a text elsewhere that is not as it was written."""
        if table != events.TABLE or not rows:
            return []
        return events.lost_texts(self._db, last, rows[-1][0])

    def _read(self, table: str, is_damaged: str, last: int) -> list[tuple[int, bool]]:
        """Read the numbers of the next rows, and whether each is damaged."""
        sql = f"SELECT rowid, {is_damaged} FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - names of the schema
        try:
            return self._db.execute(sql, [last, ROWS]).fetchall()
        except sqlite3.OperationalError as error:
            if not _is_of_a_row(error):
                raise
        numbers = f"SELECT rowid FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT ?"  # noqa: S608 - as above
        return [
            (id_, self._is_damaged(table, is_damaged, id_))
            for (id_,) in self._db.execute(numbers, [last, ROWS]).fetchall()
        ]

    def _is_damaged(self, table: str, is_damaged: str, id_: int) -> bool:
        sql = f"SELECT {is_damaged} FROM {table} WHERE rowid = ?"  # noqa: S608 - as above
        try:
            found = self._db.execute(sql, [id_]).fetchone()
        except sqlite3.OperationalError as error:
            if not _is_of_a_row(error):
                raise
            return True
        return bool(found is not None and found[0])
