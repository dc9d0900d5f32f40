"""Opening the database file: checks, pragmas, migrations.

Nothing is written to a file before it is known to be whole, ours, and not from a newer version.
Of all connections, only the writer's writes and checkpoints; the readers' are opened read-only.
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import attrs
from sqlite_utils import Database, Migrations

from command_center.store.database.checksums import damaged_rows, seal_writes, teach_checksums
from command_center.store.database.copies import copy_database, create_private_file
from command_center.store.database.migrations import MIGRATIONS
from command_center.store.database.sqlite_errors import (
    FAULTS,
    is_corruption,
    is_interruption,
    raise_unread,
    words_of,
)
from command_center.store.database.text_match import keep_trigrams, teach_words
from command_center.store.database.word_indexes import (
    WORD_INDEXES,
    damaged_index,
    make_index_anew,
)
from command_center.store.errors import (
    CannotOpenDatabase,
    CorruptDatabase,
    ForeignDatabase,
    MigrationFailed,
    NewerSchema,
    SqliteTooOld,
)

_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables; RETURNING came with 3.35
_STATEMENT_CACHE = 256
_READ_STATEMENT_CACHE = 64
"""Statements that a connection for reading keeps: each takes some 10 KiB, and there are several."""
# A WAL that a burst has made large is cut back to this many bytes at a checkpoint.
_WAL_SIZE_LIMIT = 64 * 1024 * 1024

_STEPS = 100_000
"""Steps of SQLite's machine between two looks at the clock: some milliseconds."""

BACKUPS = "backups"
"""The folder of copies, beside the database."""

COPIES_KEPT = 5
"""The number of copies from before migrations that are kept."""


@attrs.frozen
class OpeningStep:
    """A step of opening a database that takes the longer, the larger the file is.

    Attributes:
        act: the whole file is checked, or copied, or a migration runs.
        size: the bytes of the file.
        migration: the name of the migration.
        number: its place among those that run, from 1.
        count: the number of those that run.
    """

    act: Literal["check", "copy", "migrate"]
    size: int
    migration: str | None = None
    number: int = 0
    count: int = 0


OnStep = Callable[[OpeningStep], object]
"""Told of each step before it begins, in the thread that opens the database."""


def open_database(
    path: Path,
    *,
    is_sound: bool = False,
    busy_timeout: float = 5.0,
    migrations: Migrations = MIGRATIONS,
    before_migrations: Callable[[Database], object] = bool,
    on_step: OnStep = bool,
) -> Database:
    """Open the database for writing, made if it is absent, its schema brought up to date.

    Before pending migrations run on a database that has any, the file is copied to
    ``backups/`` beside it, and the copy is checked. There is one copy for each migration, however
    often a start is cut short, and the newest ``COPIES_KEPT`` stay. An index of words that is
    damaged is made anew. The connection belongs to the calling thread.

    Args:
        path: the file; its folder is made if it is absent.
        is_sound: the file need not be read to its end now, unless there are migrations to run.
        busy_timeout: seconds to wait for another process that holds the file.
        migrations: the schema's steps.
        before_migrations: called with the connection before it changes anything.
        on_step: told of what may take long.

    Raises:
        SqliteTooOld: this Python's SQLite lacks what the schema needs.
        CannotOpenDatabase: no rights, no file, held by another, or no room for the copy.
        CorruptDatabase: damaged, or no SQLite file at all.
        ForeignDatabase: the database of another program.
        NewerSchema: written by a newer version of this program.
        MigrationFailed: a migration raised and was rolled back.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise SqliteTooOld(sqlite3.sqlite_version, ".".join(map(str, _OLDEST_SQLITE)))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        create_private_file(path)
    except OSError as error:
        raise CannotOpenDatabase(path, error.strerror or str(error)) from error
    try:
        db = _connect_for_writing(path, busy_timeout)
    except FAULTS as error:
        raise opening_error(path, error) from error
    try:
        damaged = _refuse_what_is_not_ours(db, path, migrations, is_sound=is_sound, on_step=on_step)
        _set_writing_pragmas(db)
        before_migrations(db)
        if damaged:  # before the copy, which has to be whole, and a migration that changes one
            db.execute("BEGIN IMMEDIATE")
            for name in damaged:
                make_index_anew(db, name)
            db.conn.commit()
        _migrate(db, path, migrations, on_step)
        seal_writes(db)
        keep_trigrams(db)
    except (*FAULTS, UnicodeError) as error:  # the schema's own text may be none any more
        db.close()
        raise opening_error(path, error) from error
    except BaseException:
        db.close()
        raise
    return db


def reopen_database(path: Path, *, busy_timeout: float = 5.0) -> Database:
    """Open a database for writing that ``open_database`` has opened before in this process.

    Raises:
        sqlite3.Error: it cannot be opened now.
    """
    db = _connect_for_writing(path, busy_timeout)
    try:
        _set_writing_pragmas(db)
        seal_writes(db)
        keep_trigrams(db)
    except BaseException:
        db.close()
        raise
    return db


def open_for_reading(path: Path, *, busy_timeout: float = 5.0) -> Database:
    """Open an existing database read-only; usable from any thread, one thread at a time.

    Raises:
        sqlite3.OperationalError: the file is absent or cannot be read.
    """
    conn = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_READ_STATEMENT_CACHE,
    )
    try:
        conn.execute("PRAGMA query_only = ON")
        return _database(conn)
    except BaseException:
        conn.close()
        raise


def _connect_for_writing(path: Path, busy_timeout: float) -> Database:
    conn = sqlite3.connect(
        path,
        timeout=busy_timeout,
        isolation_level=None,
        cached_statements=_STATEMENT_CACHE,
    )
    return _database(conn)


def _database(conn: sqlite3.Connection) -> Database:
    """Return a connection as sqlite-utils has it, with the functions that our SQL calls."""
    teach_words(conn)
    teach_checksums(conn)
    return Database(conn, recursive_triggers=False, execute_plugins=False)


def _set_writing_pragmas(db: Database) -> None:
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"journal_size_limit = {_WAL_SIZE_LIMIT}",
        # On macOS an fsync leaves the data in the drive's cache unless these are on.
        "fullfsync = ON",
        "checkpoint_fullfsync = ON",
    ):
        db.execute(f"PRAGMA {pragma}")


def check_database(
    path: Path, *, takes_damaged: bool = False, migrations: Migrations = MIGRATIONS
) -> None:
    """Do nothing if a server of this version could go on with the file.

    All tables, indices and triggers of its version are there, and each record is as it was written,
    unless damaged ones are taken.

    Raises:
        CannotOpenDatabase: no rights, or no file.
        CorruptDatabase: damaged, or no SQLite file at all.
        ForeignDatabase: the database of another program.
        NewerSchema: written by a newer version of this program.
    """
    try:
        with closing(_connect_for_writing(path, 0.0)) as db:
            _refuse_what_is_not_ours(db, path, migrations)
            _refuse_without_parts(db, path, migrations)
            if not takes_damaged:
                _refuse_damaged_rows(db, path)
    except (*FAULTS, UnicodeError) as error:
        raise opening_error(path, error) from error


@attrs.frozen
class DatabaseLook:
    """A look through a database that found no fault.

    Attributes:
        is_whole: all of it was looked at; else the time was too short.
        last_event_at: the moment of the last event, where there is one that was looked at.
        is_current: its schema is this version's, with nothing left to migrate.
    """

    is_whole: bool
    last_event_at: str | None = None
    is_current: bool = False


def look_through(
    path: Path, *, seconds: float, migrations: Migrations = MIGRATIONS
) -> DatabaseLook:
    """Look through a database that a server may have, for so long, and change nothing of it.

    Its events are not looked at: that is `integrity.FileCheck`'s.

    Raises:
        CannotOpenDatabase: no rights, or no file.
        CorruptDatabase: damaged, or no SQLite file at all.
        ForeignDatabase: the database of another program.
        NewerSchema: written by a newer version of this program.
    """
    deadline = time.monotonic() + seconds
    last: str | None = None
    try:
        with closing(open_for_reading(path)) as db:
            db.conn.set_progress_handler(lambda: int(time.monotonic() > deadline), _STEPS)
            if "events" in db.table_names():
                for (at,) in db.execute("SELECT ts FROM events ORDER BY id DESC LIMIT 1"):
                    last = at
            _refuse_what_is_not_ours(db, path, migrations)
            _refuse_damaged_rows(db, path)
            is_current = not migrations.pending(db)
    except (*FAULTS, UnicodeError) as error:
        if is_interruption(error):
            return DatabaseLook(is_whole=False, last_event_at=last)
        raise opening_error(path, error) from error
    return DatabaseLook(is_whole=True, last_event_at=last, is_current=is_current)


def _refuse_without_parts(db: Database, path: Path, migrations: Migrations) -> None:
    """Refuse a database that lacks a part of the schema that its migrations have made."""
    if pending := migrations.pending(db):
        whole = _database(sqlite3.connect(":memory:", isolation_level=None))
        migrations.apply(whole, stop_before=pending[0].name)
    else:
        whole = _new_database(path, migrations)
    parts = "SELECT type || ' ' || name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
    lacking = {part for (part,) in whole.execute(parts)} - {part for (part,) in db.execute(parts)}
    if pending:
        whole.close()
    if lacking:
        raise CorruptDatabase(path, f"it lacks {min(lacking)}")


def _refuse_damaged_rows(db: Database, path: Path) -> None:
    if damaged := next(damaged_rows(db), None):
        raise CorruptDatabase(path, f"{damaged} is not as it was written")


def _refuse_what_is_not_ours(
    db: Database,
    path: Path,
    migrations: Migrations,
    *,
    is_sound: bool = False,
    on_step: OnStep = bool,
) -> list[str]:
    """Return the indexes of words that are damaged; they can be made anew."""
    damaged = []
    if not is_sound or migrations.pending(db):
        on_step(OpeningStep("check", path.stat().st_size))
        for line in _lines_of_check(db):
            raise_unread(line)
            index = damaged_index(line)
            if index is not None:
                damaged.append(index)
            elif line != "ok":
                raise CorruptDatabase(path, line)
    applied = {migration.name for migration in migrations.applied(db)}
    if unknown := applied - registered_names(migrations):
        raise NewerSchema(path, tuple(sorted(unknown)))
    if not applied and _tables_with_content(db, migrations):
        raise ForeignDatabase(path)
    return damaged


def _lines_of_check(db: Database) -> list[str]:
    """Check all of a file; each table by itself where an index of words cannot be opened."""

    def lines(of: str | int) -> list[str]:
        try:
            return [line for (line,) in db.execute(f"PRAGMA quick_check({of})")]
        except sqlite3.DatabaseError as error:
            if damaged_index(words_of(error)) is None:
                raise
            return [words_of(error)]

    told = lines(len(WORD_INDEXES) + 1)
    if told == ["ok"] or damaged_index(told[0]) is None:
        return told
    tables = "SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'"
    found = db.execute(tables).fetchall()  # an older version has not all of the indexes
    names = [name for name, page in found if page > 0 or name in WORD_INDEXES]
    return [line for name in names for line in lines(f'"{name}"')]


def registered_names(migrations: Migrations = MIGRATIONS) -> set[str]:
    """Return the names of all steps that this version knows."""
    with Database(memory=True) as empty:
        return {migration.name for migration in migrations.pending(empty)}


def _tables_with_content(db: Database, migrations: Migrations) -> list[str]:
    return [name for name in db.table_names() if name != migrations.migrations_table]


def _migrate(db: Database, path: Path, migrations: Migrations, on_step: OnStep) -> None:
    pending = migrations.pending(db)
    if not pending:
        return
    if not migrations.applied(db):
        _new_database(path, migrations).conn.backup(db.conn)
        return
    _refuse_damaged_rows(db, path)  # which the migration would seal as they are
    on_step(OpeningStep("copy", path.stat().st_size))
    backup = _copy(db, path, before=pending[0].name)
    names = [step.name for step in pending]
    for number, (name, following) in enumerate(zip(names, (*names[1:], None), strict=True), 1):
        on_step(OpeningStep("migrate", path.stat().st_size, name, number, len(names)))
        _apply(migrations, db, path, backup, stop_before=following)
    _prune(path)


def _apply(
    migrations: Migrations,
    db: Database,
    path: Path,
    backup: Path | None,
    *,
    stop_before: str | None = None,
) -> None:
    try:
        migrations.apply(db, stop_before=stop_before)
    except Exception as error:
        failed = migrations.pending(db)[0].name
        raise MigrationFailed(path, failed, backup, words_of(error)) from error


_new_databases: dict[Migrations, Database] = {}


def _new_database(path: Path, migrations: Migrations) -> Database:
    """Return an empty database with the whole schema, in memory; it is made once for a process.

    A file that is made gets its content at once, so that it has all of the schema or none.
    """
    if migrations not in _new_databases:
        conn = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        new = _database(conn)
        new.execute("PRAGMA foreign_keys = ON")
        # Pages that are freed can be given back to the disk; it has to be so from the first one on.
        new.execute("PRAGMA auto_vacuum = INCREMENTAL")
        _apply(migrations, new, path, None)
        _new_databases[migrations] = new
    return _new_databases[migrations]


def _copy(db: Database, path: Path, *, before: str) -> Path:
    """Copy the whole database to where copies from before migrations are.

    One that is there was made by a start that was cut short, and may be older than the database.
    """
    target = path.parent / BACKUPS / f"{path.stem}-before-{before}.db"
    try:
        copy_database(db, target)
    except (OSError, *FAULTS) as error:
        reason = f"the copy before the migration {before} could not be made: {words_of(error)}"
        raise CannotOpenDatabase(path, reason) from error
    return target


def _prune(path: Path) -> None:
    """Remove all copies but the newest; one that cannot be removed stays."""
    with suppress(OSError):
        copies = list((path.parent / BACKUPS).glob(f"{path.stem}-*before-*.db"))
        copies.sort(key=lambda copy: copy.stat().st_mtime_ns, reverse=True)
        for old in copies[COPIES_KEPT:]:
            old.unlink()


def opening_error(path: Path, error: Exception) -> Exception:
    """Return what is raised where SQLite or the system cannot open or write the database."""
    if is_corruption(error):
        return CorruptDatabase(path, words_of(error))
    return CannotOpenDatabase(path, words_of(error))
