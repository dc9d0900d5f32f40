"""Keep which configurations of a repository's own a person has trusted."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE repositories ADD COLUMN codex_config TEXT NOT NULL DEFAULT 'ignore';
ALTER TABLE repositories ADD COLUMN reviewer TEXT NOT NULL DEFAULT 'user';

CREATE TABLE trusted_configurations (
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    texts TEXT NOT NULL,
    trusted_at TEXT,
    approval_id INTEGER REFERENCES approvals (id) ON DELETE SET NULL,
    PRIMARY KEY (repository_id, digest)
) STRICT, WITHOUT ROWID;
"""


def migrate(db: Database) -> None:
    """Create the table, and the columns of a repository."""
    db.executescript(_SQL)
