"""Keep what the files of a worktree were after each turn."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    path TEXT NOT NULL,
    turn_id TEXT,
    moment TEXT NOT NULL,
    branch_name TEXT,
    head_sha TEXT NOT NULL,
    sha TEXT NOT NULL,
    files INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX snapshots_by_place ON snapshots (repository_id, path);
CREATE INDEX snapshots_by_session ON snapshots (session_id);
"""


def migrate(db: Database) -> None:
    """Add the table."""
    db.executescript(_SQL)
