"""Finding repositories below folders: in pieces, each bounded in time, by looking at names alone.

The folders come in the order of their names, each before what lies in it. So a look that has ended
early is gone on with behind the folder at which it ended, and nothing is kept between two of them.
No link is followed, no other disk entered, and no git is run: a folder that has a folder `.git` is
a repository, and is not looked into. Those that hide themselves, or that programs fill, have none.
"""

from __future__ import annotations

import enum
import os
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from command_center.actors.contracts.hosts import FolderLook
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.paths import CONTROL

PIECE_SECONDS: Final = 1.0
"""Seconds of one look."""

PIECE_FOLDERS: Final = 2000
"""Folders of one look."""

PIECE_BYTES: Final = 256 * 1024
"""Bytes of the paths that one look finds or passes over; with these it ends."""

DEPTH: Final = 6
"""Folders between a root and a repository, at most."""

WIDEST: Final = 2000
"""Entries of a folder that are looked at; one with more is of a program's making."""

WIDEST_ROOT: Final = 100_000
"""Entries of a root that are looked at, since a person has named it."""

PASSED: Final = frozenset(
    {"node_modules", "__pycache__", "venv", "site-packages", "vendor", "target", "snap"}
    | {"AppData", "Applications", "Library", "Movies", "Music", "Pictures", "Public"}
)
"""Folders in which no one keeps repositories; macOS asks its user about some of them."""


class _Seen(enum.Enum):
    FOLDER = enum.auto()
    REPOSITORY = enum.auto()
    WIDE = enum.auto()


_Place: TypeAlias = tuple[int, tuple[str, ...]]
"""A folder by its root's number and its steps from there: in the order of the look."""


def find_repositories(
    roots: Sequence[Path], after: Path | None, *, hidden: Collection[Path] = ()
) -> FolderLook:
    """Look for repositories below the roots, behind the folder `after`, but not in the `hidden`.

    A root that lies in another one is looked through as itself alone, as that one may not come so
    far: it may be hidden there, deep, or of another disk. So each folder has one place.

    Raises:
        Invalid: `after` is in none of the roots.
    """
    deadline = time.monotonic() + PIECE_SECONDS
    roots = list(dict.fromkeys(roots))
    begin = None if after is None else _place_of(after, roots)
    found: list[Path] = []
    passed: list[Path] = []
    count = size = 0
    for place, path, seen in _walk(roots, begin, frozenset(map(os.fspath, hidden))):
        if begin is not None and place <= begin:
            continue
        count += 1
        if seen is _Seen.REPOSITORY:
            found.append(Path(path))
        elif seen is _Seen.WIDE:
            passed.append(Path(path))
        if seen is not _Seen.FOLDER:
            size += len(os.fsencode(path))
        if count >= PIECE_FOLDERS or size >= PIECE_BYTES or time.monotonic() > deadline:
            return FolderLook(tuple(found), count, tuple(passed), Path(path))
    return FolderLook(tuple(found), count, tuple(passed), None)


def _place_of(path: Path, roots: Sequence[Path]) -> _Place:
    """Return the place of a folder: in the innermost of the roots that it lies in."""
    holding = [(len(root.parts), n) for n, root in enumerate(roots) if path.is_relative_to(root)]
    if not holding:
        raise Invalid.field("after", "This is not where a look has ended. Begin without it.")
    _, number = max(holding)
    return number, path.relative_to(roots[number]).parts


def _walk(
    roots: Sequence[Path], begin: _Place | None, hidden: Collection[str]
) -> Iterator[tuple[_Place, str, _Seen]]:
    """Yield each folder that is not certainly behind `begin`, before what lies in it."""
    waiting: list[tuple[_Place, str]] = [((n, ()), os.fspath(root)) for n, root in enumerate(roots)]
    waiting.reverse()
    closed = {*hidden, *map(os.fspath, roots)}
    devices = [_device(root) for root in roots]
    while waiting:
        place, path = waiting.pop()
        number, steps = place
        seen, names = _look(path, WIDEST if steps else WIDEST_ROOT)
        yield place, path, seen
        if len(steps) >= DEPTH:
            continue
        for name in sorted(names, reverse=True):
            inner: _Place = (number, (*steps, name))
            below = os.path.join(path, name)  # noqa: PTH118 - thousands of them
            is_done = begin is not None and inner < begin and begin[1][: len(inner[1])] != inner[1]
            if not is_done and below not in closed and _device(below) == devices[number]:
                waiting.append((inner, below))


def _look(path: str, widest: int) -> tuple[_Seen, list[str]]:
    """Say what a folder is, and which folders in it may have repositories."""
    names: list[str] = []
    try:
        if _is_folder(os.path.join(path, ".git")):  # noqa: PTH118 - thousands of them
            return _Seen.REPOSITORY, []
        with os.scandir(path) as entries:
            for count, entry in enumerate(entries):
                if count >= widest:
                    return _Seen.WIDE, []
                if _is_looked_at(entry.name) and entry.is_dir(follow_symlinks=False):
                    names.append(entry.name)
    except OSError:  # nobody may look there, or it went
        return _Seen.FOLDER, []
    return _Seen.FOLDER, names


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_looked_at(name: str) -> bool:
    return (
        not name.startswith(".")
        and name not in PASSED
        and not CONTROL.search(name)
        and not any("\ud800" <= letter <= "\udfff" for letter in name)
    )


def _device(path: str | Path) -> int:
    try:
        return os.stat(path, follow_symlinks=False).st_dev  # noqa: PTH116 - thousands of them
    except OSError:
        return -1
