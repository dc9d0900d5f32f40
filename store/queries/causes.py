"""Causes: the event that led to another."""

from collections.abc import Sequence
from typing import Literal

from sqlite_utils import Database


def last_event(
    db: Database, subject: Literal["session_id", "task_id", "approval_id"], key: int
) -> int | None:
    """Return the id of the newest event of a session, task or approval; None if it has none.

    Raises:
        ValueError: events have no such subject.
    """
    if subject not in {"session_id", "task_id", "approval_id"}:
        raise ValueError(subject)
    sql = f"SELECT max(id) FROM events WHERE {subject} = ?"  # noqa: S608 - one of three constants
    found: int | None = db.execute(sql, [key]).fetchone()[0]
    return found


def begun_from(db: Database, session_id: int) -> int | None:
    """Return the session whose agent had this one begin; None where nobody's had.

    What follows a session in its task, such as its retry, was begun from where that was.
    """
    sql = """
        WITH RECURSIVE before(id, previous) AS (
            SELECT id, previous_session_id FROM sessions WHERE id = ?
            UNION
            SELECT s.id, s.previous_session_id FROM sessions AS s JOIN before ON s.id = previous
        )
        SELECT cause.session_id FROM before
        JOIN events AS told ON told.session_id = before.id AND told.type = 'session.created'
        JOIN events AS cause ON cause.id = json_extract(told.body, '$.causationId')
        WHERE cause.session_id IS NOT NULL AND cause.task_id <> told.task_id
        ORDER BY before.id LIMIT 1
    """
    found = db.execute(sql, [session_id]).fetchone()
    return None if found is None else found[0]


def was_led_to_by(db: Database, event_id: int, automation_id: int) -> bool:
    """Return whether an event is one of an automation's, or of what its runs led to.

    A task, and a session of it, stand for all that is told of them: from there the search goes on
    with what they were made for.
    """
    sql = """
        WITH RECURSIVE story(id) AS (
            VALUES (:event)
            UNION
            SELECT json_extract(made.body, '$.causationId') FROM story
            JOIN events AS told ON told.id = story.id
            JOIN events AS made ON made.task_id = told.task_id AND made.type = 'task.created'
            UNION
            SELECT json_extract(made.body, '$.causationId') FROM story
            JOIN events AS told ON told.id = story.id
            JOIN events AS made
                ON made.session_id = told.session_id AND made.type = 'session.created'
            UNION
            SELECT json_extract(told.body, '$.causationId') FROM story
            JOIN events AS told ON told.id = story.id
            WHERE told.task_id IS NULL AND told.session_id IS NULL
        )
        SELECT EXISTS (
            SELECT 1 FROM story JOIN events AS told ON told.id = story.id
            LEFT JOIN tasks ON tasks.id = told.task_id
            WHERE told.automation_id = :automation OR tasks.automation_id = :automation
        )
    """
    found = db.execute(sql, {"event": event_id, "automation": automation_id}).fetchone()
    return bool(found[0])


def without_outcome(
    db: Database, session_id: int, asked: str, outcomes: Sequence[str]
) -> list[int]:
    """Return the ids of a session's events of type `asked` that led to none of these types."""
    places = ", ".join("?" * len(outcomes))
    sql = (
        "SELECT id FROM events AS asked WHERE session_id = ? AND type = ? AND NOT EXISTS "  # noqa: S608
        "(SELECT 1 FROM events AS later WHERE later.session_id = asked.session_id "
        f"AND later.type IN ({places}) "
        "AND json_extract(later.body, '$.causationId') = asked.id)"
    )
    return [row[0] for row in db.execute(sql, [session_id, asked, *outcomes]).fetchall()]


def was_told(db: Database, session_id: int, event: str, turn_id: str) -> bool:
    """Return whether an event of the type, about the turn, is in the session's story."""
    told = db.execute(
        "SELECT 1 FROM events WHERE session_id = ? AND type = ? "
        "AND json_extract(body, '$.data.turnId') = ?",
        [session_id, event, turn_id],
    )
    return told.fetchone() is not None
