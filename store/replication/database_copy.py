"""A copy of a database that follows by pieces, and is whole whenever its process ends.

Three files stand beside the copy, which SQLite does not open meanwhile. Pieces are written to
``-pieces``, one after the other, and flushed. Now and then all whole commits of it are folded into
the copy, which is flushed before ``-pieces`` is emptied. A fold that is cut short is done again,
from its beginning, and ends the same. ``-place`` says up to where the copy has everything, and
``-sums`` has a checksum for each page.

A crash may tear the end of ``-pieces``, and a disk may damage it anywhere. The next start cuts off
what follows the first record that is not as it was written. It is read again from where it came.
"""

import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec

from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.replication.errors import ChangesMissed, DamagedCopy, DamagedPiece
from command_center.store.replication.pieces import PagePiece, read_piece

FOLD_BYTES: Final = 16 * 1024 * 1024
"""Bytes of pieces from which on whole commits are folded into the copy."""

_RECORD: Final = struct.Struct(">IQI")
_SEQUENCE: Final = struct.Struct(">Q")
_SUM: Final = struct.Struct(">I")
_LONGEST: Final = 64 * 1024 * 1024


class CopyPlace(msgspec.Struct, frozen=True):
    """Up to where a copy has everything.

    Attributes:
        sequence: the number that its source gave the last piece of that commit.
        commit: the last commit that is whole.
        page_size: bytes of its pages.
    """

    sequence: int
    commit: int
    page_size: int


@attrs.frozen
class _Next:
    """The piece that is to come, and where the last whole commit ends in the file."""

    commit: int
    index: int


class DatabaseCopy:
    """A copy that exists. ``begin_copy`` makes one of a base.

    One process may have it, and one thread at a time. Nobody else may open the copy.

    Args:
        path: the copy.
        fold_bytes: bytes of pieces from which on they are folded.

    Raises:
        DamagedCopy: what stands beside it is not whole.
        OSError: it is not there, or cannot be read.
    """

    def __init__(self, path: Path, *, fold_bytes: int = FOLD_BYTES) -> None:
        self.path = path
        self._fold_bytes = fold_bytes
        try:
            self._folded = msgspec.json.decode(_beside(path, "place").read_bytes(), type=CopyPlace)
        except msgspec.DecodeError as error:
            raise DamagedCopy(path, "its place cannot be read") from error
        self._pieces: IO[bytes] = _open(_beside(path, "pieces"))
        self._whole = self._folded
        self._whole_end = 0
        self._end = 0
        self._next = _Next(self._folded.commit + 1, 0)
        self._last_sequence = self._folded.sequence
        try:
            self._recover()
        except BaseException:
            self._pieces.close()
            raise

    @property
    def place(self) -> CopyPlace:
        """Return up to where whole commits were taken. They are durable once flushed."""
        return self._whole

    @property
    def last_sequence(self) -> int:
        """Return the sequence of the last piece that was taken, of an unfinished commit, too."""
        return self._last_sequence

    def take(self, sequence: int, data: bytes) -> PagePiece:
        """Take the next piece, and return what it was. It is durable after the next ``flush``.

        A piece that was taken before is refused as one that does not fit.

        Args:
            sequence: its number where it came from, which increases.
            data: the piece.

        Raises:
            DamagedPiece: it is none.
            ChangesMissed: it is not the one that follows the last.
            OSError: it cannot be written; nothing of it was taken.
        """
        piece = read_piece(data)
        if piece.index == 0 and self._next.index:
            # Its writer was stopped within a commit. Another one goes on from the last whole one.
            self._drop_unfinished()
        self._check_next(sequence, piece)
        head = _RECORD.pack(
            len(data), sequence, zlib.crc32(data, zlib.crc32(_SEQUENCE.pack(sequence)))
        )
        self._pieces.seek(self._end)
        self._pieces.write(head)
        self._pieces.write(data)
        self._note(sequence, piece, self._end + len(head) + len(data))
        if self._whole_end == self._end and self._end >= self._fold_bytes:
            self.fold()
        return piece

    def flush(self) -> None:
        """Return when all that was taken is on the disk.

        Raises:
            OSError: nobody knows whether it is; the copy must be closed and opened again.
        """
        self._pieces.flush()
        os.fsync(self._pieces.fileno())

    def fold(self) -> None:
        """Put all whole commits into the copy, and forget all pieces.

        Those of a commit that is not whole must come again: see ``last_sequence``.

        Raises:
            DamagedCopy: the disk has changed a piece; opened again, the copy is what was before it.
            OSError: it cannot be written; it is done again when the copy is opened again.
        """
        self.flush()
        if self._whole.commit > self._folded.commit:
            self._put_into_copy(self._whole.page_size)
            _write_place(self.path, self._whole)
            self._folded = self._whole
        self._whole_end = 0
        self._drop_unfinished()
        self.flush()

    def _put_into_copy(self, page_size: int) -> None:
        # All is looked at before anything is written: half a commit in the copy would stay there.
        ends = ((piece.commit, piece.is_last) for _, piece in self._records(self._whole_end))
        if deque(ends, maxlen=1) != deque([(self._whole.commit, True)]):
            raise DamagedCopy(self.path, "a piece is not as it was written")
        with _open(self.path) as copy, _open(_beside(self.path, "sums")) as sums:
            length = 0
            for _, piece in self._records(self._whole_end):
                length = piece.length
                for number, page in piece.pages.items():
                    copy.seek((number - 1) * page_size)
                    copy.write(page)
                    sums.seek((number - 1) * _SUM.size)
                    sums.write(_sum_of(page))
            copy.truncate(length * page_size)
            sums.truncate(length * _SUM.size)
            for file in (copy, sums):
                file.flush()
                os.fsync(file.fileno())

    def finish(self) -> CopyPlace:
        """Make the copy a database that SQLite may open, and return its place.

        Pieces of a commit that is not whole are dropped. Each page is held against its checksum.
        Then the copy is closed, whatever was found.

        Raises:
            DamagedCopy: a page is not as it was written.
            OSError: it cannot be read or written.
        """
        try:
            self.fold()
            self.check()
        finally:
            self.close()
        return self._folded

    def check(self) -> None:
        """Hold each page of the copy, as far as it was folded, against its checksum.

        Raises:
            DamagedCopy: a page is not as it was written.
        """
        size = self._folded.page_size
        with _open(self.path) as copy, _open(_beside(self.path, "sums")) as sums:
            number = 0
            while page := copy.read(size):
                number += 1
                found = sums.read(_SUM.size)
                # SQLite never writes the page of its locks, nor some that are free.
                is_unwritten = found == bytes(_SUM.size) and not any(page)
                if len(page) != size or not (is_unwritten or found == _sum_of(page)):
                    raise DamagedCopy(self.path, f"page {number} is not as it was written")
            if sums.read(1):
                raise DamagedCopy(self.path, f"it ends after page {number}")

    def close(self) -> None:
        """Close the files. What was not flushed may be lost."""
        self._pieces.close()

    def _recover(self) -> None:
        """Read what was taken before, up to the first record that is not whole."""
        for sequence, piece in self._records():
            if piece.commit <= self._folded.commit:
                continue  # a fold was cut short after the place was written
            try:
                self._check_next(sequence, piece)
            except ChangesMissed:
                break  # it is left of pieces that were dropped
            self._note(sequence, piece, self._pieces.tell())
        self._pieces.truncate(self._end)

    def _records(self, until: int | None = None) -> Iterator[tuple[int, PagePiece]]:
        """Yield what was taken; end with the first record that is not as it was written."""
        self._pieces.seek(0)
        while until is None or self._pieces.tell() < until:
            head = self._pieces.read(_RECORD.size)
            if len(head) < _RECORD.size:
                return
            length, sequence, checksum = _RECORD.unpack(head)
            if length > _LONGEST:
                return
            data = self._pieces.read(length)
            if zlib.crc32(data, zlib.crc32(_SEQUENCE.pack(sequence))) != checksum:
                return
            try:
                piece = read_piece(data)
            except DamagedPiece:
                return
            place = self._pieces.tell()
            yield sequence, piece
            self._pieces.seek(place)

    def _drop_unfinished(self) -> None:
        """Forget the pieces of a commit that is not whole."""
        self._end = self._whole_end
        self._pieces.truncate(self._end)
        self._next = _Next(self._whole.commit + 1, 0)
        self._last_sequence = self._whole.sequence

    def _check_next(self, sequence: int, piece: PagePiece) -> None:
        there = f"{piece.commit}.{piece.index}"
        if (piece.commit, piece.index) != (self._next.commit, self._next.index):
            due = f"{self._next.commit}.{self._next.index}"
            raise ChangesMissed(f"piece {there} came, and {due} was to come")
        if sequence <= self._last_sequence:
            raise ChangesMissed(f"piece {there} has the number {sequence}, which was before")
        if piece.page_size != self._folded.page_size:
            raise ChangesMissed(f"piece {there} has pages of another size")

    def _note(self, sequence: int, piece: PagePiece, end: int) -> None:
        self._end = end
        self._last_sequence = sequence
        if piece.is_last:
            self._whole = CopyPlace(sequence, piece.commit, self._folded.page_size)
            self._whole_end = end
            self._next = _Next(piece.commit + 1, 0)
        else:
            self._next = _Next(piece.commit, piece.index + 1)


def begin_copy(path: Path, place: CopyPlace) -> None:
    """Make a base that stands at a path a copy which pieces can follow.

    Raises:
        OSError: the system refuses; the place is written last, so there is no copy then.
    """
    _beside(path, "place").unlink(missing_ok=True)
    with path.open("rb") as base, new_private_file(_beside(path, "sums")) as sums:
        while page := base.read(place.page_size):
            sums.write(_sum_of(page))
        sums.flush()
        os.fsync(sums.fileno())
    with new_private_file(_beside(path, "pieces")) as pieces:
        os.fsync(pieces.fileno())
    _write_place(path, place)


def open_whole(path: Path) -> DatabaseCopy:
    """Open a copy each page of which is as it was written.

    A fold that was cut short is done first: it left pages that have no checksum yet.

    Raises:
        DamagedCopy: a page, or what stands beside the copy, is not as it was written.
        OSError: it is not there, or cannot be read or written.
    """
    copy = DatabaseCopy(path)
    try:
        copy.fold()
        copy.check()
    except BaseException:
        copy.close()
        raise
    return copy


def remove_copy(path: Path) -> None:
    """Remove a copy and what stands beside it, the place first."""
    for file in (*(_beside(path, what) for what in ("place", "pieces", "sums")), path):
        file.unlink(missing_ok=True)


def _write_place(path: Path, place: CopyPlace) -> None:
    target = _beside(path, "place")
    new = target.with_name(f"{target.name}.new")
    with new_private_file(new) as file:
        file.write(msgspec.json.encode(place))
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)
    sync_folder(path.parent)


def _sum_of(page: bytes) -> bytes:
    return _SUM.pack(zlib.crc32(page))


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f"{path.name}-{what}")


def _open(path: Path) -> IO[bytes]:
    return path.open("r+b")
