"""Turns that something is known of."""

from collections.abc import Sequence

from sqlite_utils import Database


def turns_of_items(db: Database, session_ids: Sequence[int]) -> set[str]:
    """Return the ids of the turns of which the sessions, or their sub-agents, have items.

    Those that only removed events told of are among them.
    """
    places = ", ".join("?" * len(session_ids))
    sql = (
        f"SELECT turn_id FROM items WHERE session_id IN ({places}) "  # noqa: S608 - only places
        f"UNION SELECT turn_id FROM turns_of_removed_events WHERE session_id IN ({places})"
    )
    return {str(row[0]) for row in db.execute(sql, [*session_ids, *session_ids]).fetchall()}


def told_turns(db: Database, session_ids: Sequence[int], events: Sequence[str]) -> set[str]:
    """Return the ids of the turns that events of these types tell of in the sessions' stories."""
    places, types = ", ".join("?" * len(session_ids)), ", ".join("?" * len(events))
    sql = (
        "SELECT json_extract(body, '$.data.turnId') FROM events "  # noqa: S608 - only places
        f"WHERE session_id IN ({places}) AND type IN ({types})"
    )
    return {str(row[0]) for row in db.execute(sql, [*session_ids, *events]).fetchall()}
