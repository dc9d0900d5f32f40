"""Let the log begin later: events up to the cut may be removed.

What the removed ones told that is still asked for is kept: which turns sessions had, and for which
session a worktree was made last.
"""

from sqlite_utils import Database

from command_center.store.database.checksums import seal_rows

_SQL = """
CREATE TABLE removed_events (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    up_to INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO removed_events (id, up_to) VALUES (1, 0);
CREATE TABLE turns_of_removed_events (
    id INTEGER PRIMARY KEY,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    turn_id TEXT NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session_id, turn_id)
) STRICT;
CREATE TABLE worktrees_of_removed_events (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    session_id INTEGER,
    checksum INTEGER NOT NULL DEFAULT 0,
    UNIQUE (repository_id, path)
) STRICT;
CREATE INDEX thousands_of_events_by_thousand ON thousands_of_events (thousand);
DROP TRIGGER events_are_never_removed;
CREATE TRIGGER events_are_never_removed BEFORE DELETE ON events
WHEN old.id > (SELECT up_to FROM removed_events) AND (
    (SELECT min(last_event) FROM event_segments WHERE last_event >= old.id)
        IS NOT (SELECT max(last_event) FROM event_segments)
    OR NOT EXISTS (SELECT 1 FROM event_segments)
)
    BEGIN SELECT RAISE(ABORT, 'events are never removed above the cut'); END;
"""


def migrate(db: Database) -> None:
    """Add the tables, and have the log let go of the rows below the cut."""
    db.executescript(_SQL)
    seal_rows(db, "removed_events")
