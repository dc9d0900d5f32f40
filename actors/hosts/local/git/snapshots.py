"""Files that an agent may have written, read so that none of them keeps anybody waiting.

A pipe in the place of a file blocks whoever opens it, and a file may claim any size. So a file is
opened without waiting, is looked at once it is open, where nothing can come in its place any more,
and is read no further than its limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, Final

from command_center.actors.git.errors import UnsafeRepository

SMALL_FILE: Final = 64 * 1024
"""Bytes of one of git's own small files at most."""


def read_regular(path: Path, limit: int) -> bytes | None:
    """Return what is in a file, or None where there is none.

    Raises:
        UnsafeRepository: it is no regular file, is larger than the limit, or cannot be read.
    """
    file = _open_regular(path, limit)
    if file is None:
        return None
    with file:
        return _read(file, path, limit)


def copy_regular(source: Path, target: Path, limit: int) -> bool:
    """Copy a file with its time of change, and say whether there is one.

    Git compares that time of its index with those of the files in it.

    Raises:
        UnsafeRepository: it is no regular file, is larger than the limit, or cannot be read.
    """
    file = _open_regular(source, limit)
    if file is None:
        return False
    with file:
        found = os.fstat(file.fileno())
        target.write_bytes(_read(file, source, limit))
    os.utime(target, ns=(found.st_atime_ns, found.st_mtime_ns))
    return True


def check_regular(path: Path) -> None:
    """Refuse a file that git would open by its path and that is no regular one.

    Raises:
        UnsafeRepository: it is a pipe, a device or the like.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # what is not there is not opened, and what cannot be reached git complains of
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise _irregular(path)


def read_small(path: Path) -> str | None:
    """Return one of git's own small files, or None where there is none that can be read.

    A pipe is none, and nobody waits for what comes out of it; nor is a file that is not small.
    """
    try:
        content = read_regular(path, SMALL_FILE)
    except UnsafeRepository:
        return None
    return None if content is None else os.fsdecode(content).strip()


def says_something(path: Path) -> bool:
    """Say whether one of git's own small files has more than comments; unreadable ones may."""
    text = read_small(path)
    if text is None:
        return os.path.lexists(path)
    return any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n"))


def _open_regular(path: Path, limit: int) -> IO[bytes] | None:
    try:
        file = open(path, "rb", opener=_open_at_once)  # noqa: SIM115 - Path has no opener
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnsafeRepository(path, f"it cannot be read: {reason}.") from error
    found = os.fstat(file.fileno())
    if not stat.S_ISREG(found.st_mode):
        file.close()
        raise _irregular(path)
    if found.st_size > limit:
        file.close()
        raise _too_large(path, limit)
    return file


def _read(file: IO[bytes], path: Path, limit: int) -> bytes:
    content = file.read(limit + 1)  # it may have grown since it was looked at
    if len(content) > limit:
        raise _too_large(path, limit)
    return content


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _irregular(path: Path) -> UnsafeRepository:
    return UnsafeRepository(path, "it is no regular file, so git is kept from opening it.")


def _too_large(path: Path, limit: int) -> UnsafeRepository:
    return UnsafeRepository(path, f"it is larger than {limit} bytes.")
