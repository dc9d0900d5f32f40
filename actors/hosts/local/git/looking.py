"""A look at the files of a work tree, while an agent may change it.

Each folder on the way is open while the next one is entered from it without following a link, and
no name leads up or to the top of the machine, so that nothing outside of the work tree is read. It
waits for nobody, whatever lies there. It blocks: call it in a thread.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path, PurePath
from typing import Final

import attrs

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import (
    EntryKind,
    Layout,
    SeenEntry,
    SeenFile,
    SeenFolder,
    shown,
)
from command_center.actors.hosts.local.git.folders import Folder, held, open_folder
from command_center.actors.rules.text_lines import LOOKED_AT, is_binary
from command_center.runtime.threads import PIECE_SECONDS

MOST_ENTRIES: Final = 10_000
"""Things of a folder that are shown."""

MOST_PARTS: Final = 256
"""Names in a path that is entered."""

GIT: Final = ".git"


def look(top: Layout, name: str, begin: int, size: int) -> SeenFolder | SeenFile | None:
    """Show a folder, or a part of a file; None where there is nothing."""
    parts = _parts_of(top.path, name)
    try:
        with _reached(top, parts[:-1]) as at:
            if not parts:
                return _listed(at)
            found = at.look(parts[-1])
            if stat.S_ISLNK(found.st_mode):
                target = shown(os.fsencode(at.target(parts[-1])))
                raise UnsafeRepository(at.path / parts[-1], f"it is a link to {target}.")
            if not stat.S_ISDIR(found.st_mode):
                return _part(at, parts[-1], begin, size)
            with at.enter(parts[-1]) as folder:
                _check_own(folder)
                return _listed(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnsafeRepository(top.path / name, f"it cannot be read: {error.strerror}.") from error


@attrs.frozen
class ReadText:
    """The beginning of a file, as git names it; `is_part`: there is more of it."""

    name: bytes
    content: bytes
    is_part: bool


def read_texts(
    top: Layout, names: Iterable[bytes], size: int
) -> Generator[list[ReadText], None, None]:
    """Read files that are texts, each up to a size; pass over what cannot be looked at.

    Each piece that it yields took a moment, and is not much longer than one file; some are empty.
    It may be gone on with in another thread.
    """
    read, length, pause = list[ReadText](), 0, time.monotonic() + PIECE_SECONDS
    with held(top.path, top.top):
        for folder, inside in groupby(names, key=lambda name: name.rpartition(b"/")[0]):
            with ExitStack() as entered:
                at = None
                with suppress(OSError, UnsafeRepository):
                    at = entered.enter_context(
                        _reached(top, _parts_of(top.path, os.fsdecode(folder)))
                    )
                for name in inside:
                    with suppress(OSError, UnsafeRepository):
                        text = None if at is None else _text_of(top, at, name, size)
                        if text is not None:
                            read.append(text)
                            length += len(text.content)
                    if length >= size or time.monotonic() > pause:
                        yield read
                        read, length, pause = [], 0, time.monotonic() + PIECE_SECONDS
    yield read


def _text_of(top: Layout, at: Folder, name: bytes, size: int) -> ReadText | None:
    last = _parts_of(top.path, os.fsdecode(name))[-1]
    with at.open(last, sys.maxsize) as file:
        content = file.read(LOOKED_AT)
        if is_binary(content):
            return None
        content += file.read(size - len(content))
        return ReadText(name, content, is_part=bool(file.read(1)))


def _parts_of(top: Path, name: str) -> list[str]:
    """Return the names of which a path is made, from the top, which is the empty path.

    Raises:
        UnsafeRepository: it could lead out of the work tree, or into a git directory.
    """
    parts = name.split("/") if name else []
    if len(parts) > MOST_PARTS:
        raise UnsafeRepository(top, f"a path in it has more than {MOST_PARTS} folders.")
    for part in parts:
        # a name of the system's kind has neither its separators nor a drive
        if part in {"", ".."} or "\0" in part or PurePath(part).name != part or _is_git(part):
            raise UnsafeRepository(top, f"{shown(os.fsencode(name))!r} is no path in it.")
    return parts


@contextmanager
def _reached(top: Layout, parts: Sequence[str]) -> Iterator[Folder]:
    """Hold the folder open that a path leads to, and none of those on the way to it."""
    at = open_folder(top.path, top.top)
    try:
        for part in parts:
            inner = at.inner(part)
            at.close()
            at = inner
            _check_own(at)
        yield at
    finally:
        at.close()


def _check_own(folder: Folder) -> None:
    """Refuse a folder that is a repository of its own."""
    if _is_repository(folder):
        raise UnsafeRepository(folder.path, "it is a repository of its own.")


def _is_git(name: str) -> bool:
    """Return True for the name of a git directory, as file systems without cases see it, too."""
    return name.lower() == GIT


def _listed(folder: Folder) -> SeenFolder:
    entries: list[SeenEntry] = []
    for entry in folder.entries():
        if _is_git(entry.name):
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
