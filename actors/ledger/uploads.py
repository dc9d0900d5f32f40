"""Everything that is written of uploads: each function is one unit of a transaction.

An upload is needed by what has not ended: a session that lives, and a follow-up that waits. A retry
or a continuation needs what its first attempt has, as well. Those that have ended show it as long
as it is there. What belongs to nothing at all goes after a day.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlite_utils import Database

from command_center.actors.contracts.events.uploads import UploadCreated, UploadDeleted
from command_center.actors.ledger.sessions import SAME_RUN, SYSTEM
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.uploads import ALL_BYTES, Checked
from command_center.store import (
    Timestamp,
    Transaction,
    Upload,
    from_timestamp,
    now_timestamp,
    to_timestamp,
    uploads,
)
from command_center.store.queries.attachments import (
    attached_anywhere,
    damaged_uploads,
    needed,
    remove_upload,
    stored,
    untouched_since,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

UNUSED: Final = timedelta(days=1)
"""The time for which an upload is kept that is attached to nothing: as long as a draft waits."""


def keep_upload(tx: Transaction, checked: Checked, *, actor: str) -> Upload:
    """Keep what a file is. One that is there already stays for another day.

    Raises:
        Conflict: there is no room for it.
    """
    known = uploads.find(tx.db, {"file": checked.file})
    if known is not None:
        return uploads.update(tx, known.id, name=known.name)
    _, taken = stored(tx.db)
    if taken + len(checked.content) > ALL_BYTES:
        raise Conflict(
            f"All uploads together have more than {ALL_BYTES // 2**20:,} MiB. Delete some first: "
            "DELETE /api/uploads/ID."
        )
    upload = uploads.insert(
        tx,
        name=checked.name,
        file=checked.file,
        media_type=checked.media_type,
        sha256=checked.sha256,
        size=len(checked.content),
        width=checked.width,
        height=checked.height,
        requested_by=actor,
    )
    told = UploadCreated(
        upload_id=upload.id, name=upload.name, media_type=upload.media_type, size=upload.size
    )
    tx.emit(told, actor=actor)
    return upload


def delete_upload(tx: Transaction, upload_id: int, *, actor: str) -> Upload:
    """Keep it no more.

    Raises:
        RecordNotFound: there is none.
        Conflict: a session that has not ended, or a follow-up that waits, needs it.
    """
    upload = uploads.get(tx.db, upload_id)
    if upload_id in needed(tx.db, SAME_RUN):
        raise Conflict(
            f"Upload {upload_id} is attached to a session that has not ended, or to a follow-up "
            "that waits."
        )
    _delete(tx, upload, actor=actor, unused=False)
    return upload


def unneeded_uploads(db: Database) -> list[int]:
    """Return the ids of those that have been attached to nothing for a day."""
    attached = attached_anywhere(db)
    return [one for one in untouched_since(db, _oldest(now_timestamp())) if one not in attached]


def prune_uploads(tx: Transaction, ids: Sequence[int]) -> list[str]:
    """Keep those of some uploads no more that nothing needs by now; return their files."""
    attached, oldest = attached_anywhere(tx.db), _oldest(tx.now)
    pruned: list[str] = []
    for upload in uploads.sound(tx.db, {"id": ids})[0]:
        if upload.id not in attached and upload.updated_at < oldest:
            _delete(tx, upload, actor=SYSTEM, unused=True)
            pruned.append(upload.file)
    return pruned


def are_sound(db: Database) -> bool:
    """Say whether all are as they were written.

    While a row is damaged, nobody can tell which file is its own.
    """
    damaged = damaged_uploads(db)
    for upload in damaged:
        log.error("upload.damaged", upload=upload)
    return not damaged


def _oldest(now: Timestamp) -> Timestamp:
    return to_timestamp(from_timestamp(now) - UNUSED)


def _delete(tx: Transaction, upload: Upload, *, actor: str, unused: bool) -> None:
    remove_upload(tx, upload.id)
    told = UploadDeleted(
        upload_id=upload.id, name=upload.name, reason="unused" if unused else "deleted"
    )
    tx.emit(told, actor=actor)


def attached(tx: Transaction, ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return what a session or a follow-up has of these uploads, each once.

    Raises:
        Invalid: one is not there.
    """
    return [_attachment(tx, one) for one in dict.fromkeys(ids)]


def _attachment(tx: Transaction, upload_id: int) -> dict[str, Any]:
    upload = uploads.find(tx.db, {"id": upload_id})
    if upload is None:
        raise Invalid.field("attachments", f"Upload {upload_id} is not there. Send it again.")
    return {
        "id": upload.id,
        "name": upload.name,
        "file": upload.file,
        "mediaType": upload.media_type,
    }


def joined(
    before: Collection[dict[str, Any]], more: Collection[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return both, each upload once."""
    return list({one["id"]: one for one in (*before, *more)}.values())
