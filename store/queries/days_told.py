"""Age by the days on which something was told, as a clock alone is not believed.

A clock may be far ahead or behind for a while. By it alone, all would be old at once. So a thing is
older than so many days if the clock says so, and as many days, and two more, have been told of
since: events or ends of sessions have their dates. A jump of the clock is one such date, however
far it was. Days on which a server was off, or had nothing to tell, do not count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlite_utils import Database

from command_center.store.timestamps import Timestamp, to_timestamp

SPARE: Final = 2
"""Days beside those that are asked for: the one that has begun, and one for a jump of the clock."""

NEVER: Final[Timestamp] = ""
"""The moment before which nothing was."""

_DAYS = """
    WITH RECURSIVE told(day, count) AS (
        VALUES (:now, 0)
        UNION ALL
        SELECT substr(max(
            ifnull((
                SELECT ts FROM events WHERE ts < told.day AND +id > :behind
                ORDER BY ts DESC LIMIT 1
            ), ''),
            ifnull({ends}, '')
        ), 1, 10), count + 1
        FROM told WHERE count < :count AND day > ''
    )
    SELECT day FROM told WHERE count = :count
"""
_OF_ALL = _DAYS.format(
    ends="""(
        SELECT finished_at FROM sessions WHERE finished_at < told.day
            AND finished_at IS NOT NULL AND transcript_removed_at IS NULL
        ORDER BY finished_at DESC LIMIT 1
    )"""
)
_OF_EVENTS = _DAYS.format(ends="NULL")


def old_before(db: Database, days: int, now: datetime) -> Timestamp:
    """Return the moment before which a thing is older than so many days."""
    by_clock = to_timestamp(now - timedelta(days=days))
    return min(by_clock, _first_day(db, _OF_ALL, days, now, behind=0))


def is_told_behind(db: Database, event_id: int, days: int, now: datetime) -> bool:
    """Say whether so many days, and two more, were told of behind an event in the log."""
    return _first_day(db, _OF_EVENTS, days, now, behind=event_id) > NEVER


def _first_day(db: Database, sql: str, days: int, now: datetime, *, behind: int) -> Timestamp:
    """Return the first of so many days, and two more, up to now; `NEVER` where they are fewer."""
    bound = {"now": to_timestamp(now), "count": days + SPARE, "behind": behind}
    found = db.execute(sql, bound).fetchone()
    return NEVER if found is None else str(found[0])
