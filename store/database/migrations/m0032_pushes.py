"""Keep what is pushed of the work of sessions, and whether a repository lets that be unasked."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN allow_push INTEGER NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN push_addresses TEXT NOT NULL DEFAULT '[]';
CREATE TABLE pushes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    remote TEXT NOT NULL,
    address TEXT NOT NULL,
    branch_name TEXT NOT NULL,
    sha TEXT NOT NULL,
    remote_sha TEXT,
    lease TEXT,
    commits INTEGER NOT NULL,
    status TEXT NOT NULL,
    approval_id INTEGER,
    problem TEXT,
    requested_by TEXT NOT NULL,
    finished_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pushes_by_repository ON pushes (repository_id);
CREATE INDEX pushes_by_session ON pushes (session_id);
CREATE INDEX pushes_by_approval ON pushes (approval_id);
"""


def migrate(db: Database) -> None:
    """Add the columns and the table, and seal the rows that have the columns."""
    db.executescript(_SQL)
    seal_rows(db, "repositories")
