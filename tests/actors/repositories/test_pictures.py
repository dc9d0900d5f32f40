"""Pictures that a session has changed, before and after."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from command_center.actors.contracts.landing import SeePicture
from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.pictures import PICTURE_BYTES, Picture, PictureSide, media_type_of
from command_center.actors.rules.errors import Invalid, NotFound
from tests.actors.git.repository import plain_git
from tests.actors.repositories.work import Work

BEFORE = b"\x89PNG\r\n\x1a\nbefore"
AFTER = b"GIF89a after"


async def see(work: Work, path: str, side: PictureSide) -> Picture:
    return await work.rig.ask(SeePicture(work.session.id, path, side))


async def test_a_picture_is_shown_as_it_was_and_as_it_is(work: Work, project: Path) -> None:
    picture = work.folder / "picture.png"
    picture.write_bytes(BEFORE)
    work.git("add", "picture.png")
    work.git("commit", "--quiet", "-m", "Draw")
    plain_git(project, "merge", "--quiet", "work")
    picture.write_bytes(AFTER)
    before = await see(work, "picture.png", "before")
    after = await see(work, "picture.png", "after")
    assert (BEFORE, "image/png") == (base64.b64decode(before.data), before.media_type)
    assert (AFTER, "image/gif", len(AFTER)) == (
        base64.b64decode(after.data),
        after.media_type,
        after.size,
    )


async def test_only_pictures_are_given_out(work: Work) -> None:
    work.write(env_png="SECRET=1\n")
    for path in ("env.png", "absent.png", "readme.txt"):
        for side in ("before", "after"):
            with pytest.raises(NotFound):
                await see(work, path, side)
    with pytest.raises(Invalid):
        await see(work, "../outside.png", "after")


async def test_no_link_is_followed_and_nothing_enormous_is_read(work: Work) -> None:
    (work.folder / "link.png").symlink_to("/etc/hostname")
    with pytest.raises(UnsafeRepository):
        await see(work, "link.png", "after")
    (work.folder / "large.png").write_bytes(BEFORE + bytes(PICTURE_BYTES))
    with pytest.raises(UnsafeRepository, match="larger"):
        await see(work, "large.png", "after")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(content: bytes, media_type: str | None) -> None:
    assert media_type == media_type_of(content)
