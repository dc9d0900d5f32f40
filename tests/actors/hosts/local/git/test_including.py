"""`.worktreeinclude` is read as git reads patterns, and its files are copied from nowhere else."""

from __future__ import annotations

import io
import os
import stat
import sys
from pathlib import Path

import pytest

from command_center.actors.git import Checkout, UnsafeRepository
from command_center.actors.git.including import (
    MOST_FILES,
    NAME,
    PATTERNS_LIMIT,
    list_included,
    patterns_of,
    read_patterns,
)
from command_center.actors.git.trees import add_worktree
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.copying import copy_files
from command_center.actors.hosts.local.git.folders import Folder
from command_center.actors.rules.errors import Conflict
from tests.actors.git.repository import commit, plain_git

FILES = (
    ".env",
    ".env.local",
    "#notes",
    "!loud",
    "a b",
    ":(top)x",
    "trailing ",
    "deep/er/.env",
    "deep/er/key.pem",
    "keys/one.pem",
    "keys/public.pem",
    "logs/today.log",
)
"""Files that git ignores in the repository under test."""

PATTERNS = [
    b".env\n",
    b"/.env\n",
    b".env*\n!.env.local\n",
    b"keys/\n",
    b"keys/*\n!keys/public.pem\n",
    b"*.pem\n!/keys/**\n",
    b"**/er/*\n",
    b"# a comment\n\\#notes\n",
    b"\\!loud\n",
    b"trailing\\ \n",
    b"trailing \n",
    b"a b   \n",
    b":*\n",
    b"\xef\xbb\xbf.env\n",
    b".env\r\nkeys/\r\n",
    b".env\r",
    b"deep/\n\n   \n",
    b"de[e-f]p/\n",
    b"\n",
    b"",
    b".env\\",
    b"logs/*.log",
    b"-x\n--others\n",
]


@pytest.fixture
async def checkout(git: LocalGit, repository: Path) -> Checkout:
    """A repository that ignores a number of files, and one that nobody ignores."""
    ignored = ["*", "!/readme.txt", "!/source.py", "!/.gitignore", "!/loose.env"]
    commit(repository, {".gitignore": "\n".join(ignored) + "\n"})
    for name in (*FILES, "loose.env"):
        if sys.platform == "win32" and (name != name.strip() or ":" in name):
            continue
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return await git.open(repository)


@pytest.mark.parametrize("content", PATTERNS)
async def test_patterns_are_read_as_git_reads_them(checkout: Checkout, content: bytes) -> None:
    file = checkout.path / "patterns.gitignored"
    file.write_bytes(content)
    matched = plain_git(
        checkout.path, "ls-files", "-z", "--others", "--ignored", f"--exclude-from={file}"
    )
    expected = sorted(name for name in matched.split("\0") if name)

    found = await list_included(checkout, patterns_of(content))

    assert [name for name in expected if name != "loose.env"] == [*map(os.fsdecode, found)]


async def test_what_git_follows_or_does_not_ignore_is_not_included(checkout: Checkout) -> None:
    found = await list_included(checkout, ["*.env", "readme.txt", "loose.env", ".env"])

    assert [b".env", b"deep/er/.env"] == found


async def test_the_files_come_into_a_new_worktree_as_they_are(checkout: Checkout) -> None:
    script = checkout.path / "keys" / "run.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o700)
    secret = checkout.path / ".env"
    secret.chmod(0o600)
    (checkout.path / "keys" / "same.pem").symlink_to("one.pem")
    include = await list_included(checkout, [".env", "keys/"])

    made = await add_worktree(checkout, checkout.path.parent / "made", "work", include=include)

    assert ".env" == (made.path / ".env").read_text(encoding="utf-8")
    assert "deep/er/.env" == (made.path / "deep/er/.env").read_text(encoding="utf-8")
    assert "keys/one.pem" == (made.path / "keys" / "same.pem").read_text(encoding="utf-8")
    assert Path("one.pem") == (made.path / "keys" / "same.pem").readlink()
    assert not (made.path / ".env.local").exists()
    if sys.platform != "win32":
        for name, mode in ((".env", 0o600), ("keys/run.sh", 0o700)):
            assert mode == stat.S_IMODE((made.path / name).stat().st_mode)
    assert "" == plain_git(made.path, "status", "--porcelain")


async def test_a_worktree_whose_commit_does_not_ignore_a_file_does_not_get_it(
    checkout: Checkout,
) -> None:
    first = plain_git(checkout.path, "rev-list", "--max-parents=0", "HEAD")
    include = await list_included(checkout, [".env"])

    place = checkout.path.parent / "made"
    made = await add_worktree(checkout, place, "work", first, include=include)

    assert not (made.path / ".env").exists()
    assert "" == plain_git(made.path, "status", "--porcelain")


async def test_what_is_there_already_stays_and_a_second_copy_goes_on(checkout: Checkout) -> None:
    made = await add_worktree(checkout, checkout.path.parent / "made", "work")
    (made.path / ".env").write_text("mine", encoding="utf-8")
    (made.path / ".env.local.command-center-part").write_text("cut off", encoding="utf-8")

    copied = await made.git.copy_files(checkout, made, [b".env", b".env.local", b"keys"], 1000)

    assert [b".env", b".env.local"] == copied
    assert "mine" == (made.path / ".env").read_text(encoding="utf-8")
    assert ".env.local" == (made.path / ".env.local").read_text(encoding="utf-8")
    assert [] == [*made.path.glob("*-part")]


@pytest.mark.parametrize(
    "target", ["../outside", "/etc/hostname", "keys/../../outside", ".git/config", "out/file"]
)
async def test_a_link_that_leads_out_of_the_checkout_is_refused_and_nothing_is_left(
    checkout: Checkout, target: str
) -> None:
    outside = checkout.path.parent / "outside"
    outside.mkdir()
    (outside / "file").write_text("secret", encoding="utf-8")
    (checkout.path / "out").symlink_to(outside, target_is_directory=True)
    (checkout.path / ".env").unlink()
    (checkout.path / ".env").symlink_to(target)
    place = checkout.path.parent / "made"

    with pytest.raises(Conflict, match=r"\.env cannot be copied to the worktree: it is a link"):
        await add_worktree(checkout, place, "work", include=[b".env"])

    assert not place.exists()
    assert "" == plain_git(checkout.path, "branch", "--list", "work")


async def test_a_folder_that_became_a_link_is_not_followed_on_either_side(
    checkout: Checkout,
) -> None:
    outside = checkout.path.parent / "outside"
    outside.mkdir()
    (outside / "one.pem").write_text("secret", encoding="utf-8")
    made = await add_worktree(checkout, checkout.path.parent / "made", "work")
    (made.path / "keys").symlink_to(outside, target_is_directory=True)
    with pytest.raises(Conflict, match=r"keys/public\.pem cannot be copied"):
        await made.git.copy_files(checkout, made, [b"keys/public.pem"], 1000)
    assert ["one.pem"] == [path.name for path in outside.iterdir()]

    (checkout.path / "deep").rename(checkout.path / "deeper")
    (checkout.path / "deep").symlink_to(outside, target_is_directory=True)
    with pytest.raises(Conflict, match=r"deep/one\.pem cannot be copied"):
        await made.git.copy_files(checkout, made, [b"deep/one.pem"], 1000)


def make_pipe(path: Path) -> None:
    """A named pipe; reading it waits for whoever writes."""
    if sys.platform != "win32":
        os.mkfifo(path)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pipes of that kind")
async def test_a_pipe_is_passed_over_and_nobody_waits_for_it(checkout: Checkout) -> None:
    make_pipe(checkout.path / "keys" / "pipe")
    made = await add_worktree(checkout, checkout.path.parent / "made", "work")

    assert [] == await made.git.copy_files(checkout, made, [b"keys/pipe"], 1000)

    make_pipe(checkout.path / NAME)
    with pytest.raises(UnsafeRepository, match="no regular file"):
        await read_patterns(checkout)


async def test_too_many_files_and_too_large_ones_are_refused(checkout: Checkout) -> None:
    made = await add_worktree(checkout, checkout.path.parent / "made", "work")
    with pytest.raises(Conflict, match=r"keys/one\.pem cannot be copied.*larger than"):
        await made.git.copy_files(checkout, made, [b".env", b"keys/one.pem"], 5)

    (checkout.path / "many").mkdir()
    for number in range(MOST_FILES + 1):
        (checkout.path / "many" / str(number)).touch()
    with pytest.raises(Conflict, match=f"more than {MOST_FILES} files"):
        await list_included(checkout, ["many/"])


async def test_the_patterns_are_those_of_the_main_checkout_within_bounds(
    checkout: Checkout,
) -> None:
    assert [] == await read_patterns(checkout)
    (checkout.path / NAME).write_text("# secrets\n.env\n", encoding="utf-8")
    assert [".env"] == await read_patterns(checkout)
    (checkout.path / NAME).write_text("x\n" * PATTERNS_LIMIT, encoding="utf-8")
    with pytest.raises(UnsafeRepository, match=f"larger than {PATTERNS_LIMIT} bytes"):
        await read_patterns(checkout)
    (checkout.path / NAME).unlink()
    (checkout.path / NAME).symlink_to(".env")
    with pytest.raises(UnsafeRepository, match="cannot be read"):
        await read_patterns(checkout)


async def test_nothing_is_copied_to_or_from_a_folder_that_took_the_place_of_a_work_tree(
    git: LocalGit, repository: Path, tmp_path: Path
) -> None:
    source = await git.open(repository)
    target = await add_worktree(source, tmp_path / "work", "work")
    (repository / ".env").write_text("mine\n", encoding="utf-8")
    for moved in (repository, target.path):
        moved.rename(moved.with_name("away"))
        moved.mkdir()
        (moved / ".env").write_text("another's\n", encoding="utf-8")
        with pytest.raises(Conflict, match="another folder now"):
            await git.copy_files(source, target, [b".env"], 100)
        with pytest.raises(UnsafeRepository, match="another folder now"):
            await git.read_file(source if moved == repository else target, ".env", 100)
        (moved / ".env").unlink()
        moved.rmdir()
        moved.with_name("away").rename(moved)
    await git.copy_files(source, target, [b".env"], 100)
    assert "mine\n" == (target.path / ".env").read_text(encoding="utf-8")


async def test_a_file_that_grows_while_it_is_copied_is_not_read_for_ever(
    git: LocalGit, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Growing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 11
            return b"." * size

    source = await git.open(repository)
    target = await add_worktree(source, tmp_path / "work", "work")
    (repository / ".env").write_bytes(b".")
    monkeypatch.setattr(Folder, "open", lambda *_: Growing())

    with pytest.raises(Conflict, match="larger than 10 bytes"):
        copy_files(source.layout, target.layout, [b".env"], 10)

    assert not list(target.path.glob(".env*"))
