"""Looks at a work tree by names that nobody has checked, and searches in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import Layout, SeenFile, SeenLine, SeenLines, TextSearch
from command_center.actors.hosts.local.git import searching
from command_center.actors.hosts.local.git.folders import identity
from command_center.actors.hosts.local.git.looking import MOST_PARTS, look
from command_center.actors.hosts.local.git.searching import search
from command_center.actors.rules.text_lines import BLOCK
from command_center.runtime.threads import PROCESSOR

if sys.platform != "win32":
    import resource

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="descriptors are POSIX ones")

HOSTILE = [
    "/etc/passwd",
    "../beside",
    "a/../../beside",
    ".",
    "a/./b",
    "a//b",
    "a/",
    ".git/config",
    "a/.GIT/config",
    "a\0b",
    "/".join(["a"] * (MOST_PARTS + 1)),
]


@pytest.fixture
def top(tmp_path: Path) -> Layout:
    folder = tmp_path / "top"
    (folder / "a").mkdir(parents=True)
    for name in (".git", "a/.GIT"):
        (folder / name).mkdir()
        (folder / name / "config").write_text("needle\n")
    (tmp_path / "beside").write_text("needle\n")
    known = identity(folder)
    return Layout(folder, folder / ".git", folder / ".git", False, (known, known), known)  # noqa: FBT003 - a field


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_could_lead_elsewhere_is_refused(top: Layout, name: str) -> None:
    with pytest.raises(UnsafeRepository):
        look(top, name, 0, 100)


def of(names: list[bytes], deadline: float = 10) -> TextSearch:
    return TextSearch(
        query="needle", names=names, limit=9, of_a_file=9, size=100, deadline=deadline
    )


async def test_a_search_passes_over_such_names(top: Layout) -> None:
    (top.path / "a" / "b").write_text("needle\n")
    names = [*map(os.fsencode, HOSTILE), b"a/b", b"a/gone", b"gone/b", b"a"]
    assert SeenLines((SeenLine(b"a/b", 1, "needle"),), is_cut=False) == await search(top, of(names))


async def test_a_search_ends_at_its_deadline_and_says_so(top: Layout) -> None:
    (top.path / "b").write_text("needle\n")
    assert SeenLines((), is_cut=True) == await search(top, of([b"b"], deadline=-1))


async def test_a_search_of_one_file_lets_others_have_their_turn(
    top: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PIECE_SECONDS", 0.0)
    (top.path / "b").write_bytes(b"\n" * (100 * BLOCK) + b"needle\n")
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            await PROCESSOR.run(int)
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take_turns)
        found = await search(top, attrs.evolve(of([b"b"]), size=200 * BLOCK))
        nursery.cancel_scope.cancel()
    assert SeenLines((SeenLine(b"b", 100 * BLOCK + 1, "needle"),), is_cut=False) == found
    assert turns >= 50


@contextmanager
def few_descriptors(folder: Path) -> Iterator[None]:
    if sys.platform == "win32":
        yield
    else:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        spare = os.open(folder, os.O_RDONLY)  # the first number that is free
        os.close(spare)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 64, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_long_path_holds_one_folder_open(top: Layout) -> None:
    parts = ["a"] * (MOST_PARTS - 1)
    folder = top.path
    for part in parts:
        folder /= part
        folder.mkdir(exist_ok=True)
    (folder / "b").write_text("needle\n")
    name = "/".join([*parts, "b"])
    with few_descriptors(top.path):
        seen = look(top, name, 0, 100)
        found = await search(top, of([name.encode()]))
    assert isinstance(seen, SeenFile)
    assert b"needle\n" == seen.content
    assert [name.encode()] == [line.name for line in found.lines]
