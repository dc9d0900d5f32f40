"""The pages that commits changed, read from SQLite's write-ahead log.

The log is the file beside the database (https://www.sqlite.org/fileformat2.html#walformat): a
header, then a frame for each page that was written. The last frame of a transaction says how long
the database is then. Salts in the header and in each frame tell what was written since the log
began anew from what is left of before.

The frames' own checksums are not computed, which would take 0.3 ms a page. They are for frames that
a crash has torn, and none are read: reading begins with an empty log, and goes on after each
commit, in the process that has just written and flushed it. What is sent has checksums of its own.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
from sqlite_utils import Database

from command_center.store.replication.errors import ChangesMissed, LogBusy

_HEADER: Final = struct.Struct(">8I")
_FRAME: Final = struct.Struct(">6I")
_MAGIC: Final = (0x377F0682, 0x377F0683)
_VERSION: Final = 3007000


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
        self._salts: tuple[int, int] | None = None
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
            salts = (rest[0], rest[1])
            place = self._place if salts == self._salts else _HEADER.size
            places: dict[int, int] = {}
            uncommitted: dict[int, int] = {}
            length = 0
            size = os.fstat(file.fileno()).st_size
            while place + _FRAME.size + page_size <= size:
                file.seek(place)
                number, length_if_last, *words = _FRAME.unpack(file.read(_FRAME.size))
                if (words[0], words[1]) != salts:
                    break
                uncommitted[number] = place + _FRAME.size
                place += _FRAME.size + page_size
                if length_if_last:
                    length = length_if_last
                    places |= uncommitted
                    uncommitted.clear()
                    self._place = place
        if not places:
            return None
        self._salts = salts
        kept = {number: places[number] for number in sorted(places) if number <= length}
        return CommittedPages(page_size, length, kept, self._path)

    def _begin_anew(self) -> None:
        """Read the next log from its beginning: the one that was read was folded and cut."""
        self._salts = None
        self._place = _HEADER.size


def fold_log(db: Database) -> None:
    """Fold the log into the database, and leave it empty.

    Raises:
        LogBusy: somebody reads from it.
    """
    (is_busy, *_) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise LogBusy
