"""The schema that the migrations make, held against the records that go into it."""

from pathlib import Path

import msgspec
import pytest
from sqlite_utils import Database

from command_center.store import Record, Table, open_database, tables
from command_center.store.database.checksums import COLUMN
from command_center.store.database.migrations import MIGRATIONS

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
    with Database(memory=True) as db:
        names = [migration.name for migration in MIGRATIONS.pending(db)]
    numbers = [int(name.split("_")[0]) for name in names]
    assert [*range(1, len(names) + 1)] == numbers
