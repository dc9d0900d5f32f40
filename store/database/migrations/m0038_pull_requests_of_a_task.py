"""Keep what a task itself wants about its pull requests, and when merging one is asked about."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
ALTER TABLE repositories ADD COLUMN merge_when TEXT NOT NULL DEFAULT 'asked';
ALTER TABLE tasks ADD COLUMN on_checks_failed TEXT;
ALTER TABLE tasks ADD COLUMN on_review TEXT;
ALTER TABLE tasks ADD COLUMN forge_followups INTEGER;
ALTER TABLE tasks ADD COLUMN merge_when TEXT;
"""


def migrate(db: Database) -> None:
    """Add the columns, and seal the rows that have them."""
    db.executescript(_SQL)
    for table in ("repositories", "tasks"):
        seal_rows(db, table)
