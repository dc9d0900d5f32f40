"""A row that the disk has changed is told as damaged, and is never data."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlite_utils import Database

from command_center.store import (
    CannotOpenDatabase,
    CorruptDatabase,
    DamagedRecord,
    NewerSchema,
    Readers,
    Transaction,
    Writer,
    approvals,
    events,
    open_database,
    repositories,
    sessions,
    tasks,
    trusted_configurations,
)
from command_center.store.database.checksums import COLUMN, damaged_rows, sealed_tables
from command_center.store.database.opening import open_for_reading
from tests.store.units import add_session, run, tell

TABLES = (repositories, tasks, sessions, approvals)
DIGEST = "d" * 64


def fill(tx: Transaction) -> None:
    """Write some of each, as a server would."""
    for number in range(20):
        session = add_session(tx, prompt=f"Look at part {number}. " * 9)
        approvals.insert(
            tx, kind="command", title=f"Run {number}?", requested_by="c", session_id=session.id
        )
        sessions.update(tx, session.id, status="running", last_message="Looking. " * number)
        tell(tx)
    trusted_configurations.offer(tx, 1, DIGEST, {"config.toml": "model = 'x'\n" * 20})
    trusted_configurations.trust(tx, 1, DIGEST, approval_id=1)


def change(path: Path, sql: str, *arguments: object) -> None:
    """Change the file as no writer of ours does."""
    with sqlite3.connect(path) as conn:
        conn.executescript("DROP TRIGGER events_are_never_changed")
        conn.execute(sql, arguments)
    conn.close()


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    db = open_for_reading(path)
    try:
        yield db
    finally:
        db.close()


@pytest.fixture
def filled(path: Path) -> Path:
    writer = Writer(path, busy_timeout=0)
    run(writer, fill)
    writer.close()
    return path


def test_a_record_that_was_changed_is_damaged_and_no_other_is(filled: Path) -> None:
    change(filled, "UPDATE approvals SET status = 'approved' WHERE id = 3")
    with reading(filled) as db:
        with pytest.raises(DamagedRecord, match="Approval 3 is damaged"):
            approvals.get(db, 3)
        with pytest.raises(DamagedRecord):
            approvals.every(db, {"status": "approved"})
        assert 4 == approvals.get(db, 4).id


def test_a_record_that_was_changed_cannot_be_changed_again(filled: Path) -> None:
    change(filled, "UPDATE sessions SET sandbox = 'workspace-write' WHERE id = 2")
    writer = Writer(filled, busy_timeout=0)
    with pytest.raises(DamagedRecord, match="Session 2 is damaged"):
        run(writer, lambda tx: sessions.update(tx, 2, status="completed"))
    run(writer, lambda tx: sessions.update(tx, 3, status="completed"))
    writer.close()


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("words", [None, "t"])
@pytest.mark.parametrize("limit", [1, 2, 3, 20])
def test_pages_leave_out_what_is_damaged_and_name_it_once(
    filled: Path, limit: int, words: str | None, *, newest_first: bool
) -> None:
    change(filled, "UPDATE tasks SET priority = 'high' WHERE id IN (1, 4, 5, 20)")
    found: list[int] = []
    damaged: list[int] = []
    cursor: str | None = None
    with reading(filled) as db:
        for _ in range(30):
            page = tasks.page(
                db, {}, limit=limit, cursor=cursor, newest_first=newest_first, words=words
            )
            assert len(page.items) <= limit
            found += [task.id for task in page.items]
            damaged += page.damaged or []
            cursor = page.next_cursor
            if cursor is None:
                break
    assert cursor is None
    whole = [number for number in range(1, 21) if number not in {1, 4, 5, 20}]
    assert sorted(found, reverse=newest_first) == found
    assert (whole, [1, 4, 5, 20]) == (sorted(found), sorted(damaged))


@pytest.mark.parametrize("text", [b"caf\xe9", b"\xff"])
def test_a_text_that_is_none_any_more_is_damaged(filled: Path, text: bytes) -> None:
    change(filled, "UPDATE tasks SET prompt = CAST(? AS TEXT) WHERE id = 5", text)
    with reading(filled) as db:
        with pytest.raises(DamagedRecord, match="Task 5 is damaged"):
            tasks.get(db, 5)
        assert 6 == tasks.get(db, 6).id


@pytest.mark.parametrize(
    "changed", ["type = 'task.removed'", "session_id = 7", "body = replace(body, 'thing', 'thong')"]
)
def test_an_event_that_was_changed_is_told_as_damaged_in_its_place(
    filled: Path, changed: str
) -> None:
    change(filled, f"UPDATE events SET {changed} WHERE id = 4")  # noqa: S608
    with reading(filled) as db:
        page = [msgspec.json.decode(item) for item in events.page(db, limit=100).items]
        stored = events.after(db, 0, limit=100)[0]
    assert [*range(1, 21)] == [event["id"] for event in page] == [event.id for event in stored]
    for found in (page[3], msgspec.json.decode(stored[3].body)):
        assert {"id": 4, "type": "event.damaged", "actor": "store"}.items() <= found.items()
    assert ["event.damaged"] == [event.type for event in stored if event.type != stored[0].type]


@pytest.mark.parametrize("changed", ["digest = 'other'", "trusted_at = '2000'", "texts = '{}'"])
def test_what_was_trusted_and_then_changed_is_not_trusted(filled: Path, changed: str) -> None:
    with reading(filled) as db:
        assert trusted_configurations.is_trusted(db, 1, DIGEST)
    change(filled, f"UPDATE trusted_configurations SET {changed}")  # noqa: S608
    with reading(filled) as db:
        assert not trusted_configurations.is_trusted(db, 1, DIGEST)
        assert not trusted_configurations.is_trusted(db, 1, "other")
        assert {} == trusted_configurations.last_texts(db, 1)


def test_sql_that_changes_many_rows_keeps_them_sealed(writer: Writer, readers: Readers) -> None:
    run(writer, fill)
    run(writer, lambda tx: tx.db.execute("UPDATE sessions SET result = '{}' WHERE id > 5"))
    run(writer, lambda tx: tx.db.execute("DELETE FROM approvals WHERE id = 1"))
    with readers.connection() as db:
        assert [] == [*damaged_rows(db)]
        assert trusted_configurations.is_trusted(db, 1, DIGEST)  # its approval is null now
        assert {} == sessions.get(db, 6).result


def test_what_was_there_before_there_were_checksums_has_them(path: Path) -> None:
    open_database(path).close()
    with sqlite3.connect(path) as conn:  # as the version before left it
        conn.executescript("DROP TRIGGER events_are_never_changed;")
        later = {"removed_events"}  # it came with a checksum, and says where the log begins
        for table in {*sealed_tables(Database(conn)), "events"} - later:
            conn.execute(f"ALTER TABLE {table} DROP COLUMN {COLUMN}")
        conn.executescript(
            "CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events"
            " BEGIN SELECT RAISE(ABORT, 'no'); END;"
        )
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0020_checksums'")
        row = ("2026", "2026", "a", "local", "/srv/a", 1, 0, 0, 0, "{}")
        conn.execute(
            "INSERT INTO repositories (created_at, updated_at, name, host, local_path, allow_write,"
            " allow_network, allow_commit, require_worktree, facts) VALUES (?,?,?,?,?,?,?,?,?,?)",
            row,
        )
        body = '{"id":1,"type":"repo.scanned"}'
        conn.execute(
            "INSERT INTO events (id, type, ts, body) VALUES (1, 'repo.scanned', '2026', ?)", [body]
        )
    conn.close()
    with open_database(path) as opened:
        assert "/srv/a" == repositories.get(opened, 1).local_path
        assert [body.encode()] == [event.body for event in events.after(opened, 0, limit=9)[0]]


def test_a_migration_does_not_seal_what_is_damaged(filled: Path) -> None:
    change(filled, "UPDATE tasks SET title = 'another' WHERE id = 5")
    with sqlite3.connect(filled) as conn:
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0020_checksums'")
    conn.close()
    with pytest.raises(CorruptDatabase, match="tasks 5 is not as it was written"):
        open_database(filled)


def read_all(path: Path) -> list[Any]:
    """Read every record and event, as a server does."""
    db = open_database(path)
    try:
        found: list[Any] = [
            attempt(partial(table.get, db, number)) for table in TABLES for number in range(1, 21)
        ]
        stored = {event.id: event for event in events.after(db, 0, limit=100)[0]}
        found += [stored.get(number) for number in range(1, 21)]
        return [*found, trusted_configurations.is_trusted(db, 1, DIGEST)]
    finally:
        db.close()


def attempt(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (DamagedRecord, LookupError, sqlite3.DatabaseError) as error:
        return error


def flip(path: Path, whole: bytes, bit: int) -> None:
    """Write the file with one bit the other way round."""
    changed = bytearray(whole)
    changed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(changed)


@pytest.mark.parametrize(
    "bits", [200, pytest.param(6_000, marks=[pytest.mark.chaos, pytest.mark.timeout(3600)])]
)
def test_of_bits_that_flip_in_the_file_none_is_served(filled: Path, bits: int) -> None:
    whole, before = filled.read_bytes(), read_all(filled)
    outcomes = {"refused": 0, "told": 0, "as it was": 0}
    chance = random.Random(17)  # noqa: S311 - the same bits each time
    for _ in range(bits):
        bit = chance.randrange(len(whole) * 8)
        flip(filled, whole, bit)
        try:
            after = read_all(filled)
        except (CannotOpenDatabase, CorruptDatabase, NewerSchema, sqlite3.DatabaseError):
            outcomes["refused"] += 1
            continue
        told = 0
        for was, now in zip(before, after, strict=True):
            is_told = (
                isinstance(now, Exception)
                or now is False
                or (getattr(now, "type", "") == "event.damaged")
            )
            assert is_told or was == now, (bit, was, now)
            told += is_told
        outcomes["told" if told else "as it was"] += 1
    print(outcomes)  # noqa: T201 - figures for who asks for them
    assert min(outcomes["refused"], outcomes["told"]) > 0
