"""Keep what is wanted of each host, also of the server's own machine, and when it was seen."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE host_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    is_draining INTEGER NOT NULL DEFAULT 0,
    labels TEXT NOT NULL DEFAULT '[]',
    max_sessions INTEGER,
    last_seen_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
