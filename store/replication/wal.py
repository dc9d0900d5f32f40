"""The pages that commits changed, read from SQLite's write-ahead log.

The log is the file beside the database (https://www.sqlite.org/fileformat2.html#walformat): a
header, then a frame for each page that was written. The last frame of a transaction says how long
the database is then. Salts in the header and in each frame tell what was written since the log
began anew from what is left of before.

Where the log ends, the index says that SQLite keeps of it, in the ``-shm`` file
(https://www.sqlite.org/walformat.html#the_wal_index_file_format). What stands behind that end was
never committed, though it may look so: a commit that failed leaves frames. The checksum of the last
frame must be the one that the index has, and all frames must have the salts of the log.

The checksums of all other frames are not computed, which would take 0.3 ms a page. They are for
frames that a crash has torn, and none are read: reading begins with an empty log, and goes on after
each commit, in the process that has just written and flushed it. What is sent has checksums of its
own.
"""

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

import attrs
from sqlite_utils import Database

from command_center.store.replication.errors import ChangesMissed, LogBusy

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_INDEX: Final = struct.Struct("=12xBBHIIII8s8x")
_MAGIC: Final = (0x377F0682, 0x377F0683)
_SALTS: Final = struct.Struct(">2I")
_VERSION: Final = 3007000


@attrs.frozen
class _Index:
    """The end of the log, as SQLite's index has it.

    Attributes:
        frames: the frames of the log up to its last commit; 0 where it begins anew.
        checksum: of the last one.
        salts: those of the log.
    """

    frames: int
    checksum: tuple[int, int]
    salts: tuple[int, ...]


@attrs.frozen
class CommittedPages:
    """Pages of one commit, or of several that follow each other, as they are after the last one.

    Their contents are still in the log: they must be read before the next commit begins.

    Attributes:
        page_size: bytes of a page.
        length: pages of the whole database now; it may have become shorter.
        places: where in the log each page is, by the pages' numbers, which begin with 1.
    """

    page_size: int
    length: int
    places: dict[int, int]
    _log: Path

    def contents(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Yield these pages.

        Raises:
            ChangesMissed: the log ends before.
            OSError: it cannot be read.
        """
        with self._log.open("rb") as file:
            for number in numbers:
                file.seek(self.places[number])
                page = file.read(self.page_size)
                if len(page) < self.page_size:
                    raise ChangesMissed("the log was cut while it was read")
                yield page


class WalReader:
    """Reads what was committed since it was last asked.

    It must be asked after each commit, before the next one begins: SQLite may begin its log anew
    with any write. It is the writer's, and is driven in the writer's thread.

    Args:
        db: the connection that writes; no other one may.
        path: the database file.

    Raises:
        LogBusy: the log cannot be folded into the database now.
    """

    def __init__(self, db: Database, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-wal")
        self._index_path = path.with_name(f"{path.name}-shm")
        self._salts: tuple[int, ...] | None = None
        self._place = _HEADER.size
        fold_log(db)

    def take(self) -> CommittedPages | None:
        """Return what was committed since; None if nothing was.

        Raises:
            ChangesMissed: the log is not what it was.
            OSError: it cannot be read.
        """
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            self._begin_anew()
            return None
        with file:
            header = file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                self._begin_anew()
                return None
            magic, version, page_size, _, *rest = _HEADER.unpack(header)
            if magic not in _MAGIC or version != _VERSION:
                raise ChangesMissed("the log is none of SQLite's")
            index = self._index()
            if not index.frames:
                self._begin_anew()
                return None
            if index.salts != (rest[0], rest[1]):
                raise ChangesMissed("the log is not the one that SQLite reads")
            length, places = self._frames(file, index, page_size)
        if not places:
            return None
        kept = {number: places[number] for number in sorted(places) if number <= length}
        return CommittedPages(page_size, length, kept, self._path)

    def _frames(self, file: IO[bytes], index: _Index, page_size: int) -> tuple[int, dict[int, int]]:
        """Return the length of the database, and where the pages are that came since."""
        end = _HEADER.size + index.frames * (_FRAME.size + page_size)
        if os.fstat(file.fileno()).st_size < end:
            raise ChangesMissed("the log ends before its last commit")
        place = self._place if index.salts == self._salts else _HEADER.size
        places: dict[int, int] = {}
        length = is_committed = 0
        checksum = index.checksum
        while place < end:
            file.seek(place)
            number, is_committed, *words = _FRAME.unpack(file.read(_FRAME.size))
            if (words[0], words[1]) != index.salts:
                raise ChangesMissed("the log has a frame of another one")
            places[number] = place + _FRAME.size
            place += _FRAME.size + page_size
            length, checksum = is_committed or length, (words[2], words[3])
        if (places and not is_committed) or checksum != index.checksum:
            raise ChangesMissed("the log does not end with its last commit")
        self._place, self._salts = place, index.salts
        return length, places

    def _index(self) -> _Index:
        """Read what SQLite's index says of the log."""
        size = _INDEX.size
        head = _head_of(self._index_path, 2 * size)
        if len(head) < 2 * size or head[:size] != head[size:]:
            raise ChangesMissed("the index of the log is not whole")
        is_made, _, _, frames, _, first, second, salts = _INDEX.unpack(head[:size])
        if not is_made:
            raise ChangesMissed("the log has no index")
        return _Index(frames, (first, second), _SALTS.unpack(salts))

    def _begin_anew(self) -> None:
        """Read the next log from its beginning: the one that was read was folded and cut."""
        self._salts = None
        self._place = _HEADER.size


_kept_open: dict[tuple[int, int], int] = {}
"""Descriptors of indexes, by device and inode."""


def _head_of(index: Path, size: int) -> bytes:
    """Read the beginning of an index, and leave it open for as long as it has a name.

    SQLite tells others by POSIX locks that the index is in use. The system drops all locks that a
    process has on a file when it closes any descriptor of that file. Whoever opened the database
    then would take the index for left behind, and cut it while this process commits.
    See https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled.
    """
    if sys.platform != "win32":
        head = os.pread(_kept(index), size, 0)
    else:
        with index.open("rb") as file:
            head = file.read(size)
    return head


def _kept(index: Path) -> int:
    found = index.stat()
    key = found.st_dev, found.st_ino
    if key not in _kept_open:
        for old, descriptor in list(_kept_open.items()):
            if not os.fstat(descriptor).st_nlink:
                del _kept_open[old]
                os.close(descriptor)
        _kept_open[key] = os.open(index, os.O_RDONLY)
    return _kept_open[key]


def fold_log(db: Database) -> None:
    """Fold the log into the database, and leave it empty.

    Raises:
        LogBusy: somebody reads from it.
    """
    (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise LogBusy
