"""Files as a loss of power may leave them: all that was flushed, and anything of the rest.

`failing_calls.c` keeps a journal of what a process does to the files of a folder. From it come the
states in which the disk may be at any moment of that life.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs

from tests.faults.faults import Call

_HEAD = struct.Struct("=iiqq")
SECTOR = 512
"""Bytes that a disk writes whole or not at all."""


@attrs.frozen
class Change:
    """A change of a file, or a flush of it."""

    call: Call
    path: Path
    at: int
    data: bytes


def changes_in(journal: Path) -> Iterator[Change]:
    """Read a journal; a change that was being noted when the process ended is left out."""
    kept = journal.read_bytes()
    position = 0
    while position + _HEAD.size <= len(kept):
        kind, path_size, at, size = _HEAD.unpack_from(kept, position)
        position += _HEAD.size
        end = position + path_size + size
        if end > len(kept):
            return
        path = Path(kept[position : position + path_size].decode())
        yield Change(Call(kind), path, at, kept[position + path_size : end])
        position = end


@attrs.define
class _File:
    """A file: what was flushed of it, and the changes since."""

    flushed: bytearray | None = None
    since: list[Change] = attrs.field(factory=list)

    def flush(self) -> None:
        self.flushed = self.flushed or bytearray()
        for change in self.since:
            _apply(self.flushed, change)
        self.since = []


class Disk:
    """The files of a folder as a journal tells of them, up to some change.

    A file that was removed may be there again until its folder is flushed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[Path, _File] = {}
        self._removed: dict[Path, _File] = {}

    def take(self, change: Change) -> None:
        """Let one more change happen."""
        match change.call:
            case Call.SYNC if change.path == self._folder:
                self._removed.clear()
            case Call.SYNC:
                self._file(change.path).flush()
            case Call.RENAME:
                self._files[Path(change.data.decode())] = self._files.pop(change.path, _File())
            case Call.UNLINK:
                self._removed[change.path] = self._files.pop(change.path, _File())
            case _:
                self._file(change.path).since.append(change)

    def leave(self, folder: Path, chance: random.Random | None) -> None:
        """Write the files to a folder as they may be after the power was lost now.

        Without a `chance` nothing is there but what was flushed; with one, of what was not, some of
        the changes in any order, and of a write some of its sectors.
        """
        for path, file in {**self._removed, **self._files}.items():
            if path not in self._files and chance is not None and chance.random() < 0.5:
                continue
            content = None if file.flushed is None else bytearray(file.flushed)
            if chance is not None:
                content = content or bytearray()
                for change in _some(file.since, chance):
                    _apply(content, change)
            if content is not None:
                target = folder / path.relative_to(self._folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)

    def _file(self, path: Path) -> _File:
        return self._files.setdefault(path, _File())


def _some(changes: Sequence[Change], chance: random.Random) -> Iterator[Change]:
    for change in changes:
        if change.call is not Call.WRITE:
            if chance.random() < 0.5:
                yield change
            continue
        for begin in range(0, len(change.data), SECTOR):
            if chance.random() < 0.5:
                data = change.data[begin : begin + SECTOR]
                yield attrs.evolve(change, at=change.at + begin, data=data)


def _apply(content: bytearray, change: Change) -> None:
    end = change.at + len(change.data)
    if change.call is Call.TRUNCATE:
        del content[change.at :]
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    content[change.at : end] = change.data
