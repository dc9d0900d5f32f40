"""Pictures, part by part: what shows them is kept, what tells of their maker is left out.

No pixel is decoded. A picture is a row of parts in all four formats, each with its length. The
parts that a viewer needs are copied as they are; places, cameras, authors, comments, thumbnails and
what lies behind the end are not. A part that is damaged, or a picture that moves, is refused.
The one thing kept of Exif is which way is up, since telephones turn nothing themselves.

Sources: PNG (W3C, third edition), JPEG (ITU T.81) with Exif 2.32, GIF89a, WebP (RFC 9649).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import attrs

PictureType: TypeAlias = Literal["image/png", "image/jpeg", "image/gif", "image/webp"]

PIXELS: Final = 100_000_000
"""Pixels of the largest picture; what has more is a bomb for whoever decodes it."""

PARTS: Final = 10_000
"""Parts of a picture; one of 10 MiB has some hundreds."""

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_PARTS: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"}
)
_WEBP_PARTS: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
_WEBP_TELLING: Final = 0b0010_1100
"""The flags of a WebP that has a colour profile, Exif or XMP."""

_SOI: Final = b"\xff\xd8"
_EOI: Final = b"\xff\xd9"
_MARK: Final = 0xFF
_SCAN: Final = 0xDA
_EXIF: Final = 0xE1
_ADOBE: Final = 0xEE
_COMMENT: Final = 0xFE
_OF_PROGRAMS: Final = range(0xE0, 0xF0)
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The JPEG markers of a frame's header."""
_WITHIN_SCAN: Final = frozenset({0x00, *range(0xD0, 0xD8), _MARK})
"""The bytes after 0xFF that do not end the pixels of a JPEG."""

_ORIENTATION: Final = 0x0112
_SHORT: Final = 3
_WAYS_UP: Final = range(1, 9)

_GIF_PICTURE: Final = 0x2C
_GIF_EXTENSION: Final = 0x21
_GIF_CONTROL: Final = 0xF9
_GIF_END: Final = 0x3B

_LOSSLESS: Final = 0x2F
"""The first byte of a lossless WebP."""


class Unfit(ValueError):
    """The picture is damaged, or of a kind that is not taken; the message says which."""


@attrs.frozen
class StrippedPicture:
    """A picture without what does not show."""

    media_type: PictureType
    content: bytes
    width: int
    height: int


def type_of(content: bytes) -> PictureType | None:
    """Say by its first bytes which picture it would be; None for none."""
    if content.startswith(_PNG):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:6] in {b"GIF87a", b"GIF89a"}:
        return "image/gif"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def strip(content: bytes) -> StrippedPicture | None:
    """Leave out of a picture what does not show; None if it is no picture.

    Raises:
        Unfit: it is damaged, moves, or is too large.
    """
    media_type = type_of(content)
    if media_type is None:
        return None
    try:
        stripped, width, height = _STRIP[media_type](content)
    except (struct.error, IndexError):
        raise Unfit("The picture ends too early.") from None
    if width * height == 0:
        raise Unfit("The picture has no pixels.")
    if width * height > PIXELS:
        raise Unfit(f"The picture has {width} by {height} pixels, more than {PIXELS:,}.")
    return StrippedPicture(media_type, stripped, width, height)


def _png(content: bytes) -> tuple[bytes, int, int]:
    kept = [_PNG]
    width = height = 0
    at, kind, has_data = len(_PNG), b"", False
    parts = _counter()
    while kind != b"IEND":
        next(parts)
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[at + 4 : end - 4]) != checksum:
            raise Unfit("The picture is damaged.")
        if kind == b"acTL":
            raise _moving()
        if (kind == b"IHDR") != (at == len(_PNG)):
            raise Unfit("The picture is damaged.")
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", content, at + 8)
        has_data = has_data or kind == b"IDAT"
        if kind in _PNG_PARTS:
            kept.append(content[at:end])
        at = end
    if not has_data:
        raise Unfit("The picture has no pixels.")
    return b"".join(kept), width, height


def _jpeg(content: bytes) -> tuple[bytes, int, int]:
    kept = [_SOI]
    width = height = 0
    has_data, upright = False, 1
    for marker, part in _jpeg_parts(content):
        has_data = has_data or marker == _SCAN
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", part, 5)
        if marker == _EXIF and part[4:10] == b"Exif\0\0":
            upright = _orientation(part[10:])
        is_telling = marker == _COMMENT or marker in _OF_PROGRAMS
        if not is_telling or (marker == _ADOBE and part[4:9] == b"Adobe"):
            kept.append(part)
    if not has_data:
        raise Unfit("The picture has no pixels.")
    if upright != 1:
        kept.insert(1, _exif_of(upright))
    return b"".join([*kept, _EOI]), width, height


def _jpeg_parts(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each part up to the end of the picture, by its marker; pixels follow their scan's."""
    at = len(_SOI)
    parts = _counter()
    while content[at : at + 2] != _EOI:
        next(parts)
        if content[at] != _MARK:
            raise Unfit("The picture is damaged.")
        marker = content[at + 1]
        if marker == _MARK:  # a fill byte
            at += 1
            continue
        (length,) = struct.unpack_from(">H", content, at + 2)
        end = at + 2 + length
        if marker == _SCAN:
            end = _end_of_scan(content, end)
        if end > len(content):
            raise Unfit("The picture ends too early.")
        yield marker, content[at:end]
        at = end


def _end_of_scan(content: bytes, at: int) -> int:
    """Return where the compressed pixels end: at the next marker that is none of theirs."""
    while True:
        at = content.find(b"\xff", at)
        if at < 0:
            raise Unfit("The picture ends too early.")
        following = content[at + 1]
        if following not in _WITHIN_SCAN:
            return at
        at += 1 if following == _MARK else 2


def _orientation(tiff: bytes) -> int:
    """Read from Exif which way is up: 1 to 8, and 1 where it does not say."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * number)
            if (tag, kind) == (_ORIENTATION, _SHORT):
                return int(value) if value in _WAYS_UP else 1
    except struct.error:
        pass  # a camera's own fault, and no reason to refuse its picture
    return 1


def _exif_of(orientation: int) -> bytes:
    """Make the part of a JPEG that says which way is up, and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    tiff = b"MM\0\x2a" + struct.pack(">IH", 8, 1) + entry + bytes(4)
    return struct.pack(">BBH", _MARK, _EXIF, len(tiff) + 8) + b"Exif\0\0" + tiff


def _gif(content: bytes) -> tuple[bytes, int, int]:
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    at = 13 + _table(flags)
    kept = [content[:at]]
    pictures = 0
    parts = _counter()
    while content[at] != _GIF_END:
        next(parts)
        begin = at
        if content[at] == _GIF_PICTURE:
            pictures += 1
            at += 11 + _table(content[at + 9])
        elif content[at] == _GIF_EXTENSION:
            at += 2
        else:
            raise Unfit("The picture is damaged.")
        while content[at]:
            at += 1 + content[at]
        at += 1
        if content[begin] == _GIF_PICTURE or content[begin + 1] == _GIF_CONTROL:
            kept.append(content[begin:at])
    if pictures == 0:
        raise Unfit("The picture has no pixels.")
    if pictures > 1:
        raise _moving()
    return b"".join([*kept, bytes([_GIF_END])]), width, height


def _table(flags: int) -> int:
    """Return the bytes of a colour table, by the flags that announce it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _webp(content: bytes) -> tuple[bytes, int, int]:
    (size,) = struct.unpack_from("<I", content, 4)
    if size + 8 > len(content):
        raise Unfit("The picture ends too early.")
    kept: list[bytes] = []
    width = height = 0
    at = 12
    parts = _counter()
    while at < size + 8:
        next(parts)
        kind, length = struct.unpack_from("<4sI", content, at)
        end = at + 8 + length + length % 2
        part = content[at:end]
        if len(part) != end - at:
            raise Unfit("The picture ends too early.")
        if kind in {b"ANIM", b"ANMF"}:
            raise _moving()
        if kind == b"VP8X":
            part = part[:8] + bytes([part[8] & ~_WEBP_TELLING]) + part[9:]
        if kind in {b"VP8 ", b"VP8L"}:
            width, height = _webp_size(kind, part[8:])
        if kind in _WEBP_PARTS:
            kept.append(part)
        at = end
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body, width, height


def _webp_size(kind: bytes, data: bytes) -> tuple[int, int]:
    if kind == b"VP8 ":
        if data[3:6] != b"\x9d\x01\x2a":
            raise Unfit("The picture is damaged.")
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    if data[0] != _LOSSLESS:
        raise Unfit("The picture is damaged.")
    (bits,) = struct.unpack_from("<I", data, 1)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _counter() -> Iterator[int]:
    """Count the parts of a picture, and refuse one that has too many."""
    yield from range(PARTS)
    raise Unfit(f"The picture has more than {PARTS:,} parts. Save it anew with another program.")


def _moving() -> Unfit:
    return Unfit("The picture moves. Send one that stands still, such as a screenshot of it.")


_STRIP: Final[Mapping[PictureType, Callable[[bytes], tuple[bytes, int, int]]]] = MappingProxyType(
    {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif, "image/webp": _webp}
)
