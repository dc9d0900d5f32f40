"""Marks of an inbox that say nothing any more."""

from command_center.store.transaction import Transaction

_DECIDED = """
DELETE FROM inbox_marks WHERE until <= ?
OR kind = 'approval' AND record_id NOT IN (SELECT id FROM approvals WHERE status = 'pending')
OR kind = 'session' AND record_id NOT IN (SELECT id FROM sessions)
OR kind = 'automation' AND record_id NOT IN (SELECT id FROM automations WHERE deleted_at IS NULL)
"""


def remove_past(tx: Transaction) -> None:
    """Remove the marks whose moment is past, and those of what is decided or gone."""
    tx.db.execute(_DECIDED, [tx.now])
