"""The files of this machine by which a project configures Codex.

Codex obeys the `.codex` folders between a thread's folder and the top of its checkout, if it trusts
them; of a linked worktree, the hooks are those of the main checkout. It looks trust up by each of
those folders, then by the top of the project, then by the main checkout, first by their real paths.

Whoever writes to the repository writes these files, too: they are read as hostile input. Only
regular files are read, never more than can be shown, and nothing is followed out of the folders.
Each function blocks, and is called in a thread.

Source: the configuration loader of Codex (`codex-rs/config/src/loader`).
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from command_center.actors.contracts.project_configuration import NotShowable, ProjectConfiguration

FOLDER: Final = ".codex"
MOST_FILES: Final = 200
MOST_BYTES: Final = 128 * 1024
"""Of all files together: what a person can be shown to decide about."""
DEEPEST: Final = 8


def project_paths(cwd: Path, main: Path) -> tuple[str, ...]:
    """Return the paths by which Codex may look up whether it trusts the files in `cwd`.

    Those are `cwd` and the folders above it up to the top of its checkout, and the `main` checkout
    of the repository; each as given and as it really is. Looks at the disk.
    """
    found: dict[str, None] = {}
    for start in (cwd, real_path(cwd)):
        for folder in _up_to_checkout(start):
            found |= dict.fromkeys((_key(folder), _key(real_path(folder))))
    return tuple(found | dict.fromkeys((_key(main), _key(real_path(main)))))


def codex_folders(cwd: Path, main: Path) -> tuple[str, ...]:
    """Return the `.codex` folders that Codex obeys in `cwd` where it trusts them.

    An empty one is none of them.
    """
    places = [*_up_to_checkout(real_path(cwd)), real_path(main)]
    found = (place / FOLDER for place in places)
    return tuple(dict.fromkeys(str(folder) for folder in found if _holds_something(folder)))


def read_configuration(cwd: Path, main: Path) -> ProjectConfiguration | None:
    """Read the files that Codex obeys in `cwd` where it trusts them; None if there are none.

    Files of the main checkout are there beside those of a worktree only where they differ from
    them: what was trusted in the main checkout is so in a new worktree.

    Raises:
        NotShowable: there is too much of it, or something that is no regular file; says what.
    """
    top = [*_up_to_checkout(real_path(cwd))][-1]
    reader = _Reader()
    for folder in codex_folders(cwd, main):
        reader.read(Path(folder))
    files: dict[str, bytes] = {}
    beside: dict[str, bytes] = {}
    for path, content in reader.files.items():
        if path.is_relative_to(top):
            files[path.relative_to(top).as_posix()] = content
        else:
            beside[path.relative_to(real_path(main)).as_posix()] = content
    files |= {
        f"main checkout/{path}": content
        for path, content in beside.items()
        if files.get(path) != content
    }
    return ProjectConfiguration(files, reader.stamp) if files else None


class _Reader:
    """Reads folders as one configuration, within its bounds."""

    def __init__(self) -> None:
        self.files: dict[Path, bytes] = {}
        self._left = MOST_BYTES
        self._seen: list[str] = []

    @property
    def stamp(self) -> str:
        return hashlib.sha256("\n".join(self._seen).encode(errors="replace")).hexdigest()

    def read(self, folder: Path, depth: int = 1) -> None:
        try:
            self._look(folder, os.lstat(folder), stat.S_ISDIR)
            paths = sorted(islice(folder.iterdir(), MOST_FILES + 1))
            if depth > DEEPEST or len(paths) > MOST_FILES:
                raise NotShowable(f"{folder} holds more than can be shown.")
            for path in paths:
                if stat.S_ISDIR(os.lstat(path).st_mode):
                    self.read(path, depth + 1)
                else:
                    self._read_file(path)
            if os.path.realpath(folder) != str(folder):
                raise NotShowable(f"{folder} leads elsewhere.")
        except OSError as error:
            raise NotShowable(f"{folder} cannot be read: {error.strerror or error}.") from error

    def _read_file(self, path: Path) -> None:
        # A FIFO would have an open wait for whoever writes to it, and a link lead elsewhere.
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        self._look(path, os.lstat(path), stat.S_ISREG)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | flags)
        with os.fdopen(descriptor, "rb") as file:
            self._look(path, os.fstat(descriptor), stat.S_ISREG)
            content = file.read(self._left + 1)
        self._left -= len(content)
        if self._left < 0 or len(self.files) >= MOST_FILES:
            raise NotShowable(f"There is more than can be shown: {path} is too much.")
        self.files[path] = content

    def _look(self, path: Path, found: os.stat_result, is_right: Callable[[int], bool]) -> None:
        if not is_right(found.st_mode):
            raise NotShowable(f"{path} is neither a regular file nor a folder.")
        changed = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        self._seen.append(f"{path} {changed}")


def real_path(path: Path) -> Path:
    """Return the path without links, and in the letters that the disk has for it."""
    real = os.path.realpath(path)
    if sys.platform != "darwin":
        return Path(real)
    else:  # noqa: RET505 - mypy knows the platform only so
        import fcntl  # noqa: PLC0415 - Windows has none

        try:
            descriptor = os.open(real, os.O_RDONLY)
        except OSError:
            return Path(real)
        try:
            spelt = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(1024))
        finally:
            os.close(descriptor)
        return Path(os.fsdecode(spelt.rstrip(b"\0")))


def _up_to_checkout(folder: Path) -> Iterator[Path]:
    """Yield the folder and those above it, up to the first with a `.git`; alone if none has one."""
    folders = [folder, *folder.parents]
    tops = [number for number, one in enumerate(folders) if _holds_something(one / ".git")]
    yield from folders[: tops[0] + 1 if tops else 1]


def _holds_something(path: Path) -> bool:
    """Return False if nothing is there, or an empty folder.

    On Linux, Codex's sandbox makes such folders to mount on while a command runs (`.codex`,
    `.git`, `.agents`). They stay if the command is killed. What cannot be looked at may hold all.
    """
    if path.is_symlink() or not path.is_dir():
        return os.path.lexists(path)
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is not None
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _key(path: Path) -> str:
    """Return a path as Codex looks it up: in small letters on Windows."""
    return str(path).lower() if sys.platform == "win32" else str(path)
