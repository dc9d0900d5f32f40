"""Keep on which host a session works."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE sessions ADD COLUMN host TEXT NOT NULL DEFAULT 'local';
"""


def migrate(db: Database) -> None:
    """Add the column."""
    db.executescript(_SQL)
