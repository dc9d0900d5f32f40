"""Keep what needs no approval in a repository any more, since a person said so."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    kind TEXT NOT NULL,
    words TEXT NOT NULL DEFAULT '[]',
    is_exact INTEGER NOT NULL DEFAULT 1,
    folder TEXT NOT NULL DEFAULT '',
    host TEXT,
    protocol TEXT,
    sandbox TEXT NOT NULL,
    allow_network INTEGER NOT NULL,
    allow_commit INTEGER NOT NULL,
    approval_id INTEGER,
    requested_by TEXT NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    last_used_at TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX rules_by_repository ON rules (repository_id);
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
