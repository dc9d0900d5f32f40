"""Keep the browsers that are told by a push service, and the messages that wait for them."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE push_subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    device_id INTEGER REFERENCES devices (id),
    endpoint TEXT NOT NULL UNIQUE,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    kinds TEXT NOT NULL,
    quiet_hours TEXT,
    time_zone TEXT,
    last_sent_at TEXT,
    error TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX push_subscriptions_by_device ON push_subscriptions (device_id);

CREATE TABLE push_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    subscription_id INTEGER NOT NULL REFERENCES push_subscriptions (id) ON DELETE CASCADE,
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
CREATE INDEX push_messages_by_subscription ON push_messages (subscription_id, status);
CREATE INDEX push_messages_by_approval ON push_messages (approval_id);
"""


def migrate(db: Database) -> None:
    """Make the two tables."""
    db.executescript(_SQL)
