"""Keep what people say of lines that sessions have changed."""

from sqlite_utils import Database

_SQL = """
CREATE TABLE comments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    task_id INTEGER NOT NULL REFERENCES tasks (id),
    session_id INTEGER NOT NULL REFERENCES sessions (id),
    path TEXT NOT NULL,
    side TEXT NOT NULL,
    line INTEGER NOT NULL,
    end_line INTEGER NOT NULL,
    text TEXT NOT NULL,
    quote TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_by TEXT NOT NULL,
    followup_id INTEGER REFERENCES followups (id),
    sent_session_id INTEGER REFERENCES sessions (id),
    steer_event_id INTEGER,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX comments_by_task ON comments (task_id);
CREATE INDEX comments_by_session ON comments (session_id);
CREATE INDEX comments_by_followup ON comments (followup_id);
CREATE INDEX comments_by_sent_session ON comments (sent_session_id);
CREATE INDEX comments_by_steer_event ON comments (steer_event_id);
"""


def migrate(db: Database) -> None:
    """Add the table."""
    db.executescript(_SQL)
