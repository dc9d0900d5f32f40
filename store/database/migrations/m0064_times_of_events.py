"""Find the events of a span of time, and those of a type in a repository, however long the log is.

The clock may have been set back, so ids do not follow moments. Of each thousand events the earliest
and the latest moment are noted when they are full; they are never changed.
"""

from sqlite_utils import Database

_SQL = """
CREATE TABLE times_of_events (
    thousand INTEGER PRIMARY KEY,
    earliest TEXT NOT NULL,
    latest TEXT NOT NULL
) STRICT;
INSERT INTO times_of_events
SELECT (id - 1) / 1000, min(ts), max(ts) FROM events
WHERE id <= (SELECT max(id) / 1000 * 1000 FROM events)
GROUP BY (id - 1) / 1000;

DROP INDEX events_by_repository;
CREATE INDEX events_by_repository ON events (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX events_by_repository_and_type ON events (repository_id, type)
    WHERE repository_id IS NOT NULL;
"""


def migrate(db: Database) -> None:
    """Add the table, fill it, and make the indexes anew."""
    db.executescript(_SQL)
