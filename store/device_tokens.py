"""Hashes of the tokens of devices: what is stored of a token is no use to who reads it.

A token has 256 random bits, so that a plain SHA-256 of it cannot be guessed backwards. A hash that
is not as it was written lets nobody in.
"""

from __future__ import annotations

from sqlite_utils import Database

from command_center.store.transaction import Transaction

_WHOLE = "checksum = row_checksum(device_id, token_hash)"
"""A condition: the row is as it was written."""


def keep(tx: Transaction, device_id: int, token_hash: str) -> None:
    """Keep the hash of a device's token."""
    tx.db.execute(
        "INSERT INTO device_tokens (device_id, token_hash) VALUES (?, ?)", [device_id, token_hash]
    )


def remove_device(tx: Transaction, device_id: int) -> None:
    """Remove a device and its token. Its id is never given again, and its events stay."""
    tx.db.execute("DELETE FROM device_tokens WHERE device_id = ?", [device_id])
    tx.db.execute("DELETE FROM devices WHERE id = ?", [device_id])


def every(db: Database) -> dict[int, str]:
    """Return the hash of each device's token, by the device's id."""
    sql = f"SELECT device_id, token_hash FROM device_tokens WHERE {_WHOLE}"  # noqa: S608 - a constant
    return dict(db.execute(sql).fetchall())
