"""Changes to many rows of the table of Apprise's messages at once."""

from sqlite_utils import Database

from command_center.store.transaction import Transaction


def targets_waiting(db: Database) -> frozenset[str]:
    """Return the places for which a message waits."""
    rows = db.execute("SELECT DISTINCT target FROM notify_messages WHERE status = 'waiting'")
    return frozenset(row[0] for row in rows.fetchall())


def remove_old_messages(tx: Transaction, before: str, now: str) -> None:
    """Remove the messages that were done with before a moment, and those that are no news now."""
    tx.db.execute(
        "DELETE FROM notify_messages WHERE ends_at < ? OR (status <> 'waiting' AND updated_at < ?)",
        [now, before],
    )
