"""Uploads are taken by their content, whatever they are called."""

from __future__ import annotations

import pytest

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.uploads import NAME_LENGTH, TEXT_BYTES, check_upload
from tests.sent_pictures import GIF, MOVING_GIF, png


def test_a_picture_is_one_whatever_it_is_called() -> None:
    checked = check_upload(GIF, "report.txt")
    assert ("image/gif", f"{checked.sha256}.gif", 2, 3) == (
        checked.media_type,
        checked.file,
        checked.width,
        checked.height,
    )
    assert "picture.png" == check_upload(png(), "").name


@pytest.mark.parametrize(
    ("name", "kept", "ending"),
    [
        ("notes.MD", "notes.MD", ".md"),
        ("/etc/passwd", "passwd", ".txt"),
        ("..\\..\\a.py", "a.py", ".py"),
        ("a\n\u202eb.sh;rm", "ab.sh;rm", ".txt"),
        ("", "text.txt", ".txt"),
        ("x" * 200, "x" * NAME_LENGTH, ".txt"),
    ],
)
def test_a_text_keeps_the_end_of_its_name(name: str, kept: str, ending: str) -> None:
    checked = check_upload("Grüße\n".encode(), name)
    assert (kept, f"{checked.sha256}{ending}", "text/plain") == (
        checked.name,
        checked.file,
        checked.media_type,
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01", "neither"),
        (b"PK\x03\x04", "neither"),
        ("a".encode("utf-16"), "neither"),
        (b"\0\0\0\x18ftypheic\0\0", "JPEG"),
        (b"a" * (TEXT_BYTES + 1), "bytes"),
        (MOVING_GIF, "moves"),
    ],
)
def test_anything_else_is_refused_with_what_to_do(content: bytes, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        check_upload(content, "a.png")
