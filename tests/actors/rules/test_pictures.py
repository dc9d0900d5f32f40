"""Pictures keep what shows, and nothing that tells of their maker."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.pictures import PARTS, PIXELS, Unfit, strip, type_of
from tests.sent_pictures import (
    GIF,
    HEIGHT,
    JPEG,
    MOVING_GIF,
    MOVING_WEBP,
    SECRET,
    WEBP,
    WIDTH,
    chunk,
    png,
)

SENT = {"image/png": png(), "image/jpeg": JPEG, "image/gif": GIF, "image/webp": WEBP}
UPRIGHT = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06"
"""The way up of the telephone's picture, as Exif has it."""


@pytest.mark.parametrize("media_type", SENT)
def test_what_is_not_shown_is_left_out(media_type: str) -> None:
    sent = SENT[media_type]
    assert SECRET in sent
    kept = strip(sent)
    assert kept is not None
    assert (media_type, WIDTH, HEIGHT) == (kept.media_type, kept.width, kept.height)
    assert SECRET not in kept.content
    assert b"camera" not in kept.content
    again = strip(kept.content)
    assert again == kept


def test_the_pixels_are_those_that_were_sent() -> None:
    """The parts that show, in their order."""
    kept = strip(png())
    assert kept is not None
    names = [kept.content[at + 4 : at + 8] for at in _parts(kept.content)]
    assert [b"IHDR", b"IDAT", b"IEND"] == names
    scan = JPEG[JPEG.index(b"\xff\xda") :]
    stripped = strip(JPEG)
    assert stripped is not None
    assert stripped.content.endswith(scan)


def _parts(content: bytes) -> list[int]:
    found, at = [], 8
    while at < len(content):
        found.append(at)
        at += 12 + int(struct.unpack_from(">I", content, at)[0])
    return found


def test_a_telephones_picture_stays_upright() -> None:
    kept = strip(JPEG)
    assert kept is not None
    assert UPRIGHT in kept.content
    assert b"\xff\xe1" == kept.content[2:4]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (MOVING_GIF, "moves"),
        (MOVING_WEBP, "moves"),
        (png(chunk(b"acTL", bytes(8))), "moves"),
        (png(width=PIXELS, height=2), "more than"),
        (png(width=0), "no pixels"),
        (png().replace(b"IDAT", b"JDAT"), "damaged"),
        (JPEG[:-2], "too early"),
        (WEBP[:-10], "too early"),
        (b"GIF89a", "too early"),
        (png(chunk(b"tEXt", b"") * PARTS), "parts"),
        (JPEG[:2] + b"\xff\xfe\x00\x02" * PARTS + JPEG[2:], "parts"),
        (JPEG[:2] + b"\xff" * PARTS + JPEG[2:], "parts"),
        (GIF[:25] + b"!\xfe\x00" * PARTS + GIF[25:], "parts"),
    ],
)
def test_what_cannot_be_shown_is_refused(sent: bytes, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        strip(sent)


@pytest.mark.parametrize("sent", [b"", b"%PDF-1.7", b"<svg/>", b"RIFFxxxxWAVE"])
def test_what_is_no_picture_is_none_by_its_first_bytes(sent: bytes) -> None:
    assert type_of(sent) is None
    assert strip(sent) is None


@given(st.sampled_from([*SENT.values()]), st.data())
def test_a_damaged_picture_is_refused_or_is_as_bare(sent: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sent) - 1))
    damaged = bytearray(sent[: data.draw(st.integers(at + 1, len(sent)))])
    damaged[at] = data.draw(st.integers(0, 255))
    try:
        kept = strip(bytes(damaged))
    except Unfit:
        return
    assert kept is None or strip(kept.content) == kept
