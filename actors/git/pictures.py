"""Pictures among the changed files of a work tree: as they were, and as they are.

By its first bytes a file is a picture, whatever it is called; no other is given out.
"""

from __future__ import annotations

import base64
from typing import Final, Literal

import msgspec

from command_center.actors.git.changes import find_start
from command_center.actors.git.facts import SCAN_DEADLINE, read_status
from command_center.actors.git.names import check_path
from command_center.actors.git.ports import Checkout
from command_center.actors.rules.errors import NotFound

PICTURE_BYTES: Final = 4 * 1024 * 1024
"""Bytes of a picture that is shown."""

PictureSide = Literal["before", "after"]

MediaType = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]


class Picture(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A picture; `data` is its content in Base64, and `size` its bytes."""

    path: str
    side: PictureSide
    media_type: MediaType
    size: int
    data: str


async def read_picture(
    checkout: Checkout, base: str | None, path: str, side: PictureSide
) -> Picture:
    """Read a picture as it is in a work tree, or was where its branch left `base`.

    Raises:
        Invalid: the path is not one of the work tree.
        NotFound: there is no such file, or it is no picture, or it is larger than `PICTURE_BYTES`.
        UnsafeRepository: it is a link, or no regular file.
    """
    check_path(path, "path")
    if side == "after":
        content = await checkout.git.read_file(checkout, path, PICTURE_BYTES)
    else:
        status = await read_status(checkout)
        start = await find_start(checkout, status.head, base)
        answer = await checkout.run(
            "cat-file",
            "blob",
            f"{start}:{path}",
            limit=PICTURE_BYTES,
            may_cut=True,
            deadline=SCAN_DEADLINE,
            accepted=(0, 128),
        )
        content = None if answer.cut or answer.exit_code else answer.stdout
    media_type = None if content is None else media_type_of(content)
    if content is None or media_type is None:
        raise NotFound("Picture", path)
    return Picture(
        path=path,
        side=side,
        media_type=media_type,
        size=len(content),
        data=base64.b64encode(content).decode(),
    )


def media_type_of(content: bytes) -> MediaType | None:
    """Say which kind of picture a file is, by its first bytes; None if it is none."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None
