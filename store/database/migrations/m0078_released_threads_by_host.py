"""Keep a released thread by its host, too: two machines may name their threads alike."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE released_anew (
    thread_id TEXT NOT NULL,
    repository_id INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    host TEXT NOT NULL DEFAULT 'local',
    PRIMARY KEY (host, thread_id)
) STRICT;
INSERT INTO released_anew SELECT thread_id, repository_id, created_at, host
    FROM released_threads ORDER BY rowid;
DROP TABLE released_threads;
ALTER TABLE released_anew RENAME TO released_threads;
"""


def migrate(db: Database) -> None:
    """Make the table anew."""
    db.executescript(_SQL)
