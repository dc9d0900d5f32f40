"""Keep on which host a released thread is."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE released_threads ADD COLUMN host TEXT NOT NULL DEFAULT 'local';
"""


def migrate(db: Database) -> None:
    """Add the column."""
    db.executescript(_SQL)
