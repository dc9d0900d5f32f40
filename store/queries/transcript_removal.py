"""The removal of old transcripts: the items of sessions, with what a search finds of them.

A session keeps its prompt, its last message, its result and its numbers. Nothing is taken of a task
that is open, or that has a follow-up or an approval that waits.
"""

from typing import Final

from sqlite_utils import Database

from command_center.store.queries.event_removal import STEP, STEP_BYTES
from command_center.store.tables import sessions
from command_center.store.timestamps import Timestamp
from command_center.store.transaction import Transaction

_DUE: Final = """
    SELECT id FROM sessions
    WHERE finished_at < ? AND finished_at IS NOT NULL AND transcript_removed_at IS NULL
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
    ORDER BY finished_at LIMIT 1
"""
_ITEMS: Final = """
    SELECT id, length(body) + ifnull((
        SELECT sum(length(text)) FROM whole_values
        WHERE record_table = 'items' AND record_id = items.id
    ), 0) FROM items WHERE session_id = ? ORDER BY id LIMIT ?
"""


def is_pending(db: Database, before: Timestamp) -> bool:
    """Say whether there is a session that ended before a moment and has its transcript."""
    return db.execute(_DUE, [before]).fetchone() is not None


def remove_next(tx: Transaction, before: Timestamp) -> tuple[int, int | None]:
    """Remove the next items of a session that ended before a moment.

    Returns:
        how many they are, and the session; None where no more is due.
    """
    found = tx.db.execute(_DUE, [before]).fetchone()
    if found is None:
        return 0, None
    ids: list[int] = []
    taken = 0
    for id_, size in tx.db.execute(_ITEMS, [found[0], STEP]):
        if ids and taken + size > STEP_BYTES:
            break
        ids.append(id_)
        taken += size
    if not ids:
        sessions.update(tx, found[0], transcript_removed_at=tx.now)
    # Turns that are not known any more would be taken for new ones.
    keep_turn = """
        INSERT OR IGNORE INTO turns_of_removed_events (session_id, turn_id)
        SELECT session_id, turn_id FROM items WHERE id = ?
    """
    for sql in (keep_turn, "DELETE FROM items WHERE id = ?"):
        tx.db.conn.executemany(sql, [(id_,) for id_ in ids])
    return len(ids), found[0]
