"""Keep pull requests, and what a forge has told by its webhook."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE pull_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    host TEXT NOT NULL,
    project TEXT NOT NULL,
    branch_name TEXT NOT NULL,
    base TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    is_draft INTEGER NOT NULL,
    status TEXT NOT NULL,
    number INTEGER,
    url TEXT,
    head_sha TEXT NOT NULL,
    checks TEXT NOT NULL,
    check_runs TEXT NOT NULL,
    review TEXT NOT NULL,
    reviews TEXT NOT NULL,
    merge_state TEXT,
    problem TEXT,
    requested_by TEXT NOT NULL,
    read_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pull_requests_by_repository ON pull_requests (repository_id);
CREATE INDEX pull_requests_by_task ON pull_requests (task_id);
CREATE INDEX pull_requests_by_session ON pull_requests (session_id);
CREATE INDEX pull_requests_by_status ON pull_requests (status);
CREATE TABLE forge_deliveries (
    delivery TEXT PRIMARY KEY,
    received_at TEXT NOT NULL,
    event TEXT NOT NULL,
    body BLOB NOT NULL,
    done_at TEXT
) STRICT, WITHOUT ROWID;
"""


def migrate(db: Database) -> None:
    """Add the tables."""
    db.executescript(_SQL)
