"""Keep the messages that wait for places of Apprise's."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE notify_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    target TEXT NOT NULL,
    purpose TEXT NOT NULL,
    content TEXT NOT NULL,
    tag TEXT NOT NULL,
    approval_id INTEGER,
    ends_at TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    not_before TEXT,
    error TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX notify_messages_by_target ON notify_messages (target, status);
"""


def migrate(db: Database) -> None:
    """Make the table."""
    db.executescript(_SQL)
