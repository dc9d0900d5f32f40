"""Keep the prompts that people want to say again in a repository."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE saved_prompts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    text TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (repository_id, name)
) STRICT;
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
