"""Everything that is written of the inbox: what is dismissed there, and what is put off."""

from __future__ import annotations

from typing import Any, Final

from sqlite_utils import Database

from command_center.actors.contracts.events.operator import InboxMarked
from command_center.actors.contracts.inbox import InboxMarks, NewMarks
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    InboxMark,
    Transaction,
    approvals,
    automations,
    inbox_marks,
    sessions,
)
from command_center.store.queries.inbox import remove_past
from command_center.store.table import Table

_OF: Final[dict[str, Table[Any]]] = {
    "approval": approvals,
    "session": sessions,
    "automation": automations,
}


def mark(tx: Transaction, wanted: NewMarks) -> InboxMarks:
    """Mark them, take away what is past, tell of it, and return all marks that hold.

    Raises:
        RecordNotFound: one of them isn't there.
        Conflict: an approval would be dismissed for good: somebody waits for it.
    """
    if wanted.kind == "approval" and wanted.until is None:
        raise Conflict("An approval can be put off until a moment, or decided; not dismissed.")
    new = []
    for record_id in dict.fromkeys(wanted.ids):
        _OF[wanted.kind].require(tx.db, record_id)
        known = inbox_marks.find(tx.db, {"kind": wanted.kind, "record_id": record_id})
        if known is not None and wanted.until == known.until is None:
            continue
        fields = {"until": wanted.until, "requested_by": wanted.requested_by}
        if known is None:
            inbox_marks.insert(tx, kind=wanted.kind, record_id=record_id, **fields)
        else:
            inbox_marks.update(tx, known.id, **fields)
        new.append(record_id)
    remove_past(tx)
    if new:
        told = InboxMarked(kind=wanted.kind, ids=new, until=wanted.until)
        tx.emit(told, actor=wanted.requested_by)
    return InboxMarks(items=inbox_marks.every(tx.db, {}))


def marks_at(db: Database, now: str) -> list[InboxMark]:
    """Return the marks that hold at a moment, the oldest first."""
    return [one for one in inbox_marks.every(db, {}) if one.until is None or one.until > now]
