"""Uploads: what is taken as a picture or a text for Codex, by its content and never by its name."""

from __future__ import annotations

import hashlib
import re
from typing import Final, Literal, TypeAlias

import attrs

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.pictures import PictureType, Unfit, strip

UPLOAD_BYTES: Final = 10 * 1024 * 1024
"""Bytes of the largest file."""

TEXT_BYTES: Final = 1024 * 1024
"""Bytes of the longest text; a longer one belongs into the repository."""

ALL_BYTES: Final = 1024 * 1024 * 1024
"""Bytes of all uploads together."""

MOST_ATTACHED: Final = 10
"""Uploads that one message can have."""

NAME_LENGTH: Final = 100
"""Characters that are kept of a file's name."""

MediaType: TypeAlias = PictureType | Literal["text/plain"]

_ENDINGS: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
}
_NOT_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_NOT_IN_NAMES: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_ENDING: Final = re.compile(r"\.[A-Za-z0-9]{1,10}")
_HEIC: Final = re.compile(rb"....ftyp(heic|heix|hevc|mif1|msf1|avif)", re.DOTALL)


@attrs.frozen(kw_only=True)
class Checked:
    """A file that may be kept.

    Attributes:
        name: what people call it.
        file: where it is kept, by its hash.
        content: its bytes, without what tells of their maker.
    """

    name: str
    file: str
    media_type: MediaType
    sha256: str
    content: bytes
    width: int | None = None
    height: int | None = None


def check_upload(content: bytes, name: str) -> Checked:
    """Say what a file is, and leave out what tells of its maker.

    Raises:
        Invalid: it is neither a picture nor a text that is taken.
    """
    if not content:
        raise Invalid("The file is empty.")
    try:
        picture = strip(content)
    except Unfit as error:
        raise Invalid(str(error)) from None
    if picture is not None:
        name = _name(name, "picture", _ENDINGS[picture.media_type])
        ending = _ENDINGS[picture.media_type]
        checked = _checked(name, ending, picture.content, picture.media_type)
        return attrs.evolve(checked, width=picture.width, height=picture.height)
    if _HEIC.match(content[:12]):
        raise Invalid("HEIC and AVIF pictures are not taken. Send it as JPEG, PNG or WebP.")
    _check_text(content)
    name = _name(name, "text", ".txt")
    ending = name[name.rfind(".") :] if "." in name else ""
    if not _ENDING.fullmatch(ending):
        ending = ".txt"
    return _checked(name, ending, content, "text/plain")


def _checked(name: str, ending: str, content: bytes, media_type: MediaType) -> Checked:
    sha256 = hashlib.sha256(content).hexdigest()
    return Checked(
        name=name,
        file=sha256 + ending.lower(),
        media_type=media_type,
        sha256=sha256,
        content=content,
    )


def _check_text(content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if _NOT_IN_TEXT.search(text):
        raise Invalid(
            "The file is neither a picture (PNG, JPEG, GIF, WebP) nor a text in UTF-8. Put other "
            "files into the folder that Codex works in."
        )
    if len(content) > TEXT_BYTES:
        raise Invalid(
            f"The text has more than {TEXT_BYTES:,} bytes. Put it into the folder that Codex works "
            "in."
        )


def _name(given: str, default: str, ending: str) -> str:
    """Return the last part of a name, without what would mislead a reader."""
    last = _NOT_IN_NAMES.sub("", re.split(r"[/\\]", given)[-1]).strip()
    return last[-NAME_LENGTH:] or default + ending
