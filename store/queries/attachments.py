"""Attachments: which uploads sessions and follow-ups have, and how much all uploads are."""

import itertools

import msgspec
from sqlite_utils import Database

from command_center.store.transaction import Transaction

_ATTACHED = """SELECT attachments FROM sessions WHERE attachments <> '[]'
    UNION ALL SELECT attachments FROM followups WHERE attachments <> '[]'"""
_NEEDED = """SELECT attachments FROM sessions WHERE attachments <> '[]' AND finished_at IS NULL
    UNION ALL
    SELECT attachments FROM followups WHERE attachments <> '[]' AND status = 'pending'"""


def attached_anywhere(db: Database) -> set[int]:
    """Return the ids of the uploads that any session or follow-up has."""
    return _ids(db, _ATTACHED)


def needed(db: Database) -> set[int]:
    """Return the ids of the uploads of sessions that live, and of follow-ups that wait."""
    return _ids(db, _NEEDED)


def _ids(db: Database, sql: str) -> set[int]:
    rows = (msgspec.json.decode(text) for (text,) in db.execute(sql))
    return {one["id"] for one in itertools.chain.from_iterable(rows)}


def remove_upload(tx: Transaction, upload_id: int) -> None:
    """Remove the row of an upload."""
    tx.db.execute("DELETE FROM uploads WHERE id = ?", [upload_id])


def stored_bytes(db: Database) -> int:
    """Return the bytes of all uploads together."""
    total: int = db.execute("SELECT coalesce(sum(size), 0) FROM uploads").fetchone()[0]
    return total
