"""A look at the files of a work tree, while an agent may change it.

Each folder on the way is held open and entered without following a link, so that nothing outside of
the work tree is read. It waits for nobody, whatever lies there. It blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import PurePosixPath
from typing import Final

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import EntryKind, Layout, SeenEntry, SeenFile, SeenFolder
from command_center.actors.hosts.local.git.folders import Folder, held

MOST_ENTRIES: Final = 10_000
"""Things of a folder that are shown."""

GIT: Final = ".git"


def look(top: Layout, name: str, begin: int, size: int) -> SeenFolder | SeenFile | None:
    """Show a folder, or a part of a file; None where there is nothing."""
    try:
        with ExitStack() as stack:
            at = stack.enter_context(held(top.path, top.top))
            parts = PurePosixPath(name).parts
            for part in parts[:-1]:
                at = stack.enter_context(_enter(at, part))
            if not parts:
                return _listed(at)
            found = at.look(parts[-1])
            if stat.S_ISLNK(found.st_mode):
                raise UnsafeRepository(
                    at.path / parts[-1], f"it is a link to {at.target(parts[-1])}."
                )
            if stat.S_ISDIR(found.st_mode):
                return _listed(stack.enter_context(_enter(at, parts[-1])))
            return _part(at, parts[-1], begin, size)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnsafeRepository(top.path / name, f"it cannot be read: {error.strerror}.") from error


@contextmanager
def _enter(at: Folder, name: str) -> Iterator[Folder]:
    """Hold a folder open that is not a repository of its own."""
    with at.enter(name) as folder:
        if _is_repository(folder):
            raise UnsafeRepository(folder.path, "it is a repository of its own.")
        yield folder


def _listed(folder: Folder) -> SeenFolder:
    entries: list[SeenEntry] = []
    for entry in folder.entries():
        if entry.name == GIT:
            continue
        if len(entries) == MOST_ENTRIES:
            return SeenFolder(tuple(entries), is_cut=True)
        with suppress(FileNotFoundError):  # it has gone meanwhile
            entries.append(_seen(folder, entry))
    return SeenFolder(tuple(entries), is_cut=False)


def _seen(folder: Folder, entry: os.DirEntry[str]) -> SeenEntry:
    found = entry.stat(follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        return SeenEntry(entry.name, "link", target=folder.target(entry.name))
    kind: EntryKind = "file" if stat.S_ISREG(found.st_mode) else "other"
    if stat.S_ISDIR(found.st_mode):
        kind = "folder"
        with suppress(OSError), folder.enter(entry.name) as inner:
            kind = "repository" if _is_repository(inner) else "folder"
    return SeenEntry(entry.name, kind, found.st_size)


def _is_repository(folder: Folder) -> bool:
    try:
        folder.look(GIT)
    except FileNotFoundError:
        return False
    return True


def _part(folder: Folder, name: str, begin: int, size: int) -> SeenFile:
    with folder.open(name, sys.maxsize) as file:
        found = os.fstat(file.fileno())
        file.seek(begin)
        content = file.read(size)
    state = f"{found.st_dev} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
    mark = hashlib.sha256(state.encode()).hexdigest()[:16]
    return SeenFile(content, found.st_size, mark)
