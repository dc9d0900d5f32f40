"""Files that stand where git would write others, whether git knows them or not.

Git looks at what it knows, and at what it would show. What is ignored, or lies in a repository of
its own, it writes over. Nothing is followed that is a link. Each function blocks, and is called in
a thread.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import attrs

from command_center.actors.hosts.local.git.worktrees import blob_id


def find_lost(
    top: Path, added: Mapping[bytes, str], removed: Collection[bytes], algorithm: str
) -> bytes | None:
    """Return a file in the place of an added one, of a folder on the way to it, or below it.

    Args:
        top: the work tree.
        added: the files that git would write, each with the id of its content.
        removed: the files that git takes away, which it keeps.
        algorithm: that of the ids.

    Raises:
        Conflict: a file in the place of an added one cannot be read.
    """
    passed: set[bytes] = set()
    for name, content in added.items():
        standing = _standing(top, name, passed)
        if standing is None or standing in removed:
            continue
        path = _path(top, standing)
        if not path.is_dir() or path.is_symlink():
            if standing != name or blob_id(os.fsencode(path), algorithm) != content:
                return standing
            continue
        for inner in _below(top, standing):
            if inner not in removed:
                return inner
    return None


@attrs.frozen
class Parted:
    """Names for an index that is to have what the disk has.

    Attributes:
        forgotten: those that it is to have no more, or to read anew.
        read: those that it is to read; a folder among them is a repository of its own.
    """

    forgotten: list[bytes]
    read: list[bytes]


def part(top: Path, names: Collection[bytes]) -> Parted:
    """Part names by what stands there: what is in a folder replaces a file of its name."""
    folders = {b"/".join(parts[:end]) for parts in _split(names) for end in range(1, len(parts))}
    passed: set[bytes] = set()
    found = Parted([], [])
    for name in names:
        mode = _mode(_path(top, name)) if _standing(top, name, passed) == name else None
        is_folder = mode is not None and stat.S_ISDIR(mode)
        if not is_folder or name in folders:
            found.forgotten.append(name)
        if mode is not None and not (is_folder and name in folders):
            found.read.append(name)
    return found


def find_standing(top: Path, names: Collection[bytes]) -> list[bytes]:
    """Return those that are files or links."""
    passed: set[bytes] = set()
    return [
        name
        for name in names
        if _standing(top, name, passed) == name
        and not stat.S_ISDIR(_path(top, name).lstat().st_mode)
    ]


def _split(names: Collection[bytes]) -> Iterator[list[bytes]]:
    return (name.split(b"/") for name in names)


def _standing(top: Path, name: bytes, passed: set[bytes]) -> bytes | None:
    """Return the first that is no folder on the way to a file, or else what is in its place."""
    parts = name.split(b"/")
    for end in range(1, len(parts)):
        folder = b"/".join(parts[:end])
        if folder in passed:
            continue
        mode = _mode(_path(top, folder))
        if mode is None:
            return None
        if not stat.S_ISDIR(mode):
            return folder
        passed.add(folder)
    return None if _mode(_path(top, name)) is None else name


def _mode(path: Path) -> int | None:
    try:
        return path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None


def _below(top: Path, name: bytes) -> Iterator[bytes]:
    """Yield all that is no folder below one, however deep it is."""
    left = [name]
    while left:
        folder = left.pop()
        with os.scandir(_path(top, folder)) as found:
            for entry in found:
                inner = folder + b"/" + os.fsencode(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    left.append(inner)
                else:
                    yield inner


def _path(top: Path, name: bytes) -> Path:
    return top / os.fsdecode(name)
