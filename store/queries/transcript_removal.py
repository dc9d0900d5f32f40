"""The removal of old transcripts: the items of sessions, with what a search finds of them.

A session keeps its prompt, its last message, its result and its numbers. Nothing is taken of a task
that is open, or that has a follow-up or an approval that waits. A repository may say for how long
its own are kept; the server's bounds are for the others.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from command_center.store.errors import DamagedRecord
from command_center.store.queries import days_told
from command_center.store.queries.event_removal import ROW_BYTES, SAMPLES, STEP, STEP_BYTES
from command_center.store.records import Session
from command_center.store.tables import repositories, sessions
from command_center.store.transaction import Transaction

MOST_TRIED: Final = 1000 * SAMPLES
"""Most numbers of items that are tried, as few of them may be left."""

SESSIONS: Final = 500
"""Sessions by which the size of a repository's transcripts is estimated, about."""

_LONG_TEXTS: Final = """ifnull((
    SELECT sum(length(text)) FROM whole_values
    WHERE record_table = 'items' AND record_id = items.id
), 0)"""
_BYTES: Final = f"""
    length(CAST(body AS BLOB)) + {_LONG_TEXTS} + {ROW_BYTES}
    + 2 * ifnull((SELECT length(CAST(text AS BLOB)) FROM texts WHERE item = items.id), 0)
"""  # noqa: S608 - constants
"""Bytes of an item, about: its own, and the text that is searched, with its index."""

_KEPT: Final = "(SELECT keep_transcripts FROM repositories WHERE id = sessions.repository_id) IS ?"
_DUE: Final = """
    SELECT id FROM sessions
    WHERE {which} AND {kept} AND finished_at IS NOT NULL AND transcript_removed_at IS NULL
        AND NOT EXISTS (
            SELECT 1 FROM sessions AS open
            WHERE open.task_id = sessions.task_id AND open.finished_at IS NULL
        )
        AND NOT EXISTS (
            SELECT 1 FROM followups
            WHERE followups.task_id = sessions.task_id AND followups.status = 'pending'
        )
        AND NOT EXISTS (
            SELECT 1 FROM approvals
            WHERE approvals.task_id = sessions.task_id AND approvals.status = 'pending'
        )
    ORDER BY finished_at
"""
_OLD: Final = _DUE.format(
    which="finished_at < ? AND repository_id = ifnull(?, repository_id)", kept=_KEPT
)
_STILL_DUE: Final = _DUE.format(which="id = ?", kept=_KEPT)
_ITEMS: Final = f"""
    SELECT id, length(body) + {_LONG_TEXTS} FROM items WHERE session_id = ? ORDER BY id LIMIT ?
"""  # noqa: S608 - constants
_LEFT_OVER: Final = """
    SELECT id FROM sessions WHERE transcript_removed_at IS NOT NULL
        AND EXISTS (SELECT 1 FROM items WHERE session_id = sessions.id)
"""


def own_bounds(db: Database) -> list[str]:
    """Return the bounds that repositories have of their own, each once."""
    found, _ = repositories.sound(db, {})
    return sorted({one.keep_transcripts for one in found if one.keep_transcripts is not None})


def old_sessions(
    db: Database, kept: str | None, days: int, now: datetime, repository_id: int | None = None
) -> Iterator[int]:
    """Yield the sessions that ended so many days ago and have their transcripts, oldest first.

    The last that one told is as far back in the log, whatever a clock said when it ended. One that
    is damaged keeps what it has, and holds nothing up; so do those of a repository that is damaged.
    They are of repositories whose own bound is `kept`, None for those that have none, or of one of
    these alone.
    """
    last_event = "SELECT ifnull(max(id), 0) FROM events WHERE session_id = ?"
    before = days_told.old_before(db, days, now)
    sound = {one.id for one in repositories.sound(db, {})[0]}
    for (session_id,) in db.execute(_OLD, [before, repository_id, kept]):
        last = db.execute(last_event, [session_id]).fetchone()[0]
        if last and not days_told.is_told_behind(db, last, days, now):
            continue
        with suppress(DamagedRecord):
            session = sessions.get(db, session_id)
            if session.repository_id in sound:
                yield session.id


def bytes_of(db: Database, session_id: int) -> int:
    """Return about how many bytes the transcript of a session takes."""
    sql = f"SELECT ifnull(sum({_BYTES}), 0) FROM items WHERE session_id = ?"  # noqa: S608 - constants
    return int(db.execute(sql, [session_id]).fetchone()[0])


def bytes_of_repository(db: Database, repository_id: int) -> int:
    """Estimate the bytes of a repository's transcripts, by some of its sessions."""
    found = [
        id_
        for (id_,) in db.execute(
            "SELECT id FROM sessions WHERE repository_id = ? AND transcript_removed_at IS NULL",
            [repository_id],
        )
    ]
    looked_at = found[:: 1 + len(found) // SESSIONS]
    taken = sum(bytes_of(db, id_) for id_ in looked_at)
    return taken * len(found) // max(1, len(looked_at))


def all_bytes(db: Database) -> int:
    """Estimate the bytes of all transcripts whose repositories have no bound of their own.

    Some are looked at, spread over all of them. Numbers that are no more are passed over: the item
    behind many of those would count for all of them.
    """
    first, last, count = db.execute("SELECT min(id), max(id), count(*) FROM items").fetchone()
    if not count:
        return 0
    numbers = last - first + 1
    tried = min(numbers, SAMPLES * numbers // count, MOST_TRIED)
    of_one = db.execute(
        f"""
        WITH RECURSIVE sample(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM sample WHERE n < ?),
            at(id) AS (SELECT ? + n * 2654435761 % ? FROM sample)
        SELECT ifnull(avg(CASE WHEN {_KEPT} THEN {_BYTES} ELSE 0 END), 0)
        FROM at CROSS JOIN items ON items.id = at.id
        JOIN sessions ON sessions.id = items.session_id
        """,  # noqa: S608 - constants
        [tried - 1, first, numbers, None],
    ).fetchone()[0]
    return int(count * of_one)


def release(tx: Transaction, session_id: int, kept: str | None) -> Session | None:
    """Have the transcript of a session that is old be removed: it is not shown from now on.

    Whatever happens to the task then, none of it stays: half a transcript is of use to nobody.

    Returns:
        the session; None where its task goes on meanwhile, or its repository has another bound now.
    """
    if tx.db.execute(_STILL_DUE, [session_id, kept]).fetchone() is None:
        return None
    return sessions.update(tx, session_id, transcript_removed_at=tx.now)


def left_over(db: Database) -> list[int]:
    """Return the sessions whose transcripts are to go, and are not gone."""
    return [id_ for (id_,) in db.execute(_LEFT_OVER)]


def remove_next(db: Database, session_id: int) -> int:
    """Remove the next items of a session whose transcript is to go; return how many they are."""
    ids: list[int] = []
    taken = 0
    for id_, size in db.execute(_ITEMS, [session_id, STEP]):
        if ids and taken + size > STEP_BYTES:
            break
        ids.append(id_)
        taken += size
    # Turns that are not known any more would be taken for new ones.
    keep_turn = """
        INSERT OR IGNORE INTO turns_of_removed_events (session_id, turn_id)
        SELECT session_id, turn_id FROM items WHERE id = ?
    """
    for sql in (keep_turn, "DELETE FROM items WHERE id = ?"):
        db.conn.executemany(sql, [(id_,) for id_ in ids])
    return len(ids)
