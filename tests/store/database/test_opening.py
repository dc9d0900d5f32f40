"""Opening the file: what is refused untouched, what is set, who may read it."""

import os
import sqlite3
import stat
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from command_center.store import (
    CannotOpenDatabase,
    CorruptDatabase,
    ForeignDatabase,
    MigrationFailed,
    NewerSchema,
    SqliteTooOld,
    open_database,
)
from command_center.store.database import copies
from command_center.store.database import opening as opening_module
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.opening import OpeningStep
from command_center.store.database.sqlite_errors import raise_unread


def pragma(db: Database, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_new_file_is_made_with_its_folder(path: Path) -> None:
    open_database(path).close()
    assert path.is_file()
    assert not (path.parent / "backups").exists()


def test_a_commit_is_flushed_references_are_checked_and_readers_never_wait(path: Path) -> None:
    with open_database(path, busy_timeout=1.5) as db:
        assert "wal" == pragma(db, "journal_mode")
        assert 2 == pragma(db, "synchronous")  # FULL
        assert 1 == pragma(db, "foreign_keys")
        assert 1 == pragma(db, "fullfsync")
        assert 1 == pragma(db, "checkpoint_fullfsync")
        assert 1500 == pragma(db, "busy_timeout")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_files_are_their_owners_alone(path: Path) -> None:
    with open_database(path) as db:
        db.execute("CREATE TABLE t (x)")
        assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert {path.name, f"{path.name}-wal", f"{path.name}-shm"} == files.keys()
    assert {0o600} == set(files.values())


def test_opening_again_finds_everything(path: Path) -> None:
    open_database(path).close()
    with open_database(path) as db:
        assert {"repositories", "events"} <= set(db.table_names())


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0junk"])
def test_a_file_that_is_no_database_is_refused_untouched(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase, match="damaged or is no SQLite file") as caught:
        open_database(path)
    assert path == caught.value.path
    assert content == path.read_bytes()


def test_a_damaged_database_is_refused_untouched(path: Path) -> None:
    with open_database(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xab" * 4096 * 4
    path.write_bytes(content)
    with pytest.raises(CorruptDatabase):
        open_database(path)
    assert content == path.read_bytes()


def test_a_file_that_was_cut_off_is_refused(path: Path) -> None:
    with open_database(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptDatabase):
        open_database(path)


def test_another_programs_database_is_refused_untouched(path: Path) -> None:
    path.parent.mkdir()
    with Database(path) as other:
        other.table("notes").insert({"text": "mine"})
    content = path.read_bytes()
    with pytest.raises(ForeignDatabase, match="holds another program's tables"):
        open_database(path)
    assert content == path.read_bytes()


def test_a_newer_schema_is_refused_untouched_and_told_apart_by_name(path: Path) -> None:
    newer = Migrations(MIGRATIONS.name)

    @newer(name="0001_the_spine")
    def _spine(db: Database) -> None:
        db.table("things").create({"id": int}, pk="id")

    @newer(name="9999_flying_cars")
    def _later(db: Database) -> None:
        db.table("cars").create({"id": int}, pk="id")

    open_database(path, migrations=newer).close()
    content = path.read_bytes()
    with pytest.raises(NewerSchema, match="9999_flying_cars") as caught:
        open_database(path)
    assert ("9999_flying_cars",) == caught.value.unknown
    assert content == path.read_bytes()


def two_steps(second: object) -> Migrations:
    steps = Migrations("test")

    @steps()
    def first(db: Database) -> None:
        db.table("notes").insert({"id": 1, "text": "kept"}, pk="id")

    if second is not None:
        steps(name="second")(second)  # type: ignore[type-var]
    return steps


def add_author(db: Database) -> None:
    db.table("notes").add_column("author", str)


def add_author_index(db: Database) -> None:
    db.table("notes").create_index(["author"])


def test_the_file_is_copied_before_pending_migrations(path: Path) -> None:
    open_database(path, migrations=two_steps(None)).close()
    with open_database(path, migrations=two_steps(add_author)) as db:
        assert [{"id": 1, "text": "kept", "author": None}] == list(db["notes"].rows)
    (copy,) = (path.parent / "backups").iterdir()
    assert copy.name.startswith("command-center-")
    assert copy.name.endswith("-before-second.db")
    with Database(copy) as old:
        assert "ok" == pragma(old, "integrity_check")
        assert [{"id": 1, "text": "kept"}] == list(old["notes"].rows)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_the_copy_is_its_owners_alone(path: Path) -> None:
    for second in (None, add_author):
        open_database(path, migrations=two_steps(second)).close()
    folder = path.parent / "backups"
    assert [0o700, 0o600] == [stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.iterdir())]


def test_the_copy_holds_what_was_only_in_the_log(path: Path) -> None:
    with open_database(path, migrations=two_steps(None)) as db:
        db.table("notes").insert({"id": 2, "text": "in the log"})
        assert path.with_name(path.name + "-wal").stat().st_size
        open_database(path, migrations=two_steps(add_author)).close()
    (copy,) = (path.parent / "backups").iterdir()
    with Database(copy) as old:
        assert 2 == old["notes"].count


def test_no_copy_is_made_when_nothing_is_pending(path: Path) -> None:
    for _ in range(2):
        open_database(path, migrations=two_steps(add_author)).close()
    assert not (path.parent / "backups").exists()


def test_of_what_takes_long_with_a_large_file_somebody_is_told_before_it(path: Path) -> None:
    def told(migrations: Migrations, *, is_sound: bool) -> list[tuple[object, ...]]:
        steps: list[OpeningStep] = []
        opened = open_database(path, is_sound=is_sound, migrations=migrations, on_step=steps.append)
        opened.close()
        assert all(step.size for step in steps)
        return [(step.act, step.migration, step.number, step.count) for step in steps]

    open_database(path, migrations=two_steps(None)).close()
    newer = two_steps(add_author)
    newer(name="third")(add_author_index)
    assert [
        ("check", None, 0, 0),
        ("copy", None, 0, 0),
        ("migrate", "second", 1, 2),
        ("migrate", "third", 2, 2),
    ] == told(newer, is_sound=True)
    assert [] == told(newer, is_sound=True)
    assert [("check", None, 0, 0)] == told(newer, is_sound=False)


def test_a_migration_for_which_there_is_no_memory_says_so(path: Path) -> None:
    def fail(_: Database) -> None:
        raise MemoryError

    open_database(path, migrations=two_steps(None)).close()
    with pytest.raises(MigrationFailed, match="second: there is no memory left"):
        open_database(path, migrations=two_steps(fail))


def test_a_migration_that_fails_is_undone_and_the_copy_named(path: Path) -> None:
    def breaks(db: Database) -> None:
        add_author(db)
        raise LookupError("no author")

    open_database(path, migrations=two_steps(None)).close()
    with pytest.raises(MigrationFailed, match="second: no author") as caught:
        open_database(path, migrations=two_steps(breaks))
    assert caught.value.backup is not None
    assert caught.value.backup.is_file()
    with open_database(path, migrations=two_steps(None)) as db:
        assert [{"id": 1, "text": "kept"}] == list(db["notes"].rows)


def test_a_start_that_is_cut_short_again_and_again_leaves_one_copy(path: Path) -> None:
    def breaks(_: Database) -> None:
        raise LookupError("cut short")

    open_database(path, migrations=two_steps(None)).close()
    left_by_a_crash = path.parent / "backups" / f"{path.stem}-before-second.partial"
    for number in range(3):
        with pytest.raises(MigrationFailed):
            open_database(path, migrations=two_steps(breaks))
        with open_database(path, migrations=two_steps(None)) as db:
            db.table("notes").insert({"id": number + 2, "text": "later"})
        for beside in ("", "-journal", "-wal"):
            left_by_a_crash.with_name(left_by_a_crash.name + beside).write_bytes(b"a half")
        left_by_a_crash.chmod(0o644)
    open_database(path, migrations=two_steps(add_author)).close()
    (copy,) = (path.parent / "backups").iterdir()
    with Database(copy) as old:
        assert 4 == old["notes"].count
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE(copy.stat().st_mode)


def test_the_newest_copies_are_kept_and_older_ones_go(path: Path) -> None:
    open_database(path, migrations=two_steps(None)).close()
    folder = path.parent / "backups"
    folder.mkdir()
    for number in range(8):
        old = folder / f"{path.stem}-2025013{number}T070509Z-before-000{number}_old.db"
        old.touch()
        os.utime(old, (number, number))
    mine = folder / "my own copy.db"
    mine.touch()
    open_database(path, migrations=two_steps(add_author)).close()
    kept = {file.name for file in folder.iterdir()} - {mine.name}
    assert opening_module.COPIES_KEPT == len(kept)
    assert f"{path.stem}-before-second.db" in kept
    assert [4, 5, 6, 7] == sorted(int(name[-8]) for name in kept if name.endswith("_old.db"))
    assert mine.exists()


def test_a_copy_that_is_damaged_is_no_copy_and_nothing_is_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_database(path, migrations=two_steps(None)).close()

    def damaged(_: sqlite3.Connection) -> None:
        raise sqlite3.DatabaseError("it is damaged")

    with monkeypatch.context() as patch:
        patch.setattr(copies, "_check_copy", damaged)
        with pytest.raises(CannotOpenDatabase, match="could not be made: it is damaged"):
            open_database(path, migrations=two_steps(add_author))
    assert [] == list((path.parent / "backups").iterdir())
    with open_database(path, migrations=two_steps(None)) as db:
        assert [{"id": 1, "text": "kept"}] == list(db["notes"].rows)


@pytest.mark.parametrize("code", [sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_IOERR_READ])
def test_a_page_that_the_machine_does_not_give_is_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    told = f"Tree 87 page 87: unable to get the page. error code={code}"

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            if "quick_check" in sql:
                return super().execute("SELECT ?", [told])
            return super().execute(sql, *arguments)

    open_database(path).close()
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Failing))
    with pytest.raises(CannotOpenDatabase, match=r"no memory left|a page cannot be read"):
        open_database(path)
    raise_unread(told.replace(str(code), str(sqlite3.SQLITE_CORRUPT)))


def test_a_copy_whose_index_lacks_a_row_is_found_to_be_damaged(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (1);")
        copies._check_copy(db)
        db.executescript("CREATE INDEX i ON t (x); PRAGMA writable_schema = ON;")
        db.execute("UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON t (x + 1)' WHERE name = 'i'")
    with (
        closing(sqlite3.connect(path)) as db,
        pytest.raises(sqlite3.DatabaseError, match="it is damaged: row 1 missing from index i"),
    ):
        copies._check_copy(db)


def test_without_room_for_the_copy_nothing_is_migrated(path: Path) -> None:
    open_database(path, migrations=two_steps(None)).close()
    (path.parent / "backups").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(CannotOpenDatabase, match="copy before the migration second"):
        open_database(path, migrations=two_steps(add_author))
    with open_database(path, migrations=two_steps(None)) as db:
        assert [{"id": 1, "text": "kept"}] == list(db["notes"].rows)


def test_a_crash_between_the_first_two_writes_leaves_a_file_that_opens(path: Path) -> None:
    path.parent.mkdir()
    with Database(path) as db:
        MIGRATIONS.ensure_migrations_table(db)
    open_database(path).close()


def test_a_folder_in_the_files_place_is_refused(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(CannotOpenDatabase):
        open_database(path)


def test_a_database_that_another_process_holds_is_refused(path: Path) -> None:
    open_database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CannotOpenDatabase, match="locked"):
        open_database(path, busy_timeout=0)
    other.close()


def test_an_old_sqlite_is_refused_by_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening_module, "_OLDEST_SQLITE", (99, 1, 0))
    with pytest.raises(SqliteTooOld, match=r"SQLite 99\.1\.0 or newer is needed"):
        open_database(path)
    assert not path.exists()
