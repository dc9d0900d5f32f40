"""Changes to many rows of the tables of webhooks at once."""

from sqlite_utils import Database

from command_center.store.transaction import Transaction

_REMOVE_OLD = """
    DELETE FROM webhook_deliveries WHERE webhook_id = :webhook AND status <> 'waiting' AND id < (
        SELECT id FROM webhook_deliveries WHERE webhook_id = :webhook
        ORDER BY id DESC LIMIT 1 OFFSET :kept
    )
"""


def webhooks_sent_by_hand(db: Database) -> list[int]:
    """Return the ids of the webhooks for which something waits that was sent by hand."""
    rows = db.execute(
        "SELECT DISTINCT webhook_id FROM webhook_deliveries WHERE status = 'waiting' AND is_by_hand"
    )
    return [row[0] for row in rows.fetchall()]


def remove_webhook(tx: Transaction, webhook_id: int) -> None:
    """Remove a webhook, with its deliveries."""
    tx.db.execute("DELETE FROM webhook_deliveries WHERE webhook_id = ?", [webhook_id])
    tx.db.execute("DELETE FROM webhooks WHERE id = ?", [webhook_id])


def remove_old_deliveries(tx: Transaction, webhook_id: int, kept: int) -> None:
    """Remove the deliveries of a webhook that are done with, but for the newest."""
    tx.db.execute(_REMOVE_OLD, {"webhook": webhook_id, "kept": kept - 1})
