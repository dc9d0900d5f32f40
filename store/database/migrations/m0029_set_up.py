"""Keep which worktrees are to be set up still."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE unready_worktrees (
    host TEXT NOT NULL,
    path TEXT NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    PRIMARY KEY (host, path)
) STRICT, WITHOUT ROWID;
"""


def migrate(db: Database) -> None:
    """Create the table."""
    db.executescript(_SQL)
