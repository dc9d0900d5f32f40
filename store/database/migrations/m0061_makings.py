"""Find the event that told of a task's or a session's making without going through the others."""

from sqlite_utils import Database


def migrate(db: Database) -> None:
    """Make the two indexes, each of the events of one type alone."""
    db.execute(
        "CREATE INDEX events_of_made_tasks ON events (task_id, type) WHERE type = 'task.created'"
    )
    db.execute(
        "CREATE INDEX events_of_made_sessions ON events (session_id, type) "
        "WHERE type = 'session.created'"
    )
