"""Keep updates, chats, messages and buttons of Telegram, and how far something has come."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE telegram_updates (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    update_id INTEGER NOT NULL UNIQUE,
    body TEXT NOT NULL,
    status TEXT NOT NULL
) STRICT;
CREATE INDEX telegram_updates_open ON telegram_updates (status) WHERE status <> 'done';

CREATE TABLE telegram_chats (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    chat_id INTEGER NOT NULL UNIQUE,
    muted TEXT NOT NULL,
    quiet_hours TEXT,
    silent_until TEXT,
    waits_for TEXT NOT NULL,
    migrated_to INTEGER,
    unreachable TEXT
) STRICT;

CREATE TABLE telegram_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    content TEXT NOT NULL,
    status TEXT NOT NULL,
    edits INTEGER REFERENCES telegram_messages (id),
    approval_id INTEGER,
    session_id INTEGER,
    message_id INTEGER,
    attempts INTEGER NOT NULL,
    not_before TEXT,
    error TEXT
) STRICT;
CREATE INDEX telegram_messages_waiting ON telegram_messages (chat_id, id)
    WHERE status = 'waiting';
CREATE INDEX telegram_messages_by_number ON telegram_messages (chat_id, message_id);
CREATE INDEX telegram_messages_by_edited ON telegram_messages (edits) WHERE edits IS NOT NULL;
CREATE INDEX telegram_messages_by_approval ON telegram_messages (approval_id)
    WHERE approval_id IS NOT NULL;
CREATE INDEX telegram_messages_by_session ON telegram_messages (session_id)
    WHERE session_id IS NOT NULL;

CREATE TABLE telegram_buttons (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    nonce TEXT NOT NULL UNIQUE,
    chat_id INTEGER NOT NULL,
    message INTEGER NOT NULL REFERENCES telegram_messages (id),
    approval_id INTEGER,
    action TEXT NOT NULL,
    used_by INTEGER
) STRICT;
CREATE INDEX telegram_buttons_by_message ON telegram_buttons (message);
CREATE INDEX telegram_buttons_by_approval ON telegram_buttons (approval_id)
    WHERE approval_id IS NOT NULL;

CREATE TABLE telegram_marks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    value INTEGER NOT NULL
) STRICT;
"""


def migrate(db: Database) -> None:
    """Create the tables."""
    db.executescript(_SQL)
