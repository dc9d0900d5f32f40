"""Exports and imports: everything is covered, comes back, and fits beside what is there."""

from __future__ import annotations

import hashlib
import io
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from command_center.store import (
    DataFolderUnusable,
    Session,
    Transaction,
    Writer,
    approvals,
    automations,
    items,
    repositories,
    rules,
    sessions,
    tasks,
)
from command_center.store.database.opening import open_for_reading
from command_center.store.portable.contents import (
    COLUMNS_LEFT_OUT,
    EVENTS,
    EXPORTED,
    LEFT_OUT,
    content_of,
)
from command_center.store.portable.errors import BadExport
from command_center.store.portable.exporting import export_database
from command_center.store.portable.importing import CUT_OFF, import_file
from command_center.store.queries.compacting import compact_database
from command_center.store.replication.centre_folder import CentreFolder
from command_center.store.writer import Writer as _Writer
from tests.made_up import made_up
from tests.store.units import add_repository, add_session, run

SECRET = "a word that is secret since"
LONG = "€ and more " * 20_000
NUMBERS = re.compile(r"_id$|^waits_for$")
STRANGE = {"codex_request_id"}
"""Columns that end as an id does, and are Codex's."""


def fill(tx: Transaction, **repository: Any) -> Session:
    """Add what names each other in every way, some of it long, some of it under way."""
    automation = automations.insert(
        tx,
        repository_id=add_repository(tx, is_dirty=True, **repository).id,
        title="Each day",
        schedule_expr="daily@07:00",
        timezone="UTC",
        payload={"prompt": "p"},
        requested_by="web",
        next_run_at="2030-01-01T00:00:00.000Z",
    )
    task = tasks.insert(
        tx,
        repository_id=automation.repository_id,
        title="t",
        prompt=SECRET,
        requested_by="web",
        correlation_id="c",
        automation_id=automation.id,
        status="running",
    )
    given: dict[str, Any] = {
        "task_id": task.id,
        "repository_id": task.repository_id,
        "runner": "stub",
        "sandbox": "read-only",
        "cwd": "/srv/a",
        "prompt": "p",
        "requested_by": "web",
        "correlation_id": "c",
    }
    session = sessions.insert(tx, **given, status="running", diff=LONG)
    automations.update(tx, automation.id, last_session_id=session.id)
    later = sessions.insert(
        tx,
        **given,
        status="completed",
        previous_session_id=session.id,
        review={"type": "session", "sessionId": session.id},
    )
    items.insert(
        tx,
        session_id=session.id,
        turn_id="u",
        item_id="i",
        type="commandExecution",
        status="completed",
        body={"command": "make", "aggregatedOutput": LONG},
    )
    approvals.insert(
        tx, title="Run?", kind="run", requested_by="web", session_id=session.id, task_id=task.id
    )
    cause = tx.emit(made_up("a.b", {"sessionId": session.id}), actor="t", session_id=session.id)
    tx.emit(made_up("a.long", {"text": LONG}), actor="t", causation_id=cause)
    return later


def exported(database: Path, target: Path, secrets: tuple[str, ...] = ()) -> list[Any]:
    written = io.BytesIO()
    export_database(database, written, secrets)
    target.write_bytes(written.getvalue())
    return [msgspec.json.decode(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def made(path: Path, tmp_path: Path) -> Path:
    """A database with a history, whose server is gone."""
    writer = Writer(path, busy_timeout=0)
    run(writer, fill)
    writer.close()
    assert tmp_path in path.parents
    return path


def test_each_table_is_exported_or_left_out_for_a_reason_and_each_reference_is_known(
    made: Path,
) -> None:
    with closing(open_for_reading(made)) as db:
        found = {
            name
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            if not name.startswith("sqlite_") and "_search" not in name
        }
        assert found == EXPORTED.keys() | LEFT_OUT.keys() | {EVENTS}
        assert not EXPORTED.keys() & LEFT_OUT.keys()
        for name in EXPORTED:
            columns = {row[1] for row in db.execute(f"PRAGMA table_info({name})")}
            content = content_of(db, name)
            left_out = {column for table, column in COLUMNS_LEFT_OUT if table == name}
            assert columns == {*content.columns, *left_out} | (columns & {"checksum"})
            numbers = {
                row[1]
                for row in db.execute(f"PRAGMA table_info({name})")
                if row[2] == "INTEGER" and NUMBERS.search(row[1]) and row[1] not in STRANGE
            }
            assert numbers <= content.references.keys(), name
            assert set(content.references.values()) <= {*EXPORTED, EVENTS}, name


def test_an_export_comes_back_and_its_export_is_the_same(made: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    before = exported(made, first, (SECRET,))
    assert SECRET.encode() not in first.read_bytes()
    copy = tmp_path / "other" / "command-center.db"
    done = import_file(first, copy.parent, copy)
    assert {"sessions": 2, "events": 2, "items": 1}.items() <= done.rows.items()
    after = exported(copy, second)
    settled = {"status", "exit_reason", "finished_at", "resolved_at", "resolution_note"}
    settled |= {"enabled", "paused_reason", "next_run_at"}
    for lines in (before, after):
        for line in lines:
            line.get("row", {}).update(dict.fromkeys(settled & line.get("row", {}).keys()))
    assert before[1:-1] == after[1:-1]
    assert before[0]["newest"] == after[0]["newest"]
    import_again = tmp_path / "third"
    exported(copy, import_again)
    assert import_again.read_bytes().splitlines()[1:-1] == second.read_bytes().splitlines()[1:-1]


def test_what_comes_lies_behind_what_is_there_and_names_its_own(made: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    exported(made, file)
    there = tmp_path / "there" / "command-center.db"
    writer = Writer(there, busy_timeout=0)
    run(writer, lambda tx: fill(tx, name="b", local_path="/srv/b"))
    mine = run(writer, lambda tx: fill(tx, name="c", local_path="/home/c"))
    writer.close()
    dry = import_file(file, there.parent, there, paths={"/srv/a": "/home/c"}, dry=True)
    done = import_file(file, there.parent, there, paths={"/srv/a": "/home/c"})
    assert dry == done
    assert {"/srv/a": "/home/c"} == done.matched
    with closing(open_for_reading(there)) as db:
        assert 2 == repositories.count(db, {})
        ended, later = sessions.every(db, {"repository_id": mine.repository_id})[-2:]
        assert (mine.id + 1, mine.id + 2) == (ended.id, later.id)
        assert ("interrupted", CUT_OFF) == (ended.status, ended.exit_reason)
        assert LONG == sessions.whole(db, ended, "diff")
        assert ended.id == later.previous_session_id
        assert {"type": "session", "sessionId": ended.id} == later.review
        task = tasks.get(db, ended.task_id)
        assert task.automation_id is not None
        automation = automations.get(db, task.automation_id)
        assert (ended.id, False, None) == (
            automation.last_session_id,
            automation.enabled,
            automation.next_run_at,
        )
        assert "cancelled" == approvals.every(db, {"session_id": ended.id})[0].status
        (item,) = items.every(db, {"session_id": ended.id})
        assert {"command": "make", "aggregatedOutput": LONG} == items.whole(db, item, "body")
    lines = exported(there, tmp_path / "all")
    told = [line["row"] for line in lines if line.get("table") == EVENTS and "row" in line]
    assert [1, 2, 3, 4, 5, 6] == [event["id"] for event in told]
    assert (ended.id, {"sessionId": ended.id}) == (told[4]["sessionId"], told[4]["data"])
    assert 5 == told[5]["causationId"]
    writer = _Writer(there, busy_timeout=0)
    assert later.id + 1 == run(writer, add_session).id
    writer.close()


def test_a_log_that_begins_later_is_taken_in_from_its_beginning(made: Path, tmp_path: Path) -> None:
    file, there = tmp_path / "file", tmp_path / "there" / "command-center.db"
    lines = exported(made, file)
    kept = [line for line in lines[1:-1] if line.get("row", {}).get("type") != "a.b"]
    cut = [{**lines[0], "removedUpTo": 1}, *kept]
    file.write_bytes(closed([msgspec.json.encode(line) + b"\n" for line in cut]))
    import_file(file, there.parent, there)
    found = exported(there, tmp_path / "again")
    (event,) = [line["row"] for line in found if line.get("table") == EVENTS and "row" in line]
    assert (1, "a.long", None) == (event["id"], event["type"], event["causationId"])


@pytest.mark.parametrize("text", ["'another'", "CAST(x'ff41' AS TEXT)"])
def test_a_damaged_row_is_left_out_with_what_cannot_be_without_it(
    made: Path, tmp_path: Path, text: str
) -> None:
    writer = Writer(made, busy_timeout=0)
    run(writer, lambda tx: fill(tx, name="b", local_path="/srv/b"))
    writer.close()
    with closing(sqlite3.connect(made)) as disk, disk:
        disk.execute(f"UPDATE tasks SET title = {text} WHERE id = 1")  # noqa: S608 - a constant
    file, there = tmp_path / "file", tmp_path / "there" / "command-center.db"
    assert ["tasks 1"] == exported(made, file)[-1]["damaged"]
    done = import_file(file, there.parent, there)
    assert {"tasks": 1, "sessions": 2, "items": 1, "approvals": 2}.items() <= done.rows.items()
    with closing(open_for_reading(there)) as db:
        assert [None, 2] == [one.task_id for one in approvals.every(db, {})]
        assert [2, 2] == [one.task_id for one in sessions.every(db, {})]
        assert [] == db.execute("PRAGMA foreign_key_check").fetchall()


def test_rules_come_with_a_repository_that_is_added_and_not_to_one_that_is_here(
    made: Path, tmp_path: Path
) -> None:
    def allow(tx: Transaction) -> None:
        rules.insert(
            tx,
            repository_id=1,
            kind="command",
            words=["make"],
            sandbox="read-only",
            allow_network=False,
            allow_commit=False,
            requested_by="web",
        )

    writer = Writer(made, busy_timeout=0)
    run(writer, allow)
    writer.close()
    file, there = tmp_path / "file", tmp_path / "there" / "command-center.db"
    exported(made, file)
    assert 1 == import_file(file, there.parent, there).rows["rules"]
    assert "rules" not in import_file(file, there.parent, there).rows
    with closing(open_for_reading(there)) as db:
        assert 1 == rules.count(db, {})


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (b'"table":"tasks","row":{"id":1,', b'"table":"tasks","row":{"id":-1,'),
        (b'"table":"tasks","row":{"id":1,', b'"table":"tasks","row":{"id":9007199254740991,'),
        (b'"task_id":1,', b'"task_id":0,'),
        (b'"table":"sessions","id":1,', b'"table":"sessions","id":-1,'),
        (b'"tasks":1,', b'"tasks":9223372036854775807,'),
        (b'"removedUpTo":0', b'"removedUpTo":-3'),
        (b'"type":"a.b","ts":"2', b'"type":"a.b","ts":"z'),
    ],
)
def test_a_file_names_nothing_of_what_is_here(
    made: Path, tmp_path: Path, was: bytes, becomes: bytes
) -> None:
    file, there = tmp_path / "file", tmp_path / "there" / "command-center.db"
    exported(made, file)
    writer = Writer(there, busy_timeout=0)
    run(writer, lambda tx: fill(tx, name="b", local_path="/srv/b"))
    writer.close()
    lines = file.read_bytes().splitlines(keepends=True)[:-1]
    assert was in b"".join(lines)
    file.write_bytes(closed([line.replace(was, becomes) for line in lines]))
    before = exported(there, tmp_path / "before")[1:-1]
    with pytest.raises(BadExport):
        import_file(file, there.parent, there)
    assert before == exported(there, tmp_path / "after")[1:-1]


def test_sessions_of_a_version_without_titles_are_called_as_their_tasks(
    made: Path, tmp_path: Path
) -> None:
    """A row that an older version wrote has fewer columns."""
    file, there = tmp_path / "file", tmp_path / "there" / "command-center.db"
    exported(made, file)
    lines = []
    for line in file.read_bytes().splitlines()[:-1]:
        told = msgspec.json.decode(line)
        if told.get("table") == "sessions" and "row" in told:
            del told["row"]["title"]
        lines.append(msgspec.json.encode(told) + b"\n")
    file.write_bytes(closed(lines))
    writer = Writer(there, busy_timeout=0)
    mine = run(writer, lambda tx: add_session(tx, title="Mine"))
    writer.close()
    import_file(file, there.parent, there)
    with closing(open_for_reading(there)) as db:
        titles = [one.title for one in sessions.every(db, {})]
        assert {"Mine", "t"} == {*titles}
        assert 1 == titles.count("Mine")
        found = sessions.page(db, {}, words="t", limit=9).items
        assert len(titles) - 1 == len([one for one in found if one.id != mine.id])


def closed(lines: list[bytes]) -> bytes:
    """Close a file as an export is, whatever its lines say."""
    text = b"".join(lines)
    end = {"lines": len(lines), "sha256": hashlib.sha256(text).hexdigest(), "damaged": []}
    return text + msgspec.json.encode(end) + b"\n"


def test_nothing_is_written_to_a_centre_of_a_cluster_which_would_set_it_aside(
    made: Path, tmp_path: Path
) -> None:
    file, before = tmp_path / "file", made.read_bytes()
    exported(made, file)
    CentreFolder(made.parent, made).join("cluster")
    with pytest.raises(DataFolderUnusable, match=r"of a cluster.* remove cluster\.json there"):
        import_file(file, made.parent, made)
    with pytest.raises(DataFolderUnusable, match="of a cluster"):
        compact_database(made.parent, made)
    assert before == made.read_bytes()


def test_a_file_that_is_not_whole_newer_or_does_not_fit_changes_nothing(
    made: Path, tmp_path: Path
) -> None:
    file, target = tmp_path / "file", tmp_path / "there" / "command-center.db"
    exported(made, file)
    lines = file.read_bytes().splitlines(keepends=True)
    head = msgspec.json.decode(lines[0])
    newer = msgspec.json.encode({**head, "migrations": [*head["migrations"], "9999"]}) + b"\n"
    later = msgspec.json.encode({**head, "version": 2}) + b"\n"
    strange = b'{"table":"device_tokens","row":{"id":1}}\n'
    column = b'{"table":"repositories","row":{"id":1,"wrong) VALUES (1); --":1}}\n'
    wrong = [
        line.replace(b'"interrupted"', b'"weird"').replace(b'"running"', b'"weird"')
        for line in lines[1:-1]
    ]
    twice = [line for line in lines if b'"type":"a.b"' in line]
    orphan = [line for line in lines[1:-1] if b'"table":"tasks"' not in line]
    for text, reason in (
        (b"", "is empty"),
        (b"{}\n", "no export"),
        (b"".join(lines[:-1]), "not whole"),
        (b"".join([*lines[:3], *lines[4:]]), "not whole"),
        (file.read_bytes() + lines[1], "goes on after its end"),
        (closed([newer, *lines[1:-1]]), "newer version"),
        (closed([later, *lines[1:-1]]), "newer version"),
        (closed([lines[0], strange]), "line 2"),
        (closed([lines[0], column]), "not made by us"),
        (closed([lines[0], *orphan]), "does not fit together"),
        (closed([lines[0], *wrong]), "weird"),
        (closed([*lines[:-1], *twice]), "in its place"),
    ):
        file.write_bytes(text)
        with pytest.raises(BadExport, match=reason):
            import_file(file, target.parent, target)
    if target.exists():
        with closing(open_for_reading(target)) as db:
            assert 0 == repositories.count(db, {}) + sessions.count(db, {})
