"""Let the texts of old events be moved into segments.

A row of the log is written anew for that, without its text. So those of the newest segment may be
removed; the log refuses every other change, and that of earlier ones.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE event_segments (
    last_event INTEGER PRIMARY KEY,
    texts BLOB NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
DROP TRIGGER events_are_never_removed;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
WHEN (SELECT min(last_event) FROM event_segments WHERE last_event >= old.id)
    IS NOT (SELECT max(last_event) FROM event_segments)
    OR NOT EXISTS (SELECT 1 FROM event_segments)
    BEGIN SELECT RAISE(ABORT, 'events are never removed'); END;
"""


def migrate(db: Database) -> None:
    """Add the table, and have the log let go of the rows of its newest segment."""
    db.executescript(_SQL)
