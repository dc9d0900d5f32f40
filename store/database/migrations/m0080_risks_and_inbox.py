"""Keep what is risky in an approval, and what people have put off or have seen in their inbox."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE inbox_marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_id INTEGER NOT NULL,
    until TEXT,
    requested_by TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (kind, record_id)
) STRICT;
ALTER TABLE approvals ADD COLUMN risks TEXT NOT NULL DEFAULT '[]';
"""


def migrate(db: Database) -> None:
    """Add the table and the column, and seal the rows that have it."""
    db.executescript(_SQL)
    seal_rows(db, "approvals")
