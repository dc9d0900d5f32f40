"""Checksums of rows, by which a row is found that the disk has changed.

A table that has a column `checksum` is sealed: each write by a connection that `seal_writes` has
prepared puts a CRC-32 of the row's other columns there, and refuses to change a row that is not as
it was written. Readers compare it. SQL calls the function ``row_checksum``, with the values of the
columns in the order of their names. The log computes its own (`events`), as its rows never change.
"""

import itertools
import sqlite3
import zlib
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store.lists.where import Scalar

COLUMN: Final = "checksum"
DAMAGED: Final = "the row is damaged"
"""The words of the error with which a damaged row refuses to be changed."""

_encode = msgspec.msgpack.Encoder().encode


def row_checksum(*values: Scalar | bytes) -> int:
    """Return the checksum of a row's values; -1, which no row has, if a text is none."""
    try:
        return zlib.crc32(_encode(values))
    except UnicodeEncodeError:
        return -1


def read_rows(
    db: Database, sql: str, arguments: Sequence[Scalar] = ()
) -> Generator[Sequence[Any], None, None]:
    """Read rows one by one; a text that is none comes with what it has in its place."""
    given = 0
    try:
        with closing(db.execute(sql, arguments)) as rows:
            for row in rows:
                given += 1
                yield row
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
    else:
        return
    before = db.conn.text_factory
    db.conn.text_factory = lambda data: data.decode(errors="surrogateescape")
    try:
        with closing(db.execute(sql, arguments)) as rows:
            yield from itertools.islice(rows, given, None)
    finally:
        db.conn.text_factory = before


def teach_checksums(conn: sqlite3.Connection) -> None:
    """Let the SQL of this connection ask ``row_checksum(value, …)``."""
    conn.create_function("row_checksum", -1, row_checksum, deterministic=True)


def seal_writes(db: Database) -> None:
    """Let every write by this connection keep the checksums, whatever SQL it comes from."""
    db.execute("PRAGMA temp_store = MEMORY")
    # In one transaction, or each trigger begins and ends one of its own.
    db.executescript(f"BEGIN; {''.join(_seal(table) for table in _sealed_tables(db))} COMMIT;")


def seal_rows(db: Database, table: str) -> None:
    """Seal what is in a table now. A migration that changes a sealed table's columns ends so."""
    (sealed,) = (found for found in _sealed_tables(db) if found.name == table)
    db.execute(f"UPDATE {table} SET {COLUMN} = {_call(table, sealed.columns)}")  # noqa: S608


def sealed_tables(db: Database) -> list[str]:
    """Return the names of the tables whose rows SQL seals."""
    return [table.name for table in _sealed_tables(db)]


def damaged_rows(db: Database, within: Collection[str] | None = None) -> Iterator[str]:
    """Yield the table and the number of each row that is not as it was written. Reads them all.

    Of all tables, unless only those `within` are wanted.
    """
    for table in _sealed_tables(db):
        if within is not None and table.name not in within:
            continue
        sql = f"SELECT {', '.join(table.key)} FROM {table.name} WHERE {table.is_damaged}"  # noqa: S608
        for row in db.execute(sql):
            yield f"{table.name} {', '.join(map(str, row))}"


def damage_of_tables(db: Database) -> dict[str, str]:
    """Return the condition that a damaged row meets, in SQL, by the name of its table."""
    return {table.name: table.is_damaged for table in _sealed_tables(db)}


@attrs.frozen
class _Sealed:
    """A table whose rows SQL seals; its columns in the order of their names."""

    name: str
    columns: list[str]
    key: list[str]

    @property
    def is_damaged(self) -> str:
        """Return the condition that a row meets which is not as it was written."""
        return f"{COLUMN} IS NOT {_call(self.name, self.columns)}"


def _sealed_tables(db: Database) -> list[_Sealed]:
    found: dict[str, list[tuple[str, int]]] = {}
    for table, column, place_in_key in db.execute("""
        SELECT tables.name, columns.name, columns.pk
        FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND tables.rootpage > 0 AND tables.name <> 'events'
    """):
        found.setdefault(table, []).append((column, place_in_key))
    return [
        _Sealed(
            table,
            sorted(column for column, _ in columns if column != COLUMN),
            [column for column, place_in_key in columns if place_in_key],
        )
        for table, columns in found.items()
        if COLUMN in dict(columns)
    ]


def _seal(table: _Sealed) -> str:
    """Return the triggers that keep a table's checksums, of names of our own alone."""
    key = " AND ".join(f"{column} = new.{column}" for column in table.key)
    new, old = _call("new", table.columns), _call("old", table.columns)
    seal = f"UPDATE {table.name} SET {COLUMN} = {new} WHERE {key};"  # noqa: S608
    return f"""
        CREATE TEMP TRIGGER {table.name}_are_sealed AFTER INSERT ON {table.name} BEGIN {seal} END;
        CREATE TEMP TRIGGER {table.name}_stay_sealed
        AFTER UPDATE OF {", ".join(table.columns)} ON {table.name} BEGIN
            SELECT RAISE(ABORT, '{DAMAGED}') WHERE old.{COLUMN} IS NOT {old};
            {seal}
        END;
    """


def _call(row: str, columns: list[str]) -> str:
    return f"row_checksum({', '.join(f'{row}.{column}' for column in columns)})"
