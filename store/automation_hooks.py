"""Hooks of automations: the secret of each, and the run of each delivery.

A secret is kept as it is, since signatures are made with it. A delivery is claimed in the
transaction that makes its run, so that one that comes again has that run and no other.
"""

from __future__ import annotations

from sqlite_utils import Database

from command_center.store.transaction import Transaction

_WHOLE = "checksum = row_checksum(automation_id, secret)"
"""A condition: the row is as it was written."""


def set_secret(tx: Transaction, automation_id: int, secret: str) -> None:
    """Keep the secret of an automation's hook, in the place of one before."""
    remove_hook(tx, automation_id)
    tx.db.execute(
        "INSERT INTO automation_hooks (automation_id, secret) VALUES (?, ?)",
        [automation_id, secret],
    )


def remove_hook(tx: Transaction, automation_id: int) -> None:
    """Remove an automation's hook; its deliveries stay claimed."""
    tx.db.execute("DELETE FROM automation_hooks WHERE automation_id = ?", [automation_id])


def secret_of(db: Database, automation_id: int) -> str | None:
    """Return the secret of an automation's hook; None if it has none."""
    sql = f"SELECT secret FROM automation_hooks WHERE automation_id = ? AND {_WHOLE}"  # noqa: S608 - a constant
    found = db.execute(sql, [automation_id]).fetchone()
    return None if found is None else found[0]


def claim_delivery(tx: Transaction, automation_id: int, delivery: str, run_id: int) -> None:
    """Note the run of a delivery."""
    tx.db.execute(
        "INSERT INTO hook_deliveries (automation_id, delivery, run_id) VALUES (?, ?, ?)",
        [automation_id, delivery, run_id],
    )


def run_of(db: Database, automation_id: int, delivery: str) -> int | None:
    """Return the run that a delivery was claimed for; None if it was not."""
    found = db.execute(
        "SELECT run_id FROM hook_deliveries WHERE automation_id = ? AND delivery = ?",
        [automation_id, delivery],
    ).fetchone()
    return None if found is None else found[0]
