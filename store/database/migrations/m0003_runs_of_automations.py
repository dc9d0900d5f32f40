"""Keep each run of an automation, and automations that are deleted."""

from sqlite_utils import Database

_SQL = """
ALTER TABLE automations ADD COLUMN deleted_at TEXT;
CREATE INDEX automations_enabled ON automations (id) WHERE enabled = 1;

CREATE TABLE automation_runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    automation_id INTEGER NOT NULL REFERENCES automations (id),
    trigger TEXT NOT NULL,
    due_at TEXT,
    fired_at TEXT NOT NULL,
    missed INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    task_id INTEGER REFERENCES tasks (id),
    session_id INTEGER REFERENCES sessions (id),
    finished_at TEXT,
    UNIQUE (automation_id, due_at)
) STRICT;
CREATE INDEX automation_runs_by_task ON automation_runs (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX automation_runs_by_session ON automation_runs (session_id)
    WHERE session_id IS NOT NULL;
"""


def migrate(db: Database) -> None:
    """Create the table, and find what is enabled by an index."""
    db.executescript(_SQL)
