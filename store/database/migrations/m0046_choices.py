"""Keep what runs choose about their models, and the defaults of repositories and tasks."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE sessions ADD COLUMN service_tier TEXT;
ALTER TABLE sessions ADD COLUMN collaboration_mode TEXT;
ALTER TABLE sessions ADD COLUMN personality TEXT;
ALTER TABLE repositories ADD COLUMN run_defaults TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tasks ADD COLUMN run_defaults TEXT NOT NULL DEFAULT '{}';
"""


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    for table in ("sessions", "repositories", "tasks"):
        seal_rows(db, table)
