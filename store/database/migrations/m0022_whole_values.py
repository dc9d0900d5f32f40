"""Keep long values beside their rows, which are never long.

What a row has no room for lies beside it, and goes with it.
"""

import json

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows
from command_center.store.long_texts.shortening import LONGEST, shorten, shorten_text


def migrate(db: Database) -> None:
    """Create the table, and shorten the rows that there are."""
    db.executescript(_WHOLE_VALUES)
    for table, fields in _LONG_FIELDS.items():
        db.executescript(_SHORTENED.format(table=table))
        _shorten_rows(db, table, fields)
        seal_rows(db, table)
    seal_rows(db, "whole_values")


_LONG_FIELDS = {
    "sessions": {
        "exit_reason": False,
        "last_message": False,
        "plan": True,
        "diff": False,
        "result": True,
        "goal": True,
    },
    "approvals": {"title": False, "details": True, "codex_request": True},
    "agents": {"prompt": False, "last_message": False, "diff": False},
    "items": {"body": True},
}
"""The fields that may be too long for their row, and whether each is JSON."""

_PART = 256 * 1024

_WHOLE_VALUES = """
CREATE TABLE whole_values (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record_table TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    field TEXT NOT NULL,
    part INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    text BLOB NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (record_table, record_id, field, part)
) STRICT;
"""

_SHORTENED = """
ALTER TABLE {table} ADD COLUMN shortened TEXT NOT NULL DEFAULT '[]';
CREATE TRIGGER whole_values_of_{table} AFTER DELETE ON {table} WHEN old.shortened <> '[]' BEGIN
    DELETE FROM whole_values WHERE record_table = '{table}' AND record_id = old.id;
END;
"""


def _shorten_rows(db: Database, table: str, fields: dict[str, bool]) -> None:
    """Shorten what older versions kept in rows, however long, one row after the other."""
    for field, is_json in fields.items():
        sql = f"SELECT id FROM {table} WHERE length({field}) > ?"  # noqa: S608 - names of this module
        for (id_,) in db.execute(sql, [LONGEST]).fetchall():
            sql = f"SELECT {field}, shortened FROM {table} WHERE id = ?"  # noqa: S608 - as above
            whole, shortened = db.execute(sql, [id_]).fetchone()
            size = len(whole.encode())
            for part, begin in enumerate(range(0, len(whole), _PART)):
                text = whole[begin : begin + _PART].encode()
                db.execute(
                    "INSERT INTO whole_values (record_table, record_id, field, part, bytes, text) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    [table, id_, field, part, size, text],
                )
            named = [*json.loads(shortened), _camel(field)]
            shown = json.dumps(shorten(json.loads(whole))) if is_json else shorten_text(whole)
            sql = f"UPDATE {table} SET {field} = ?, shortened = ? WHERE id = ?"  # noqa: S608 - as above
            db.execute(sql, [shown, json.dumps(sorted(named)), id_])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
