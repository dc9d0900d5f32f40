"""Answers that are kept under a key of the client's, so that a request sent twice is done once.

A key is claimed before anything is done for its request, and the answer is put beside it after.
What is in between when the process dies is told as unknown: whether that request was carried out
can only be looked up. Keys are forgotten after a day.
"""

from datetime import timedelta
from typing import Literal

import attrs

from command_center.store.timestamps import from_timestamp, to_timestamp
from command_center.store.transaction import Transaction

KEPT = timedelta(hours=24)
"""The time for which a key is known."""


@attrs.frozen
class Kept:
    """A key that was used before, and the answer if there is one.

    Attributes:
        state: ``answered``; ``begun`` in this life of the server, and not answered yet; or
            ``unknown`` where a former life began it.
        is_same: whether it was used for the same request.
    """

    state: Literal["answered", "begun", "unknown"]
    is_same: bool
    status: int = 0
    body: bytes = b""


def claim(tx: Transaction, key: str, request: str, instance: str) -> Kept | None:
    """Claim a key for a request, by the request's hash; None where it was free."""
    oldest = to_timestamp(from_timestamp(tx.now) - KEPT)
    tx.db.execute("DELETE FROM kept_answers WHERE created_at < ?", [oldest])
    found = tx.db.execute(
        "SELECT request, instance, status, body FROM kept_answers WHERE key = ?", [key]
    ).fetchone()
    if found is None:
        tx.db.execute(
            "INSERT INTO kept_answers (key, created_at, request, instance) VALUES (?, ?, ?, ?)",
            [key, tx.now, request, instance],
        )
        return None
    is_same = found[0] == request
    if found[2] is not None:
        return Kept("answered", is_same, found[2], found[3])
    return Kept("begun" if found[1] == instance else "unknown", is_same)


def keep(tx: Transaction, key: str, status: int, body: bytes) -> None:
    """Put the answer beside its key."""
    tx.db.execute("UPDATE kept_answers SET status = ?, body = ? WHERE key = ?", [status, body, key])


def release(tx: Transaction, key: str) -> None:
    """Let the key be used again: nothing was done for its request."""
    tx.db.execute("DELETE FROM kept_answers WHERE key = ? AND status IS NULL", [key])
