"""Keep the machines that repositories lie on beside this one."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE hosts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    host_key TEXT NOT NULL,
    data_dir TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
