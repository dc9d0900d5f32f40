"""The removal of old transcripts: the items of sessions, with what a search finds of them.

A session keeps its prompt, its last message, its result and its numbers. Nothing is taken of a task
that is open, or that has a follow-up or an approval that waits.
"""

from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlite_utils import Database

from command_center.store.errors import DamagedRecord
from command_center.store.queries import days_told
from command_center.store.queries.event_removal import STEP, STEP_BYTES
from command_center.store.records import Session
from command_center.store.tables import sessions
from command_center.store.transaction import Transaction

_DUE: Final = """
    SELECT id FROM sessions
    WHERE {which} AND finished_at IS NOT NULL AND transcript_removed_at IS NULL
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
_OLD: Final = _DUE.format(which="finished_at < ?")
_STILL_DUE: Final = _DUE.format(which="id = ?")
_ITEMS: Final = """
    SELECT id, length(body) + ifnull((
        SELECT sum(length(text)) FROM whole_values
        WHERE record_table = 'items' AND record_id = items.id
    ), 0) FROM items WHERE session_id = ? ORDER BY id LIMIT ?
"""


def next_session(db: Database, days: int, now: datetime) -> int | None:
    """Return a session that ended so many days ago and has its transcript.

    The last that it told is as far back in the log, whatever a clock said when it ended. One that
    is damaged keeps what it has, and holds nothing up.
    """
    last_event = "SELECT ifnull(max(id), 0) FROM events WHERE session_id = ?"
    for (session_id,) in db.execute(_OLD, [days_told.old_before(db, days, now)]).fetchall():
        last = db.execute(last_event, [session_id]).fetchone()[0]
        if last and not days_told.is_told_behind(db, last, days, now):
            continue
        with suppress(DamagedRecord):
            return sessions.get(db, session_id).id
    return None


def remove_next(tx: Transaction, session_id: int) -> tuple[int, Session | None]:
    """Remove the next items of a session that is old.

    Returns:
        how many they are, and the session; None where its task goes on meanwhile.
    """
    if tx.db.execute(_STILL_DUE, [session_id]).fetchone() is None:
        return 0, None
    session = sessions.get(tx.db, session_id)
    ids: list[int] = []
    taken = 0
    for id_, size in tx.db.execute(_ITEMS, [session.id, STEP]):
        if ids and taken + size > STEP_BYTES:
            break
        ids.append(id_)
        taken += size
    if not ids:
        sessions.update(tx, session.id, transcript_removed_at=tx.now)
    # Turns that are not known any more would be taken for new ones.
    keep_turn = """
        INSERT OR IGNORE INTO turns_of_removed_events (session_id, turn_id)
        SELECT session_id, turn_id FROM items WHERE id = ?
    """
    for sql in (keep_turn, "DELETE FROM items WHERE id = ?"):
        tx.db.conn.executemany(sql, [(id_,) for id_ in ids])
    return len(ids), session
