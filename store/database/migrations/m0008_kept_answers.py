"""Keep the answers to requests that have an `Idempotency-Key`."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE kept_answers (
    key TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    request TEXT NOT NULL,
    instance TEXT NOT NULL,
    status INTEGER,
    body BLOB
) STRICT;
CREATE INDEX kept_answers_by_age ON kept_answers (created_at);
"""


def migrate(db: Database) -> None:
    """Create the table."""
    db.executescript(_SQL)
