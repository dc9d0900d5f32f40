"""Keep which repositories are clones of a pool, and which host may work on a run of theirs."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE pool_clones (
    repository_id INTEGER PRIMARY KEY REFERENCES repositories (id) ON DELETE CASCADE,
    remote TEXT NOT NULL
) STRICT;
CREATE TABLE leases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL UNIQUE REFERENCES sessions (id) ON DELETE CASCADE,
    host TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'held',
    is_settled INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX leases_by_host ON leases (host, status);
"""


def migrate(db: Database) -> None:
    """Make the tables."""
    db.executescript(_SQL)
