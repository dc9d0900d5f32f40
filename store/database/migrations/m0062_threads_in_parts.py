"""Copy and forget stored threads in parts, and keep which ones are not to be copied."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE stored_threads ADD COLUMN is_whole INTEGER NOT NULL DEFAULT 1;
CREATE TABLE forgotten_turns (
    host TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    PRIMARY KEY (host, thread_id, turn_id)
) STRICT, WITHOUT ROWID;
"""


def migrate(db: Database) -> None:
    """Have a thread that is copied or forgotten in part not be found."""
    db.executescript(_SQL)
