"""Folders that are held open, so that what is done in one is done in that one.

A path is walked anew at each use, and an agent may put a link in the place of any part of it
meanwhile. A folder that is open stays the one that it was, and what is in it is reached from it,
name by name, no link followed. Windows has no such calls: there, paths are walked.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

import attrs

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import Identity
from command_center.runtime.threads import CHECKOUTS

T = TypeVar("T")

if sys.platform == "win32":
    _FOLDER = _FILE = 0
else:
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    _FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def identity(folder: Path) -> Identity:
    """Return what a folder is, links not followed."""
    found = folder.lstat()
    return found.st_dev, found.st_ino


@attrs.frozen
class Folder:
    """A folder that is open; `path` is where it was."""

    path: Path
    _descriptor: int | None

    @contextmanager
    def enter(self, name: str, *, make: bool = False) -> Iterator[Folder]:
        """Open a folder in it, made where there is none if so asked.

        Raises:
            OSError: there is none, or it is a link.
        """
        if make:
            with suppress(FileExistsError):
                os.mkdir(self._at(name), dir_fd=self._descriptor)
        folder = self.inner(name)
        try:
            yield folder
        finally:
            folder.close()

    def inner(self, name: str) -> Folder:
        """Open a folder in it, which is the caller's to close.

        Raises:
            OSError: there is none, or it is a link.
        """
        if self._descriptor is None:
            return Folder(self.path / name, None)
        return Folder(self.path / name, os.open(name, _FOLDER, dir_fd=self._descriptor))

    def create(self, name: str) -> IO[bytes]:
        """Make a file and open it for writing.

        Raises:
            FileExistsError: there is something of that name.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(self._at(name), flags, 0o666, dir_fd=self._descriptor), "wb")

    def look(self, name: str) -> os.stat_result:
        """Say what is there, a link as a link.

        Raises:
            FileNotFoundError: nothing is.
        """
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def open(self, name: str, limit: int) -> IO[bytes]:
        """Open a file for reading, and wait for nobody.

        Raises:
            OSError: there is none, or it is a link.
            UnsafeRepository: it is no regular file, or larger than the limit in bytes.
        """
        flags = os.O_RDONLY | _FILE | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(self._at(name), flags, dir_fd=self._descriptor), "rb")
        found = os.fstat(file.fileno())
        if stat.S_ISREG(found.st_mode) and found.st_size <= limit:
            return file
        file.close()
        why = f"larger than {limit} bytes" if stat.S_ISREG(found.st_mode) else "no regular file"
        raise UnsafeRepository(self.path / name, f"it is {why}.")

    def entries(self) -> Iterator[os.DirEntry[str]]:
        """Go through all that is in it."""
        with os.scandir(self.path if self._descriptor is None else self._descriptor) as found:
            yield from found

    def target(self, name: str) -> str:
        """Return what a link in it says."""
        return os.readlink(self._at(name), dir_fd=self._descriptor)

    def link(self, name: str, target: str) -> None:
        """Make a link.

        Raises:
            FileExistsError: there is something of that name.
        """
        os.symlink(target, self._at(name), dir_fd=self._descriptor)

    def name_again(self, name: str, second: str) -> None:
        """Give a file a second name.

        Raises:
            FileExistsError: there is something of that name.
            OSError: the file system knows one name only.
        """
        os.link(
            self._at(name),
            self._at(second),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
            follow_symlinks=False,
        )

    def append(self, name: str, content: bytes) -> None:
        """Write at the end of a file, made where there is none.

        Raises:
            OSError: it is a link.
            UnsafeRepository: it is no regular file, or has a second name elsewhere.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _FILE | getattr(os, "O_BINARY", 0)
        with os.fdopen(
            os.open(self._at(name), flags, 0o666, dir_fd=self._descriptor), "wb"
        ) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
                raise UnsafeRepository(self.path / name, "it is no file of this place alone.")
            file.write(content)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in the place of what has it."""
        os.replace(
            self._at(old),
            self._at(new),
            src_dir_fd=self._descriptor,
            dst_dir_fd=self._descriptor,
        )

    def flush(self) -> None:
        """See that its names are on the disk, where folders can be flushed."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def unlink(self, name: str) -> None:
        """Take a file away, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._at(name), dir_fd=self._descriptor)

    def remove_tree(self, name: str) -> None:
        """Delete a folder in it with all that is in that, links as links.

        Raises:
            OSError: it is a link, or something in it cannot be deleted.
        """
        try:
            shutil.rmtree(self._at(name), dir_fd=self._descriptor)
        except RecursionError as error:
            raise OSError(errno.ELOOP, "its folders are nested too deep") from error

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else os.fspath(self.path / name)


@contextmanager
def held(path: Path, expected: Identity | None = None) -> Iterator[Folder]:
    """Hold a folder open while the block runs; see `open_folder`."""
    folder = open_folder(path, expected)
    try:
        yield folder
    finally:
        folder.close()


async def on_disk(path: Path, work: Callable[..., T], *arguments: object) -> T:
    """Work on the disk in a thread; what the disk refuses, the caller is told as of `path`.

    Raises:
        UnsafeRepository: a file or folder is gone, is a link, cannot be written, …
    """
    try:
        return await CHECKOUTS.run(lambda: work(*arguments))
    except OSError as error:
        raise UnsafeRepository(
            path, f"{error.filename or 'a file of it'}: {error.strerror or error}."
        ) from error


def open_folder(path: Path, expected: Identity | None = None) -> Folder:
    """Open a folder, which is the caller's to close.

    Args:
        path: where it is; it is no link.
        expected: what it was when it was seen before.

    Raises:
        UnsafeRepository: it is another one now, or gone.
    """
    try:
        found = None if sys.platform == "win32" else os.open(path, _FOLDER)
        seen = path.lstat() if found is None else os.fstat(found)
    except OSError as error:
        raise UnsafeRepository(path, f"it cannot be entered: {error.strerror}.") from error
    folder = Folder(path, found)
    if expected not in {None, (seen.st_dev, seen.st_ino)}:
        folder.close()
        raise UnsafeRepository(path, "it is another folder now.")
    return folder
