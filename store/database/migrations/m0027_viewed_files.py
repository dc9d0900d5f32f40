"""Keep which changed files a person has looked at."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE viewed_files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    path TEXT NOT NULL,
    content TEXT,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (task_id, path)
) STRICT;
"""


def migrate(db: Database) -> None:
    """Add the table."""
    db.executescript(_SQL)
