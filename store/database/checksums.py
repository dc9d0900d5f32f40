"""Checksums of rows, by which a row is found that the disk has changed.

A table that has a column `checksum` is sealed: each write by a connection that `seal_writes` has
prepared puts a CRC-32 of the row's other columns there, and refuses to change a row that is not as
it was written. Readers compare it. SQL calls the function ``row_checksum``, with the values of the
columns in the order of their names. The log computes its own (`events`), as its rows never change.
"""

import sqlite3
import zlib
from collections.abc import Iterator
from typing import Final

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


def teach_checksums(conn: sqlite3.Connection) -> None:
    """Let the SQL of this connection ask ``row_checksum(value, …)``."""
    conn.create_function("row_checksum", -1, row_checksum, deterministic=True)


def seal_writes(db: Database) -> None:
    """Let every write by this connection keep the checksums, whatever SQL it comes from."""
    db.execute("PRAGMA temp_store = MEMORY")
    for table in sealed_tables(db):
        columns = _columns_of(db, table)
        key = " AND ".join(f"{column} = new.{column}" for column in _key_of(db, table))
        seal = f"UPDATE {table} SET {COLUMN} = {_call('new', columns)} WHERE {key};"  # noqa: S608
        # Only names of our own tables and columns go into these texts.
        db.executescript(f"""
            CREATE TEMP TRIGGER {table}_are_sealed AFTER INSERT ON {table} BEGIN {seal} END;
            CREATE TEMP TRIGGER {table}_stay_sealed
            AFTER UPDATE OF {", ".join(columns)} ON {table} BEGIN
                SELECT RAISE(ABORT, '{DAMAGED}')
                WHERE old.{COLUMN} IS NOT {_call("old", columns)};
                {seal}
            END;
        """)


def seal_rows(db: Database, table: str) -> None:
    """Seal what is in a table now. A migration that changes a sealed table's columns ends so."""
    columns = _columns_of(db, table)
    db.execute(f"UPDATE {table} SET {COLUMN} = {_call(table, columns)}")  # noqa: S608


def sealed_tables(db: Database) -> list[str]:
    """Return the names of the tables whose rows SQL seals."""
    sql = """
        SELECT tables.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
        WHERE tables.type = 'table' AND columns.name = ? AND tables.name <> 'events'
    """
    return [name for (name,) in db.execute(sql, [COLUMN])]


def damaged_rows(db: Database) -> Iterator[str]:
    """Yield the table and the number of each row that is not as it was written. Reads them all."""
    for table in sealed_tables(db):
        columns = _columns_of(db, table)
        key = ", ".join(_key_of(db, table))
        sql = f"SELECT {key} FROM {table} WHERE {COLUMN} IS NOT {_call(table, columns)}"  # noqa: S608
        for row in db.execute(sql):
            yield f"{table} {', '.join(map(str, row))}"


def _call(row: str, columns: list[str]) -> str:
    return f"row_checksum({', '.join(f'{row}.{column}' for column in columns)})"


def _columns_of(db: Database, table: str) -> list[str]:
    return sorted(column.name for column in db[table].columns if column.name != COLUMN)


def _key_of(db: Database, table: str) -> list[str]:
    return [column.name for column in db[table].columns if column.is_pk]
