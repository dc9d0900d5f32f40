"""Texts of old events are compressed in segments, and come back to the byte."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from command_center.store import (
    EventFilter,
    Readers,
    StoredEvent,
    Transaction,
    Writer,
    event_segments,
    events,
)
from command_center.store.database.checksums import damaged_rows
from command_center.store.event_segments import SIZE
from command_center.store.lists import pages
from tests.made_up import made_up
from tests.store.test_integrity import checked
from tests.store.units import run

OLD, NEW = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"
BEFORE = "2026-01-15T00:00:00.000Z"


def tell_items(tx: Transaction) -> None:
    """Tell two segments of old events, one in five of which is no item, and half of a third."""
    for number in range(SIZE * 5 // 2):
        tx.now = OLD if number < SIZE * 2 else NEW
        kind = "session.started" if number % 5 == 0 else "session.item"
        said = made_up(kind, {"item": {"text": f"Ünd {number} words. " * 20}})
        tx.emit(said, actor="test", session_id=number % 3 + 1, repository_id=1)


def compress_all(writer: Writer, before: str = BEFORE) -> int:
    """Compress until there is nothing more to do; how many segments were made."""
    made = 0
    while run(writer, lambda tx: compress(tx, before)):
        made += 1
    return made


def compress(tx: Transaction, before: str = BEFORE) -> bool:
    packed = events.pack(tx.db, before)
    return packed is not None and events.keep_packed(tx.db, packed)


def read(readers: Readers, wanted: EventFilter = events.EVERYTHING) -> list[StoredEvent]:
    with readers.connection() as db:
        found, following = events.after(db, 0, limit=500, wanted=wanted)
        page = events.page(db, limit=500, wanted=wanted, newest_first=True)
    assert following is None
    assert [event.body for event in found] == [bytes(item) for item in reversed(page.items)]
    return found


def bare(readers: Readers) -> list[int]:
    """The events whose texts are no longer in the log."""
    with readers.connection() as db:
        return [id_ for (id_,) in db.execute("SELECT id FROM events WHERE body = ''")]


def test_what_was_compressed_is_read_as_it_was_and_only_old_items_are(
    writer: Writer, readers: Readers
) -> None:
    run(writer, tell_items)
    asked = (EventFilter(), EventFilter(session_id=2), EventFilter(types=("session.item",)))
    before = [read(readers, wanted) for wanted in asked]
    assert 2 == compress_all(writer)
    assert before == [read(readers, wanted) for wanted in asked]
    old_items = [e.id for e in before[0] if e.id <= SIZE * 2 and e.type == "session.item"]
    assert old_items == bare(readers)
    with readers.connection() as db:
        assert db.execute("PRAGMA freelist_count").fetchone()[0] > 0
        packed = db.execute("SELECT sum(length(texts)) FROM event_segments").fetchone()[0]
        assert packed * 5 < sum(len(e.body) for e in before[0] if e.id in old_items)
        assert before[0][1].body[-99:-1].decode().endswith(events.piece(db, 2).text[-20:])
        assert [] == list(damaged_rows(db))
    assert 0 == compress_all(writer, "2026-03-01T00:00:00.000Z")  # a segment is whole, or is not


def test_a_segment_that_is_cut_off_leaves_the_log_as_it_was(
    writer: Writer, readers: Readers
) -> None:
    run(writer, tell_items)
    before = read(readers)

    def cut_off(tx: Transaction) -> None:
        compress(tx)
        assert tx.db.execute("SELECT count(*) FROM events WHERE body = ''").fetchone() == (80,)
        raise LookupError("it ends here")

    with pytest.raises(LookupError):
        run(writer, cut_off)
    assert ([], before) == (bare(readers), read(readers))
    assert 2 == compress_all(writer)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET body = '' WHERE id = 222",
        "UPDATE events SET type = 'x' WHERE id = 1",
        "UPDATE events SET body = '{}' WHERE id = 102",
        "DELETE FROM events WHERE id = 2",
        "DELETE FROM events WHERE id = 222",
    ],
)
def test_nothing_else_of_the_log_can_be_changed(writer: Writer, change: str) -> None:
    run(writer, tell_items)
    compress_all(writer)
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        run(writer, lambda tx: tx.db.execute(change))


@pytest.mark.parametrize(
    "texts", ["x'00'", "zeroblob(4)", "substr(texts, 1, length(texts) - 9)", "upper(texts)"]
)
def test_a_segment_that_the_disk_has_changed_is_told_as_damaged(
    path: Path, writer: Writer, readers: Readers, texts: str
) -> None:
    run(writer, tell_items)
    before = read(readers)
    compress_all(writer)
    with sqlite3.connect(path) as other:
        changed = f"UPDATE event_segments SET texts = CAST({texts} AS BLOB)"  # noqa: S608 - constants
        other.execute(f"{changed} WHERE last_event = 100")
    other.close()
    after = read(readers)
    assert before[SIZE:] == after[SIZE:]
    for was, now in zip(before[:SIZE], after[:SIZE], strict=True):
        assert now == was if was.type != "session.item" else now.type == "event.damaged"
    with readers.connection() as db:
        assert ["event_segments 100"] == list(damaged_rows(db))


def disk_changes(path: Path, *changes: str) -> None:
    """Change events past the server."""
    with sqlite3.connect(path) as other:
        (trigger,) = other.execute(
            "SELECT sql FROM sqlite_schema WHERE name = 'events_are_never_changed'"
        ).fetchone()
        other.execute("DROP TRIGGER events_are_never_changed")
        for change in changes:
            other.execute(f"UPDATE events SET {change}")  # noqa: S608 - constants
        other.execute(trigger)
    other.close()


@pytest.mark.parametrize("change", ["body = body || ' '", "correlation_id = CAST(x'ff' AS TEXT)"])
def test_an_event_that_is_damaged_is_not_moved_and_the_others_are(
    path: Path, writer: Writer, readers: Readers, change: str
) -> None:
    run(writer, tell_items)
    disk_changes(path, f"{change} WHERE id = 2")
    assert 2 == compress_all(writer)
    assert [3, 4, 5, 7] == bare(readers)[:4]
    assert "event.damaged" == read(readers)[1].type


def test_a_clock_that_was_ahead_holds_nothing_up(writer: Writer, readers: Readers) -> None:
    def tell(tx: Transaction) -> None:
        for number in range(SIZE * 3 + 50):
            tx.now = "2099-01-01T00:00:00.000Z" if number in {99, 150} else OLD
            tx.emit(made_up("session.item", {"n": number}), actor="test")

    run(writer, tell)
    assert 3 == compress_all(writer)
    assert SIZE * 3 == len(bare(readers))


def test_a_segment_is_bounded_by_its_bytes_and_so_is_what_a_page_unpacks(
    writer: Writer, readers: Readers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(tx: Transaction) -> None:
        tx.now = OLD
        for number in range(SIZE):
            text = f"{number} " * (20 if number % 10 == 0 else 20_000)
            tx.emit(made_up("session.item", {"text": text}), actor="t", session_id=number % 10 + 1)

    run(writer, tell)
    before = [(event.id, event.body) for event in one_by_one(readers, EventFilter())]
    made = compress_all(writer)
    assert before == [(event.id, event.body) for event in one_by_one(readers, EventFilter())]
    with readers.connection() as db:
        segments = event_segments.Segments(db)
        for (last,) in db.execute("SELECT last_event FROM event_segments").fetchall():
            unpacked = segments.unpacked
            assert segments.text(last)
            assert segments.unpacked - unpacked <= event_segments.BYTES + SIZE * 16
        assert 10 < made
        assert event_segments.next_event(db) > SIZE - 10  # the rest is not yet a segment
        small = EventFilter(session_id=1)
        assert (10, None) == counted(events.after(db, 0, wanted=small))
        monkeypatch.setattr(pages, "SCANNED_BYTES", event_segments.BYTES)
        count, following = counted(events.after(db, 0, wanted=small))
        assert count < 4
        assert following is not None


def counted(found: tuple[list[StoredEvent], int | None]) -> tuple[int, int | None]:
    return len(found[0]), found[1]


def one_by_one(readers: Readers, wanted: EventFilter) -> list[StoredEvent]:
    """Read the events page by page."""
    read_so_far: list[StoredEvent] = []
    following: int | None = 0
    while following is not None:
        with readers.connection() as db:
            found, following = events.after(db, following, wanted=wanted)
        read_so_far += found
    return read_so_far


def test_what_was_packed_is_moved_only_if_the_log_still_has_it(
    path: Path, writer: Writer, readers: Readers
) -> None:
    run(writer, tell_items)
    with readers.connection() as db:
        packed = events.pack(db, BEFORE)
    assert packed is not None
    disk_changes(path, "correlation_id = CAST(x'ff' AS TEXT) WHERE id = 2")
    assert not run(writer, lambda tx: events.keep_packed(tx.db, packed))
    assert [] == bare(readers)
    with readers.connection() as db:
        again = events.pack(db, BEFORE)
    assert again is not None
    assert run(writer, lambda tx: events.keep_packed(tx.db, again))
    assert not run(writer, lambda tx: events.keep_packed(tx.db, again))


def test_a_check_of_the_file_compares_what_was_compressed(path: Path, writer: Writer) -> None:
    run(writer, tell_items)
    compress_all(writer)
    assert ([], []) == checked(path)
    disk_changes(
        path,
        "body = '' WHERE id = 1",  # which is no item
        "session_id = 77 WHERE id = 2",
        "checksum = 1 WHERE id = 7",
        "body = '' WHERE id = 222",
    )
    assert ([], ["events 1", "events 222", "events 2", "events 7"]) == checked(path)
