"""Files that are copied from one work tree to another, while an agent may change both.

The top is the folder that was looked at, or nothing is copied. Each folder on the way is held open
and entered without following a link, so that nothing is read or written anywhere else. Each
function blocks, and is called in a thread.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO, Final

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import Layout, shown
from command_center.actors.hosts.local.git.folders import Folder, held
from command_center.actors.rules.errors import Conflict

PART: Final = ".command-center-part"
"""The end of the name of a file that is being written."""

_PART_BYTES: Final = 1024 * 1024


def read_file(top: Layout, name: str, limit: int) -> bytes | None:
    """Read a file; None if there is none, or a folder on the way to it is none."""
    try:
        with _folder_of(top, name) as (folder, last), folder.open(last, limit) as file:
            content = file.read(limit + 1)  # it may have grown since it was looked at
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnsafeRepository(top.path / name, f"it cannot be read: {error.strerror}.") from error
    if len(content) > limit:
        raise UnsafeRepository(top.path / name, f"it is larger than {limit} bytes.")
    return content


def measure(top: Path, names: Sequence[bytes], limit: int) -> int:
    """Add up the bytes of files below a folder, no further than beyond the limit."""
    total = 0
    for name in names:
        with suppress(OSError):
            total += (top / os.fsdecode(name)).lstat().st_size
        if total > limit:
            break
    return total


def copy_files(source: Layout, target: Layout, names: Sequence[bytes], limit: int) -> list[bytes]:
    """Copy regular files, and links that stay within the source; return the names of those."""
    copied = []
    left = limit
    for raw in names:
        name = os.fsdecode(raw)
        try:
            size = _copy(source, target, name, left)
        except (OSError, UnsafeRepository) as error:
            why = error.problem if isinstance(error, UnsafeRepository) else f"{error.strerror}."
            raise Conflict(f"{shown(raw)} cannot be copied to the worktree: {why}") from error
        if size is None:
            continue
        copied.append(raw)
        left -= size
    return copied


def _copy(source: Layout, target: Layout, name: str, limit: int) -> int | None:
    """Copy one, and return its size in bytes; None for what is neither a file nor a link."""
    with _folder_of(source, name) as (folder, last):
        found = folder.look(last)
        if stat.S_ISLNK(found.st_mode):
            leads_to = folder.target(last)
            _check_inside(source.path, name, leads_to)
            with _folder_of(target, name, make=True) as (there, _):
                if not _has(there, last):
                    there.link(last, leads_to)
            return 0
        if not stat.S_ISREG(found.st_mode):
            return None
        with folder.open(last, limit) as file, _folder_of(target, name, make=True) as (there, _):
            if _has(there, last):
                return 0
            part = last + PART
            there.unlink(part)  # a crash may have left it
            with there.create(part) as new:
                size = _pour(file, new, limit + 1)  # it may have grown since it was looked at
                if size > limit:
                    there.unlink(part)
                    raise UnsafeRepository(source.path / name, f"it is larger than {limit} bytes.")
                if sys.platform != "win32":
                    os.fchmod(new.fileno(), stat.S_IMODE(found.st_mode) & 0o777)
            there.rename(part, last)
            return size


def _pour(source: IO[bytes], target: IO[bytes], limit: int) -> int:
    """Copy what is in a file, as far as the limit; return the number of bytes."""
    left = limit
    while left and (part := source.read(min(left, _PART_BYTES))):
        target.write(part)
        left -= len(part)
    return limit - left


def _check_inside(source: Path, name: str, leads_to: str) -> None:
    """Refuse a link that leads out of the work tree, or into its git directory."""
    where = (source / name).parent / leads_to
    real = Path(os.path.realpath(where))
    top = Path(os.path.realpath(source))
    inside = real.is_relative_to(top) and ".git" not in real.relative_to(top).parts
    if Path(leads_to).is_absolute() or not inside:
        raise UnsafeRepository(source / name, f"it is a link that leads to {leads_to}, elsewhere.")


def _has(folder: Folder, name: str) -> bool:
    try:
        folder.look(name)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def _folder_of(top: Layout, name: str, *, make: bool = False) -> Iterator[tuple[Folder, str]]:
    """Hold open the folder that a file is in, and give the file's own name in it."""
    *folders, last = PurePosixPath(name).parts
    with ExitStack() as stack:
        at = stack.enter_context(held(top.path, top.top))
        for part in folders:
            at = stack.enter_context(at.enter(part, make=make))
        yield at, last
