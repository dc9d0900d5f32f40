"""Deliveries to the webhook of a forge: kept before it is acknowledged, each delivery once.

Those of more than a week ago are forgotten.
"""

from datetime import timedelta

import attrs
from sqlite_utils import Database

from command_center.store.timestamps import from_timestamp, to_timestamp
from command_center.store.transaction import Transaction

KEPT = timedelta(days=7)
"""The time for which a delivery is known."""


@attrs.frozen
class Delivery:
    """A delivery that nothing was done about yet."""

    id: str
    event: str
    body: bytes


def keep(tx: Transaction, delivery: Delivery) -> bool:
    """Keep a delivery; False if it was kept before."""
    oldest = to_timestamp(from_timestamp(tx.now) - KEPT)
    tx.db.execute("DELETE FROM forge_deliveries WHERE received_at < ?", [oldest])
    done = tx.db.execute(
        "INSERT INTO forge_deliveries (delivery, received_at, event, body) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [delivery.id, tx.now, delivery.event, delivery.body],
    )
    return bool(done.rowcount)


def undone(db: Database) -> list[Delivery]:
    """Return the deliveries that nothing was done about yet, the oldest first."""
    sql = (
        "SELECT delivery, event, body FROM forge_deliveries WHERE done_at IS NULL "
        "ORDER BY received_at"
    )
    return [Delivery(*row) for row in db.execute(sql)]


def note_done(tx: Transaction, delivery_id: str) -> None:
    """Note that what a delivery asks for was done."""
    tx.db.execute(
        "UPDATE forge_deliveries SET done_at = ? WHERE delivery = ?", [tx.now, delivery_id]
    )
