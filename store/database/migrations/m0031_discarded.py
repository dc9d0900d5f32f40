"""Keep what people discarded of the work of sessions."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE discarded (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    branch_name TEXT,
    head_sha TEXT NOT NULL,
    sha TEXT NOT NULL,
    files INTEGER NOT NULL,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX discarded_by_repository ON discarded (repository_id);
CREATE INDEX discarded_by_session ON discarded (session_id);
"""


def migrate(db: Database) -> None:
    """Add the table."""
    db.executescript(_SQL)
