"""Keep which repositories on several hosts are the same, and on which of them a run is to work."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN project TEXT;
ALTER TABLE repositories ADD COLUMN identity TEXT;
ALTER TABLE tasks ADD COLUMN placement TEXT;
ALTER TABLE sessions ADD COLUMN placement TEXT;
ALTER TABLE sessions ADD COLUMN placement_reason TEXT;
CREATE INDEX repositories_by_identity ON repositories (identity);
"""


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    for table in ("repositories", "tasks", "sessions"):
        seal_rows(db, table)
