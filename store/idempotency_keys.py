"""Answers that are kept under a key of the client's, so that a request sent twice is done once.

A key is claimed before anything is done for its request. What is done for it is noted beside the
key in the transaction that does it: the answer, or at least the event that tells of a beginning.
So when the process dies at any moment, the key says what happened: an answer is there, and is
given; or nothing was committed, and the request can be carried out; or it was begun. What acts
outside of the database before it commits has its intent noted first, so that whoever carries it out
again knows what to look for. Keys are forgotten after a day.
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
            ``cut_off`` where a former life began it.
        is_same: whether it was used for the same request.
        event_id: the first event that was committed for it; None where there is none, or it is
            not known.
    """

    state: Literal["answered", "begun", "cut_off"]
    is_same: bool
    status: int = 0
    body: bytes = b""
    event_id: int | None = None


@attrs.frozen
class Claimed:
    """A key whose request is to be carried out.

    Attributes:
        intent: what a former life was about to do for it outside of the database; None if nothing.
    """

    intent: bytes | None = None


NOT_NOTED = 0
"""Stands for the event of a key that was claimed by a version that noted none."""


def claim(
    tx: Transaction,
    key: str,
    request: str,
    instance: str,
    *,
    again_when_begun: bool = False,
) -> Kept | Claimed:
    """Claim a key for a request, by the request's hash.

    What a former life claimed and committed nothing for is carried out again.

    Args:
        tx: of the claim.
        key: the client's.
        request: the hash.
        instance: the life of the server that claims it.
        again_when_begun: carry out what a former life committed something for, but no answer.
    """
    oldest = to_timestamp(from_timestamp(tx.now) - KEPT)
    tx.db.execute("DELETE FROM kept_answers WHERE created_at < ?", [oldest])
    found = tx.db.execute(
        "SELECT request, instance, status, body, event_id, intent FROM kept_answers WHERE key = ?",
        [key],
    ).fetchone()
    if found is None:
        tx.db.execute(
            "INSERT INTO kept_answers (key, created_at, request, instance) VALUES (?, ?, ?, ?)",
            [key, tx.now, request, instance],
        )
        return Claimed()
    claimed_for, life, status, body, event_id, intent = found
    is_same = claimed_for == request
    if status is not None:
        return Kept("answered", is_same, status, body)
    if life == instance:
        return Kept("begun", is_same, event_id=event_id or None)
    if is_same and (event_id is None or again_when_begun):
        tx.db.execute("UPDATE kept_answers SET instance = ? WHERE key = ?", [instance, key])
        return Claimed(intent)
    return Kept("cut_off", is_same, event_id=event_id or None)


def note_answer(tx: Transaction, key: str, status: int, body: bytes) -> None:
    """Note the answer with what it tells of; the first one stays until `keep`."""
    tx.db.execute(
        "UPDATE kept_answers SET status = ?, body = ? WHERE key = ? AND status IS NULL",
        [status, body, key],
    )


def answered(tx: Transaction, key: str) -> Kept:
    """Return the answer that was noted for a key."""
    status, body = tx.db.execute(
        "SELECT status, body FROM kept_answers WHERE key = ?", [key]
    ).fetchone()
    return Kept("answered", is_same=True, status=status, body=body)


def note_event(tx: Transaction, key: str, event_id: int) -> None:
    """Note that something was done whose answer is not known yet; the first event stays."""
    tx.db.execute(
        "UPDATE kept_answers SET event_id = ? WHERE key = ? AND event_id IS NULL", [event_id, key]
    )


def note_intent(tx: Transaction, key: str, intent: bytes) -> None:
    """Note what is about to be done outside of the database; the newest stays."""
    tx.db.execute("UPDATE kept_answers SET intent = ? WHERE key = ?", [intent, key])


def keep(tx: Transaction, key: str, status: int, body: bytes) -> None:
    """Put the answer beside its key."""
    tx.db.execute("UPDATE kept_answers SET status = ?, body = ? WHERE key = ?", [status, body, key])


def release(tx: Transaction, key: str) -> None:
    """Let the key be used again: nothing was done for its request."""
    tx.db.execute("DELETE FROM kept_answers WHERE key = ? AND status IS NULL", [key])
