"""Give sessions a type, and the result that some types have."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE sessions ADD COLUMN type TEXT NOT NULL DEFAULT 'prompt_task';
ALTER TABLE sessions ADD COLUMN result TEXT;
"""


def migrate(db: Database) -> None:
    """Add the columns."""
    db.executescript(_SQL)
