"""Count what is of one repository.

What `telemetry` counts of one repository is found in the indexes in which it counts all, which
therefore end with it. Of the log, which is longer than all else, each thousand events are counted
by repository when they are full; they are never changed.
"""

from sqlite_utils import Database

_SQL = """
DROP INDEX sessions_by_status_and_creation;
DROP INDEX sessions_by_status_and_finish;
DROP INDEX sessions_by_duration;
DROP INDEX approvals_by_status_and_resolution;
CREATE INDEX sessions_by_status_and_creation ON sessions (status, created_at, repository_id);
CREATE INDEX sessions_by_status_and_finish ON sessions (
    status, finished_at, round((julianday(finished_at) - julianday(started_at)) * 86400, 3),
    repository_id
);
CREATE INDEX sessions_by_duration ON sessions (
    round((julianday(finished_at) - julianday(started_at)) * 86400, 3), finished_at, repository_id
) WHERE round((julianday(finished_at) - julianday(started_at)) * 86400, 3) IS NOT NULL;
CREATE INDEX approvals_by_status_and_resolution ON approvals (status, resolved_at, repository_id)
    WHERE resolved_at IS NOT NULL;
CREATE INDEX tasks_by_repository_and_status ON tasks (repository_id, status);

CREATE TABLE thousands_of_events (
    repository_id INTEGER NOT NULL,
    thousand INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (repository_id, thousand)
) STRICT, WITHOUT ROWID;
INSERT INTO thousands_of_events
SELECT repository_id, (id - 1) / 1000, count(*) FROM events
WHERE repository_id IS NOT NULL AND id <= (SELECT max(id) / 1000 * 1000 FROM events)
GROUP BY repository_id, (id - 1) / 1000;
"""


def migrate(db: Database) -> None:
    """Create the indexes anew, and the counts of the log."""
    db.executescript(_SQL)
