"""A file as a row of sealed pieces, which come elsewhere in whatever parts.

Each record is the length of a sealed piece, and the piece. A piece says its place and if it is the
last, and it is sealed for this file alone. So none can be left out, moved, or taken from another.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from command_center.store.private_files import new_private_file
from command_center.store.replication.encryption import OVERHEAD, PieceCipher
from command_center.store.replication.errors import DamagedPiece

PIECE: Final = 256 * 1024
"""Bytes of a piece, before it is sealed."""

_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">Q?")
_LONGEST: Final = PIECE + _HEAD.size + OVERHEAD


def seal_file(file: Path, cipher: PieceCipher) -> Iterator[bytes]:
    """Yield the records of a file that nobody writes to.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        for index in range(max(1, -(-size // PIECE))):
            is_last = (index + 1) * PIECE >= size
            sealed = cipher.seal(_HEAD.pack(index, is_last) + opened.read(PIECE))
            yield _LENGTH.pack(len(sealed)) + sealed


class UnsealedFile:
    """A new file, made of records in whatever parts they come.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, target: Path, cipher: PieceCipher) -> None:
        self._cipher = cipher
        self._waiting = bytearray()
        self._index = 0
        self._is_whole = False
        self._file = new_private_file(target)

    def take(self, data: bytes) -> None:
        """Take what comes next.

        Raises:
            DamagedPiece: it was sealed with another key or for another file, or is out of place.
            OSError: it cannot be written.
        """
        self._waiting += data
        while len(self._waiting) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting)
            if length > _LONGEST:
                raise DamagedPiece("a piece of a file is too long")
            end = _LENGTH.size + length
            if len(self._waiting) < end:
                return
            piece = self._cipher.unseal(bytes(self._waiting[_LENGTH.size : end]))
            del self._waiting[:end]
            index, is_last = _HEAD.unpack_from(piece)
            if index != self._index or self._is_whole:
                raise DamagedPiece("a piece of a file is at another place")
            self._file.write(piece[_HEAD.size :])
            self._index += 1
            self._is_whole = is_last

    def finish(self) -> None:
        """Return when all of the file is on the disk.

        Raises:
            DamagedPiece: something is missing.
            OSError: it cannot be written.
        """
        if not self._is_whole or self._waiting:
            raise DamagedPiece("the last piece of a file is missing")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file, whatever it has."""
        self._file.close()
