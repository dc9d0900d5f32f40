"""Tell a row that the disk has changed.

A body that is no text any more must be read all the same, to be told from what was written.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows, sealed_tables


def migrate(db: Database) -> None:
    """Add the checksums, and seal all rows."""
    for table in _SEALED:
        db.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    for table in sealed_tables(db):
        seal_rows(db, table)
    db.executescript(_SEAL_EVENTS)


_SEALED = (
    *("repositories", "tasks", "sessions", "approvals", "agents", "items", "followups"),
    *("automations", "automation_runs", "trusted_configurations", "events"),
    *("telegram_updates", "telegram_chats", "telegram_messages", "telegram_buttons"),
    "telegram_marks",
)

_SEAL_EVENTS = """
DROP TRIGGER events_are_never_changed;
UPDATE events SET checksum = row_checksum(
    id, type, ts, repository_id, task_id, session_id, approval_id, automation_id, correlation_id,
    CAST(body AS BLOB)
);
CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
"""
