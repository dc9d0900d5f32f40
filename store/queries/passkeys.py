"""Changes to the table of passkeys that are no record's own."""

from command_center.store.transaction import Transaction


def remove(tx: Transaction, passkey_id: int) -> None:
    """Remove a passkey."""
    tx.db.execute("DELETE FROM passkeys WHERE id = ?", [passkey_id])
