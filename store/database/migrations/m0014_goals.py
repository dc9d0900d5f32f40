"""Give sessions a goal, and keep the threads of repositories that were deleted."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE sessions ADD COLUMN goal TEXT;
ALTER TABLE sessions ADD COLUMN turns INTEGER NOT NULL DEFAULT 1;

CREATE TABLE released_threads (
    thread_id TEXT PRIMARY KEY,
    repository_id INTEGER NOT NULL,
    created_at TEXT NOT NULL
) STRICT;
"""


def migrate(db: Database) -> None:
    """Create the table, and the columns of a session."""
    db.executescript(_SQL)
