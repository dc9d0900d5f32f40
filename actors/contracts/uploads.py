"""The messages about uploads: the pictures and texts that people send for Codex."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from command_center.actors.rules.uploads import MOST_ATTACHED
from command_center.runtime import Address, Request
from command_center.store import Upload

Attachments: TypeAlias = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1)], ...], msgspec.Meta(max_length=MOST_ATTACHED)
]
"""The ids of the uploads that go with a message."""


class KeepUpload(msgspec.Struct, Request[Upload], frozen=True, kw_only=True):
    """Keep a file. What is kept already is not kept twice, and answers what there is."""

    content: bytes
    name: str
    requested_by: str


class ReadUpload(msgspec.Struct, Request[bytes], frozen=True):
    """Read the content of an upload."""

    upload_id: int


class DeleteUpload(msgspec.Struct, Request[Upload], frozen=True):
    """Delete an upload that nothing needs any more."""

    upload_id: int
    requested_by: str


UploadsMessage: TypeAlias = KeepUpload | ReadUpload | DeleteUpload
UPLOADS: Address[UploadsMessage] = Address("/uploads")
