"""Turns that may outlive their sessions, until they are known to have ended.

A turn is noted in the transaction that ends its session.
"""

from sqlite_utils import Database

from command_center.store.records import Session
from command_center.store.tables import sessions
from command_center.store.transaction import Transaction


def note(tx: Transaction, session_id: int) -> None:
    """Note that the turn of a session that ends may still run."""
    tx.db.execute(
        "INSERT INTO stray_turns (session_id, created_at) VALUES (?, ?)", [session_id, tx.now]
    )


def forget(tx: Transaction, session_id: int) -> bool:
    """Forget a turn that runs no more; return True if it was noted."""
    done = tx.db.execute("DELETE FROM stray_turns WHERE session_id = ?", [session_id])
    return done.rowcount > 0


def is_noted(db: Database, session_id: int) -> bool:
    """Return True if the turn of the session may still run, and is going to be ended."""
    found = db.execute("SELECT 1 FROM stray_turns WHERE session_id = ?", [session_id])
    return found.fetchone() is not None


def every(db: Database) -> list[Session]:
    """Return the sessions whose turns may still run, the oldest first."""
    ids = [row[0] for row in db.execute("SELECT session_id FROM stray_turns").fetchall()]
    return sessions.every(db, {"id": ids})
