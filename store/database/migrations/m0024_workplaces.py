"""Keep where runs of a repository work, and whether a session's worktree is only reserved.

What is there keeps what it did. A session that had no folder of its own yet, and would have got
one, still gets it.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN workplace TEXT NOT NULL DEFAULT 'main_checkout';
ALTER TABLE sessions ADD COLUMN workplace TEXT NOT NULL DEFAULT 'main_checkout';
ALTER TABLE sessions ADD COLUMN worktree_reserved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN waits_for INTEGER;
UPDATE sessions SET workplace = 'worktree' WHERE EXISTS (
    SELECT 1 FROM repositories AS repository WHERE repository.id = sessions.repository_id AND (
        sessions.worktree_path <> repository.local_path
        OR sessions.worktree_path IS NULL
        AND (sessions.branch_name IS NOT NULL OR repository.require_worktree = 1)
    )
);
"""


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    for table in ("repositories", "sessions"):
        seal_rows(db, table)
