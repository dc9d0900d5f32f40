"""Keep which turns outlived their sessions."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE stray_turns (
    session_id INTEGER PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    created_at TEXT NOT NULL
) STRICT;
"""


def migrate(db: Database) -> None:
    """Create the table."""
    db.executescript(_SQL)
