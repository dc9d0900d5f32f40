"""The removal of rules."""

from command_center.store.transaction import Transaction


def remove(tx: Transaction, rule_id: int) -> None:
    """Remove a rule."""
    tx.db.execute("DELETE FROM rules WHERE id = ?", [rule_id])
