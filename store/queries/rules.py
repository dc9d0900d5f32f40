"""The removal of rules."""

from command_center.store.transaction import Transaction


def remove(tx: Transaction, rule_id: int) -> int:
    """Remove a rule, also one that is damaged, and return whose repository's it was."""
    where = [rule_id]
    ((repository_id,),) = tx.db.execute("SELECT repository_id FROM rules WHERE id = ?", where)
    tx.db.execute("DELETE FROM rules WHERE id = ?", where)
    return int(repository_id)
