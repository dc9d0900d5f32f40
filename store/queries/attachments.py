"""Attachments: which uploads sessions and follow-ups have, and how much all uploads are."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.store import totals
from command_center.store.database.checksums import damaged_rows
from command_center.store.errors import DamagedRecord
from command_center.store.lists.where import Conditions
from command_center.store.tables import uploads
from command_center.store.timestamps import Timestamp
from command_center.store.transaction import Transaction

_ATTACHED = """
    SELECT 'Session', id, CAST(attachments AS BLOB) FROM sessions WHERE attachments <> '[]'
    UNION ALL
    SELECT 'Followup', id, CAST(attachments AS BLOB) FROM followups WHERE attachments <> '[]'"""
_NEEDED = """
    WITH RECURSIVE lives AS (
        SELECT id, previous_session_id, origin, attachments FROM sessions
        WHERE finished_at IS NULL
        UNION
        SELECT past.id, past.previous_session_id, past.origin, past.attachments
        FROM sessions AS past JOIN lives ON past.id = lives.previous_session_id
        WHERE lives.origin IN (SELECT value FROM json_each(?))
    )
    SELECT 'Session', id, CAST(attachments AS BLOB) FROM lives WHERE attachments <> '[]'
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


def needed(db: Database, same_run: Collection[str]) -> set[int]:
    """Return the ids of the uploads of sessions that live, and of follow-ups that wait.

    A session whose origin is of `same_run` may have to say what those before it said.

    Raises:
        DamagedRecord: it cannot be read what one of them has.
    """
    return _ids(db, _NEEDED, msgspec.json.encode([*same_run]).decode())


def still_there(db: Database, attachments: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return those whose files are still kept, also under the id of an upload that came later."""
    found: list[dict[str, Any]] = []
    for one in attachments:
        known, damaged = uploads.sound(db, {"file": one["file"]})
        if known:
            found.append({**one, "id": known[0].id})
        elif damaged:
            found.append(one)
    return found


def _ids(db: Database, sql: str, *arguments: str) -> set[int]:
    found: set[int] = set()
    for kind, owner, text in db.execute(sql, arguments):
        try:
            found.update(one.id for one in msgspec.json.decode(text, type=list[_Attachment]))
        except msgspec.DecodeError:
            raise DamagedRecord(kind, owner) from None
    return found


def untouched_since(db: Database, moment: Timestamp) -> list[int]:
    """Return the ids of the uploads that nobody has sent since a moment, the oldest first."""
    found = db.execute("SELECT id FROM uploads WHERE updated_at < ? ORDER BY id", [moment])
    return [id_ for (id_,) in found]


def damaged_uploads(db: Database) -> list[str]:
    """Return the uploads that are not as they were written."""
    return [*damaged_rows(db, {"uploads"})]


def files_of_uploads(db: Database, names: Sequence[str]) -> set[str]:
    """Return those of some files, at most a few hundred, that uploads have."""
    conditions = Conditions()
    conditions.among("file", names)
    found = db.execute(f"SELECT file FROM uploads{conditions.sql}", conditions.arguments)  # noqa: S608 - places alone
    return {name for (name,) in found}


def remove_upload(tx: Transaction, upload_id: int) -> None:
    """Remove the row of an upload."""
    tx.db.execute("DELETE FROM uploads WHERE id = ?", [upload_id])


def stored(db: Database) -> tuple[int, int]:
    """Return how many uploads there are, and their bytes."""
    return totals.amount(db, "uploads")
