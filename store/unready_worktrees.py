"""Worktrees that were made, and whose set-up script has not succeeded yet.

They are noted in the transaction that tells of the worktree.
"""

from sqlite_utils import Database

from command_center.store.transaction import Transaction


def note(tx: Transaction, host: str, path: str, repository_id: int) -> None:
    """Note that a worktree is to be set up before anybody works in it."""
    tx.db.execute(
        "INSERT OR REPLACE INTO unready_worktrees (host, path, repository_id) VALUES (?, ?, ?)",
        [host, path, repository_id],
    )


def forget(tx: Transaction, host: str, path: str) -> None:
    """Note that nothing has to be done for a worktree."""
    tx.db.execute("DELETE FROM unready_worktrees WHERE host = ? AND path = ?", [host, path])


def is_noted(db: Database, host: str, path: str) -> bool:
    """Return True if a worktree is to be set up still."""
    found = db.execute("SELECT 1 FROM unready_worktrees WHERE host = ? AND path = ?", [host, path])
    return found.fetchone() is not None
