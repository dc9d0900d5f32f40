"""Keep the webhooks that events are sent to, and their deliveries."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE webhooks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    url TEXT NOT NULL,
    types TEXT NOT NULL,
    secret TEXT NOT NULL,
    status TEXT NOT NULL,
    paused_reason TEXT,
    position INTEGER NOT NULL,
    failing_since TEXT,
    last_delivered_at TEXT,
    error TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE webhook_deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    webhook_id INTEGER NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id INTEGER NOT NULL,
    type TEXT NOT NULL,
    is_by_hand INTEGER NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    not_before TEXT,
    response_status INTEGER,
    milliseconds INTEGER,
    error TEXT,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, status);
"""


def migrate(db: Database) -> None:
    """Make the two tables."""
    db.executescript(_SQL)
