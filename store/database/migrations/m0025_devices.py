"""Keep devices, and the hashes of their tokens."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE devices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at TEXT,
    is_paired INTEGER NOT NULL,
    last_seen_at TEXT,
    last_seen_from TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE device_tokens (
    device_id INTEGER PRIMARY KEY REFERENCES devices (id),
    token_hash TEXT NOT NULL UNIQUE,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


def migrate(db: Database) -> None:
    """Make the two tables."""
    db.executescript(_SQL)
