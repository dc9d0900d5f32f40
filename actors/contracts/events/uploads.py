"""Events of uploads."""

from __future__ import annotations

from typing import Literal

from command_center.store import EventData


class UploadCreated(EventData, frozen=True, kw_only=True, tag="upload.created"):
    """A picture or a text for Codex was sent, and is kept."""

    upload_id: int
    name: str
    media_type: str
    size: int


class UploadDeleted(EventData, frozen=True, kw_only=True, tag="upload.deleted"):
    """It is kept no more: somebody deleted it, or nothing needed it for a day (`unused`)."""

    upload_id: int
    name: str
    reason: Literal["deleted", "unused"]
