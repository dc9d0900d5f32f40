"""The whole file is read beside the service, and before it only after an end without order."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from command_center.store import (
    CorruptDatabase,
    DataFolderLock,
    Transaction,
    Writer,
    integrity,
    log_identity,
    take_claim,
)
from command_center.store.integrity import CheckedPiece, FileCheck
from tests.made_up import made_up
from tests.store.units import add_session, run, tell

EVENTS = 600
PAGE = 4096


def fill(tx: Transaction) -> None:
    """Write a session and as many events as take some pages."""
    session = add_session(tx)
    for _ in range(EVENTS):
        tx.emit(made_up("thing.happened"), actor="test", session_id=session.id)


def live(
    path: Path, work: Callable[[Transaction], object] = tell, *, is_killed: bool = False
) -> None:
    """Live a life of a server; one that is killed leaves its files as `kill -9` does."""
    with DataFolderLock(path.parent) as lock:
        writer = Writer(path, is_checked=True, claim=take_claim(path, lock))
        run(writer, work)
        beside = [path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-mark")]
        left = {file: file.read_bytes() for file in beside} if is_killed else {}
        writer.close()
        for file, content in left.items():
            file.write_bytes(content)


def spoil(path: Path, event_id: int, *, is_seen: bool) -> None:
    """Have the disk forget the page of an event; nobody sees that by the file's time."""
    before, content = path.stat(), bytearray(path.read_bytes())
    page = content.index(b'{"id":%d,' % event_id) // PAGE * PAGE
    content[page : page + 8] = bytes(8)
    path.write_bytes(content)
    if not is_seen:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def checked(path: Path) -> tuple[list[str], list[str]]:
    """Check the whole file: what is wrong with its structure, and its damaged rows."""
    check = FileCheck(path)
    pieces: list[CheckedPiece] = []
    while (piece := check.next_piece()) is not None:
        pieces.append(piece)
    check.close()
    assert sum(piece.rows for piece in pieces) >= 1 or any(piece.structure for piece in pieces)
    return [s for p in pieces for s in p.structure], [d for p in pieces for d in p.damaged]


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with events on many pages, closed in order."""
    path.parent.mkdir()
    live(path, fill)
    return path


def test_a_file_that_was_closed_in_order_is_not_read_to_its_end_and_is_found_damaged_beside(
    filled: Path,
) -> None:
    spoil(filled, 5, is_seen=False)
    live(filled)
    structure, _ = checked(filled)
    assert structure[0].startswith("events: ")


def test_a_file_that_was_changed_since_it_was_closed_is_read_to_its_end(filled: Path) -> None:
    spoil(filled, 5, is_seen=True)
    with pytest.raises(CorruptDatabase):
        live(filled)


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("long", [integrity.LONG, 0])
def test_a_file_that_was_found_to_be_damaged_is_read_to_its_end_by_the_next_starts(
    filled: Path, monkeypatch: pytest.MonkeyPatch, long: int, *, is_killed: bool
) -> None:
    monkeypatch.setattr(integrity, "LONG", long)
    whole = filled.read_bytes()
    spoil(filled, 5, is_seen=False)
    with DataFolderLock(filled.parent) as lock:
        claim = take_claim(filled, lock)
        writer = Writer(filled, is_checked=True, claim=claim)
        claim.note_damage()
        run(writer, tell)  # the claim holds
        mark = log_identity.mark_of(filled)
        left = mark.read_bytes()
        writer.close()
        if is_killed:
            mark.write_bytes(left)
    for _ in range(2):
        with pytest.raises(CorruptDatabase):
            live(filled)
    filled.write_bytes(whole)
    mark.write_bytes(mark.read_bytes().replace(b"%020d" % (EVENTS + 1), b"%020d" % EVENTS))
    live(filled)
    assert log_identity.FormerLife(is_closed=True, began_after=EVENTS) == (
        log_identity.former_life(filled)
    )


def test_after_an_end_without_order_the_file_is_read_to_its_end(filled: Path) -> None:
    live(filled, is_killed=True)
    spoil(filled, 5, is_seen=False)
    with pytest.raises(CorruptDatabase):
        live(filled)


def test_of_a_long_file_is_read_then_what_the_life_has_changed(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "LONG", 0)
    live(filled, fill, is_killed=True)
    fold(filled)
    assert log_identity.FormerLife(is_closed=False, began_after=EVENTS) == (
        log_identity.former_life(filled)
    )
    whole = filled.read_bytes()
    spoil(filled, EVENTS + 50, is_seen=False)
    with pytest.raises(CorruptDatabase):
        live(filled)
    filled.write_bytes(whole)
    spoil(filled, 5, is_seen=False)
    live(filled)  # what was damaged long ago is found beside the service
    assert checked(filled)[0]


def fold(path: Path) -> None:
    """Fold what is in SQLite's log into the file."""
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    conn.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE sessions SET sandbox = 'workspace-write'", ["sessions 1"]),
        ("UPDATE events SET body = '{}' WHERE id = 501", ["events 501"]),
        ("UPDATE events SET body = CAST(x'ff' AS TEXT), type = body WHERE id = 7", ["events 7"]),
        ("UPDATE tasks SET title = CAST(x'ff' AS TEXT)", ["tasks 1"]),
        ("DELETE FROM events WHERE id IN (3, 4)", ["events 3 is missing"]),
        ("UPDATE claim SET renewed = 'now'", []),
    ],
)
def test_rows_that_are_not_as_they_were_written_are_named(
    filled: Path, change: str, told: list[str]
) -> None:
    with sqlite3.connect(filled) as conn:
        conn.executescript(
            "DROP TRIGGER events_are_never_changed; DROP TRIGGER events_are_never_removed;"
        )
        conn.execute(change)
    conn.close()
    assert ([], told) == checked(filled)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE times_of_events SET latest = '2000' WHERE thousand = 1", "times_of_events 1"),
        ("DELETE FROM times_of_events WHERE thousand = 0", "times_of_events 0"),
        ("INSERT INTO times_of_events VALUES (2, '2000', '2001')", "times_of_events 2"),
        ("UPDATE thousands_of_events SET count = 7 WHERE thousand = 1", "thousands_of_events 1"),
    ],
)
def test_what_was_noted_of_the_log_is_compared_with_it(
    writer: Writer, path: Path, change: str, told: str
) -> None:
    def tell_many(tx: Transaction) -> None:
        for _ in range(2300):
            tx.emit(made_up("x.y"), actor="t", repository_id=1)

    run(writer, tell_many)
    assert ([], []) == checked(path)
    with sqlite3.connect(path) as conn:
        conn.execute(change)
    conn.close()
    assert ([], [told]) == checked(path)


def test_a_piece_in_hand_ends_when_the_check_is_closed(filled: Path) -> None:
    check = FileCheck(filled)
    ended: list[str] = []

    def endless() -> Generator[CheckedPiece, None, None]:
        sql = (
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
        )
        begun.set()
        yield check._db.execute(sql).fetchone()

    def read() -> None:
        try:
            check.next_piece()
        except sqlite3.OperationalError as error:
            ended.append(str(error))

    begun, check._pieces = threading.Event(), endless()
    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(10)
    check.close()
    thread.join(10)
    assert ["interrupted"] == ended
    assert check.next_piece() is None
