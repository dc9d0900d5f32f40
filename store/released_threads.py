"""Threads of Codex whose repository was deleted, until nothing goes on in them any more.

They are noted in the transaction that deletes the repository.
"""

from sqlite_utils import Database

from command_center.store.transaction import Transaction


def note(tx: Transaction, repository_id: int) -> None:
    """Note every thread in which a session of the repository worked."""
    tx.db.execute(
        "INSERT OR IGNORE INTO released_threads (thread_id, host, repository_id, created_at) "
        "SELECT DISTINCT codex_thread_id, host, ?1, ?2 FROM sessions "
        "WHERE repository_id = ?1 AND codex_thread_id IS NOT NULL",
        [repository_id, tx.now],
    )


def forget(tx: Transaction, host: str, thread_id: str) -> None:
    """Forget a host's thread in which nothing goes on any more."""
    tx.db.execute(
        "DELETE FROM released_threads WHERE host = ? AND thread_id = ?", [host, thread_id]
    )


def on_host(db: Database, host: str) -> list[tuple[str, int]]:
    """Return the host's threads in which something may still go on, and each one's repository."""
    rows = db.execute(
        "SELECT thread_id, repository_id FROM released_threads WHERE host = ? ORDER BY rowid",
        [host],
    )
    return [(str(thread_id), int(repository_id)) for thread_id, repository_id in rows.fetchall()]
