"""Keep the limits of accounts, and which sessions go on all the same."""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE usage_limits (
    host TEXT PRIMARY KEY,
    limits TEXT NOT NULL,
    warned TEXT NOT NULL,
    held_since TEXT,
    held_until TEXT,
    tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE sessions ADD COLUMN past_limit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE automations ADD COLUMN when_limited TEXT NOT NULL DEFAULT 'wait';
"""


def migrate(db: Database) -> None:
    """Add the table and the columns, and seal the rows that have these."""
    db.executescript(_SQL)
    seal_rows(db, "sessions")
    seal_rows(db, "automations")
