"""The schema that the migrations make, held against the records that go into it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlite_utils import Database

from command_center.store import Record, Table, events, open_database, tables
from command_center.store.database.checksums import (
    COLUMN,
    damaged_rows,
    row_checksum,
    seal_rows,
    teach_checksums,
)
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.idempotency_keys import NOT_NOTED
from command_center.store.long_texts.shortening import LONGEST

ALL_TABLES = [table for table in vars(tables).values() if isinstance(table, Table)]


def test_every_record_type_has_one_table() -> None:
    kinds = [kind.__name__ for kind in Record.__subclasses__()]
    assert sorted(kinds) == sorted(table.kind for table in ALL_TABLES)


@pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.name)
def test_a_tables_columns_are_its_records_fields(path: Path, table: Table[Record]) -> None:
    with open_database(path) as db:
        columns = [column.name for column in db[table.name].columns if column.name != COLUMN]
        nullable = {column.name for column in db[table.name].columns if not column.notnull}
    assert [field.name for field in msgspec.structs.fields(table.record)] == columns
    optional = {
        field.name
        for field in msgspec.structs.fields(table.record)
        if type(None) in getattr(field.type, "__args__", ())
    }
    assert optional == nullable - {"id"}


def test_every_table_is_strict_and_every_reference_is_indexed(path: Path) -> None:
    with open_database(path) as db:
        ours = [t for t in db.tables if t.name in {"events", *(t.name for t in ALL_TABLES)}]
        assert len(ALL_TABLES) + 1 == len(ours)
        for table in ours:
            assert table.strict
            indexed = {index.columns[0] for index in table.indexes}
            referring = {key.column for key in table.foreign_keys} - {"last_session_id"}
            assert referring <= indexed, table.name


def test_migrations_are_numbered_in_their_order() -> None:
    """Each number is of one migration; one that was given and not used leaves a gap."""
    with Database(memory=True) as db:
        names = [migration.name for migration in MIGRATIONS.pending(db)]
    numbers = [int(name.split("_")[0]) for name in names]
    assert sorted(set(numbers)) == numbers


def test_of_keys_that_were_claimed_before_notes_nothing_is_noted(path: Path) -> None:
    open_database(path).close()
    with sqlite3.connect(path) as conn:  # as the version before left it
        conn.execute("ALTER TABLE kept_answers DROP COLUMN event_id")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0023_events_of_kept_answers'")
        put(conn, "kept_answers", {"key": "k", "created_at": "t", "request": "r", "instance": "i"})
    conn.close()
    with open_database(path) as db:
        assert [(NOT_NOTED,)] == db.execute("SELECT event_id FROM kept_answers").fetchall()


def test_what_was_long_in_a_row_is_shortened_and_kept_whole(path: Path) -> None:
    open_database(path).close()
    diff, body = "é" * 600_000, {"aggregatedOutput": "x" * 900_000, "exitCode": 3}
    with sqlite3.connect(path) as conn:  # as the version before left it
        teach_checksums(conn)
        shortened = ("sessions", "approvals", "agents", "items")
        for table in shortened:
            conn.execute(f"DROP TRIGGER whole_values_of_{table}")
        conn.execute("DROP TABLE whole_values")
        for table in shortened:
            conn.execute(f"ALTER TABLE {table} DROP COLUMN shortened")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0022_whole_values'")
        repository = {"name": "a", "host": "local", "local_path": "/a", "facts": "{}"}
        put(conn, "repositories", {**ROW, **repository, **flags("write", "network", "commit")})
        task = {"repository_id": 1, "type": "prompt_task", "title": "t", "prompt": "p"}
        put(conn, "tasks", {**ROW, **task, **SAID, "approval_required": 0, **ONCE})
        session = {"task_id": 1, "repository_id": 1, "runner": "stub", "sandbox": "read-only"}
        more = {"cwd": "/a", "prompt": "p", "origin": "run", "attempt": 1, "token_baseline": 0}
        network = {"allow_network": 0, "allow_commit": 0}
        put(conn, "sessions", {**ROW, **session, **more, **SAID, **network, "diff": diff})
        item = {"session_id": 1, "turn_id": "t", "item_id": "i", "type": "commandExecution"}
        put(conn, "items", {**ROW, **item, "status": "completed", "body": json.dumps(body)})
        for table in ("repositories", "tasks", "sessions", "items"):
            seal_rows(Database(conn), table)
    conn.close()
    with open_database(path) as db:
        session_now, item_now = tables.sessions.get(db, 1), tables.items.get(db, 1)
        assert (["diff"], ["body"]) == (session_now.shortened, item_now.shortened)
        assert len(session_now.diff or "") < 70_000
        assert 3 == item_now.body["exitCode"]
        assert diff == tables.sessions.whole(db, session_now, "diff")
        assert body == tables.items.whole(db, item_now, "body")
        assert [] == [*damaged_rows(db)]


def test_what_is_there_keeps_the_workplace_that_it_had(path: Path) -> None:
    open_database(path).close()
    with sqlite3.connect(path) as conn:  # as the version before left it
        teach_checksums(conn)
        for table, column in (
            ("repositories", "workplace"),
            ("sessions", "workplace"),
            ("sessions", "worktree_reserved"),
            ("sessions", "waits_for"),
        ):
            conn.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0024_workplaces'")
        for requires in (0, 1):
            place = {"name": "a", "host": "local", "local_path": f"/{requires}", "facts": "{}"}
            allowed = {**flags("write", "network", "commit"), "require_worktree": requires}
            put(conn, "repositories", {**ROW, **place, **allowed})
        task = {"repository_id": 1, "type": "prompt_task", "title": "t", "prompt": "p"}
        put(conn, "tasks", {**ROW, **task, **SAID, "approval_required": 0, **ONCE})
        session = {"task_id": 1, "runner": "stub", "sandbox": "read-only", "cwd": "/a"}
        more = {"prompt": "p", "origin": "run", "attempt": 1, "token_baseline": 0}
        network = {"allow_network": 0, "allow_commit": 0}
        for repository, worktree, branch in WORKPLACES:
            where = {"repository_id": repository, "worktree_path": worktree, "branch_name": branch}
            put(conn, "sessions", {**ROW, **session, **more, **SAID, **network, **where})
        for table in ("repositories", "tasks", "sessions"):
            seal_rows(Database(conn), table)
    conn.close()
    with open_database(path) as db:
        assert {"main_checkout"} == {r.workplace for r in tables.repositories.every(db, {})}
        found = [session.workplace for session in tables.sessions.every(db, {})]
        assert [*WORKPLACES.values()] == found
        assert [] == [*damaged_rows(db)]


WORKPLACES = {
    (1, None, None): "main_checkout",
    (1, "/0", "main"): "main_checkout",
    (1, "/tree", None): "worktree",
    (1, None, "b"): "worktree",
    (2, None, None): "worktree",
}
"""By repository, path and branch of a session, where it works. The second requires worktrees."""


def test_own_tools_are_off_where_nobody_has_chosen_since_they_are(path: Path) -> None:
    open_database(path).close()
    with sqlite3.connect(path) as conn:  # as the version before left it
        teach_checksums(conn)
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0063_own_tools_off'")
        for number, off in enumerate(([], ["tracker"], ["command_center"], [], []), 1):
            place = {"name": "a", "host": "local", "local_path": f"/{number}", "facts": "{}"}
            row = {**ROW, **place, **flags("write", "network", "commit")}
            put(conn, "repositories", {**row, "mcp_servers_off": json.dumps(off)})
        updated = {"type": "repo.updated", "ts": "2026"}
        for number, repository, name in ((1, 4, "mcpServersOff"), (2, 5, "name")):
            body = {**updated, "data": {"changes": {name: {"from": 1, "to": 2}}}}
            told = {"id": number, "repository_id": repository, "body": json.dumps(body)}
            put(conn, "events", {**updated, **told})
        damaged = {"id": 3, "repository_id": 5, "body": "{damaged"}
        put(conn, "events", {**updated, **damaged})
        seal_rows(Database(conn), "repositories")
    conn.close()
    with open_database(path) as db:
        own = "command_center"
        found = [repository.mcp_servers_off for repository in tables.repositories.every(db, {})]
        assert [[own], ["tracker", own], [own], [], [own]] == found
        assert [] == [one for one in damaged_rows(db) if "repositories" in str(one)]


def test_an_event_that_was_long_is_shortened_and_kept_whole_and_a_damaged_one_stays(
    path: Path,
) -> None:
    open_database(path).close()
    data = {"aggregatedOutput": "é\n" * 500_000, "exitCode": 3}
    with sqlite3.connect(path) as conn:  # as the version before left it
        conn.execute("DELETE FROM _sqlite_migrations WHERE name = '0026_long_events'")
        for number in (1, 2, 3):
            said = {"id": number, "type": "a.b", "ts": "2026", "actor": "a"}
            cause = {"correlationId": None, "causationId": None}
            body = json.dumps({**said, **cause, "data": data if number < 3 else {}})
            row: dict[str, Any] = {"id": number, "type": "a.b", "ts": "2026"}
            subjects = ("repository", "task", "session", "approval", "automation")
            row |= {f"{name}_id": None for name in subjects} | {"correlation_id": None}
            checksum = row_checksum(*row.values(), body.encode()) + (number == 2)
            put(conn, "events", {**row, "body": body, "checksum": checksum})
    conn.close()
    with open_database(path) as db:
        found, _ = events.after(db, 0)
        assert ["a.b", "event.damaged", "a.b"] == [event.type for event in found]
        first = json.loads(found[0].body)
        assert (True, 3) == (first["shortened"], first["data"]["exitCode"])
        assert len(found[0].body) < 4 * LONGEST
        piece = events.piece(db, 1, None)
        text = piece.text
        while piece.next_cursor is not None:
            piece = events.piece(db, 1, piece.next_cursor)
            text += piece.text
        assert data == json.loads(text)
        assert len(text.encode()) == piece.size
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute("UPDATE events SET type = 'c'")


ROW = {"created_at": "2026", "updated_at": "2026"}
SAID = {"priority": "normal", "requested_by": "web", "status": "open", "correlation_id": "c"}
ONCE = {"on_interrupt": "stop", "max_attempts": 1}


def flags(*names: str) -> dict[str, int]:
    return {**{f"allow_{name}": 0 for name in names}, "require_worktree": 0}


def put(conn: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    places = ", ".join("?" * len(row))
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608
    conn.execute(sql, [*row.values()])
