"""Attachments: which uploads sessions and follow-ups have, and how much all uploads are."""

import msgspec
from sqlite_utils import Database

from command_center.store.errors import DamagedRecord
from command_center.store.transaction import Transaction

_ATTACHED = """
    SELECT 'Session', id, CAST(attachments AS BLOB) FROM sessions WHERE attachments <> '[]'
    UNION ALL
    SELECT 'Followup', id, CAST(attachments AS BLOB) FROM followups WHERE attachments <> '[]'"""
_NEEDED = """
    SELECT 'Session', id, CAST(attachments AS BLOB) FROM sessions
    WHERE attachments <> '[]' AND finished_at IS NULL
    UNION ALL
    SELECT 'Followup', id, CAST(attachments AS BLOB) FROM followups
    WHERE attachments <> '[]' AND status = 'pending'"""


class _Attachment(msgspec.Struct):
    id: int


def attached_anywhere(db: Database) -> set[int]:
    """Return the ids of the uploads that any session or follow-up has.

    Raises:
        DamagedRecord: it cannot be read what one of them has.
    """
    return _ids(db, _ATTACHED)


def needed(db: Database) -> set[int]:
    """Return the ids of the uploads of sessions that live, and of follow-ups that wait.

    Raises:
        DamagedRecord: it cannot be read what one of them has.
    """
    return _ids(db, _NEEDED)


def _ids(db: Database, sql: str) -> set[int]:
    found: set[int] = set()
    for kind, owner, text in db.execute(sql):
        try:
            found.update(one.id for one in msgspec.json.decode(text, type=list[_Attachment]))
        except msgspec.DecodeError:
            raise DamagedRecord(kind, owner) from None
    return found


def remove_upload(tx: Transaction, upload_id: int) -> None:
    """Remove the row of an upload."""
    tx.db.execute("DELETE FROM uploads WHERE id = ?", [upload_id])


def stored_bytes(db: Database) -> int:
    """Return the bytes of all uploads together."""
    total: int = db.execute("SELECT coalesce(sum(size), 0) FROM uploads").fetchone()[0]
    return total
