"""Let the events of a repository that was deleted be removed, where they are not the oldest.

Ids keep no gaps: an event that says nothing takes the place of each.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE removed_histories (
    repository_id INTEGER PRIMARY KEY,
    up_to INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
DROP TRIGGER events_are_never_removed;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
WHEN old.id > (SELECT up_to FROM removed_events)
    AND NOT EXISTS (
        SELECT 1 FROM removed_histories AS gone
        WHERE gone.repository_id = old.repository_id AND gone.up_to >= old.id
    )
    AND (
        (SELECT min(last_event) FROM event_segments WHERE last_event >= old.id)
            IS NOT (SELECT max(last_event) FROM event_segments)
        OR NOT EXISTS (SELECT 1 FROM event_segments)
    )
    BEGIN SELECT RAISE(ABORT, 'events are never removed above the cut'); END;
"""


def migrate(db: Database) -> None:
    """Add the table, and have the log let go of the rows of such a repository."""
    db.executescript(_SQL)
