"""Keep how hosts sign in that dial out, and count the starts of this log's servers."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE host_keys (
    host_id INTEGER PRIMARY KEY REFERENCES hosts (id),
    enrolment_hash TEXT UNIQUE,
    enrolment_expires_at TEXT,
    key_hash TEXT UNIQUE,
    life INTEGER NOT NULL DEFAULT 0,
    life_id TEXT NOT NULL DEFAULT '',
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
ALTER TABLE log_identity ADD COLUMN starts INTEGER NOT NULL DEFAULT 0;
"""


def migrate(db: Database) -> None:
    """Make the table and the column."""
    db.executescript(_SQL)
