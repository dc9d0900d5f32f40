"""Turns that may outlive their sessions, until they are known to have ended.

A turn is noted in the transaction that ends its session. Until it has ended, nothing else begins in
its thread or folder, unless a person has abandoned it: then nothing waits for it while its host is
away. When that is back, it is waited for again, and ended.
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


def abandon(tx: Transaction, session_id: int) -> bool:
    """Have nothing wait for a turn any more; return True if something might have."""
    done = tx.db.execute(
        "UPDATE stray_turns SET abandoned_at = ? WHERE session_id = ? AND abandoned_at IS NULL",
        [tx.now, session_id],
    )
    return done.rowcount > 0


def wait_again(tx: Transaction, host: str) -> None:
    """Have others wait for the turns of a host that were abandoned: it is back."""
    tx.db.execute(
        "UPDATE stray_turns SET abandoned_at = NULL WHERE abandoned_at IS NOT NULL "
        "AND session_id IN (SELECT id FROM sessions WHERE host = ?)",
        [host],
    )


def is_noted(db: Database, session_id: int) -> bool:
    """Return True if the turn of the session may still run, and is going to be ended."""
    found = db.execute("SELECT 1 FROM stray_turns WHERE session_id = ?", [session_id])
    return found.fetchone() is not None


def every(db: Database, host: str) -> list[Session]:
    """Return the sessions whose turns may still run on a host, the oldest first."""
    return [session for session in _found(db, "") if session.host == host]


def waited_for(db: Database) -> list[Session]:
    """Return those whose turns others wait for: all but the abandoned ones."""
    return _found(db, " WHERE abandoned_at IS NULL")


def _found(db: Database, condition: str) -> list[Session]:
    rows = db.execute(f"SELECT session_id FROM stray_turns{condition}").fetchall()  # noqa: S608 - constants
    return sessions.every(db, {"id": [row[0] for row in rows]})
