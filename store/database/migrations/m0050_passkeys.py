"""Keep the passkeys of devices: their public keys, and how often each has signed."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE passkeys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    device_id INTEGER NOT NULL,
    host TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL,
    sign_count INTEGER NOT NULL,
    last_used_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX passkeys_by_device ON passkeys (device_id);
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
