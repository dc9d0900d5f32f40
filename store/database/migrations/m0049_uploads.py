"""Keep the files that people send for Codex, and which of them a session or a follow-up has."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE,
    media_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    requested_by TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX uploads_by_size ON uploads (size);
ALTER TABLE sessions ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]';
ALTER TABLE followups ADD COLUMN attachments TEXT NOT NULL DEFAULT '[]';
CREATE INDEX sessions_with_attachments ON sessions (id) WHERE attachments <> '[]';
CREATE INDEX followups_with_attachments ON followups (id) WHERE attachments <> '[]';
"""


def migrate(db: Database) -> None:
    """Add the table and the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    seal_rows(db, "sessions")
    seal_rows(db, "followups")
