"""Changes to many rows of the tables of push at once."""

from sqlite_utils import Database

from command_center.store.transaction import Transaction


def subscriptions_waiting(db: Database) -> list[int]:
    """Return the ids of the subscriptions for which a message waits."""
    rows = db.execute("SELECT DISTINCT subscription_id FROM push_messages WHERE status = 'waiting'")
    return [row[0] for row in rows.fetchall()]


def remove_subscription(tx: Transaction, subscription_id: int) -> None:
    """Remove a subscription, with the messages of it."""
    tx.db.execute("DELETE FROM push_messages WHERE subscription_id = ?", [subscription_id])
    tx.db.execute("DELETE FROM push_subscriptions WHERE id = ?", [subscription_id])


def remove_old(tx: Transaction, before: str) -> None:
    """Remove the messages that were done with before a moment."""
    tx.db.execute(
        "DELETE FROM push_messages WHERE status <> 'waiting' AND updated_at < ?", [before]
    )
