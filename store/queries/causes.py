"""Causes: the event that led to another."""

from collections.abc import Sequence
from typing import Final, Literal

from sqlite_utils import Database

LONGEST_STORY: Final = 5000
"""The most events that are gone through to find what led to one."""


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
    sql = f"""
        WITH RECURSIVE before(id, previous) AS (
            SELECT id, previous_session_id FROM sessions WHERE id = ?
            UNION
            SELECT s.id, s.previous_session_id FROM sessions AS s JOIN before ON s.id = previous
        )
        SELECT cause.session_id FROM before
        JOIN events AS told ON told.session_id = before.id AND told.type = 'session.created'
        JOIN events AS cause ON cause.id = {cause_of("told")}
        WHERE cause.session_id IS NOT NULL AND cause.task_id <> told.task_id
        ORDER BY before.id LIMIT 1
    """  # noqa: S608 - of this module's own names
    found = db.execute(sql, [session_id]).fetchone()
    return None if found is None else found[0]


def was_led_to_by(db: Database, event_id: int, automation_id: int) -> bool:
    """Return whether an event is one of an automation's, or of what its runs led to.

    An event leads back to the one that it names as its cause, and to those that its task and its
    session were made for. What is told of one session names the event before it: such steps are
    left out, since the session's making stands for them all. An event that is not as it was written
    leads nowhere. A story of `LONGEST_STORY` events is taken for one of the automation's.
    """
    sql = f"""
        WITH RECURSIVE story(id) AS (
            VALUES (:event)
            UNION
            SELECT cause.id FROM story JOIN events AS told ON told.id = story.id
            JOIN events AS cause ON cause.id = {cause_of("told")}
            WHERE (told.session_id IS NULL AND told.task_id IS NULL)
                OR told.session_id IS NOT cause.session_id
                OR told.task_id IS NOT cause.task_id
                OR told.automation_id IS NOT cause.automation_id
            UNION
            SELECT {cause_of("made")} FROM story JOIN events AS told ON told.id = story.id
            JOIN events AS made ON made.task_id = told.task_id AND made.type = 'task.created'
            UNION
            SELECT {cause_of("made")} FROM story JOIN events AS told ON told.id = story.id
            JOIN events AS made
                ON made.session_id = told.session_id AND made.type = 'session.created'
            LIMIT :longest
        )
        SELECT (SELECT count(*) FROM story) >= :longest OR EXISTS (
            SELECT 1 FROM story JOIN events AS told ON told.id = story.id
            LEFT JOIN tasks ON tasks.id = told.task_id
            WHERE told.automation_id = :automation OR tasks.automation_id = :automation
        )
    """  # noqa: S608 - of this module's own names
    found = db.execute(
        sql, {"event": event_id, "automation": automation_id, "longest": LONGEST_STORY}
    ).fetchone()
    return bool(found[0])


def cause_of(event: str) -> str:
    """Return the SQL of the cause that an event names; NULL where its text is no JSON."""
    body = f"{event}.body"
    return f"CASE WHEN json_valid({body}) THEN json_extract({body}, '$.causationId') END"


def without_outcome(
    db: Database, session_id: int, asked: str, outcomes: Sequence[str]
) -> list[int]:
    """Return the ids of a session's events of type `asked` that led to none of these types."""
    places = ", ".join("?" * len(outcomes))
    sql = (
        "SELECT id FROM events AS asked WHERE session_id = ? AND type = ? AND NOT EXISTS "  # noqa: S608
        "(SELECT 1 FROM events AS later WHERE later.session_id = asked.session_id "
        f"AND later.type IN ({places}) "
        f"AND {cause_of('later')} = asked.id)"
    )
    return [row[0] for row in db.execute(sql, [session_id, asked, *outcomes]).fetchall()]


def was_told(db: Database, session_id: int, event: str, turn_id: str) -> bool:
    """Return whether an event of the type, about the turn, is in the session's story."""
    told = db.execute(
        "SELECT 1 FROM events WHERE session_id = ? AND type = ? "
        "AND CASE WHEN json_valid(body) THEN json_extract(body, '$.data.turnId') END = ?",
        [session_id, event, turn_id],
    )
    return told.fetchone() is not None
