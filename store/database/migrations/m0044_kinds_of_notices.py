"""Keep which kinds of notices the places of Apprise's are not told."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE notify_preferences (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    target TEXT NOT NULL UNIQUE,
    muted TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
