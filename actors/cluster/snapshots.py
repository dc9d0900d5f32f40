"""Whole databases in the object store of the cluster, closed with the centres' key.

An object is a row of records: the length of a closed piece, and the piece. Each piece says its
place and if it is the last. It is closed for this object alone. So none can be left out, moved, or
taken from another object.
"""

import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import trio

from command_center.actors.nats.jetstream import JetStream
from command_center.actors.nats.objects import ObjectStore
from command_center.store.private_files import new_private_file
from command_center.store.replication.encryption import OVERHEAD, PieceCipher
from command_center.store.replication.errors import DamagedPiece

PIECE: Final = 256 * 1024
"""Bytes of a piece, before it is closed."""

_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">Q?")
_LONGEST: Final = PIECE + _HEAD.size + OVERHEAD


class Snapshots:
    """The whole databases that a cluster keeps.

    Args:
        jetstream: where they are.
        stream: the name of the cluster's stream, which the bucket has, too.
        key: the centres' key.
    """

    def __init__(self, jetstream: JetStream, stream: str, key: bytes) -> None:
        self._objects = ObjectStore(jetstream, stream)
        self._stream = stream
        self._key = key

    async def create(self, *, replicas: int) -> None:
        """Make the place for them, unless it is there.

        Raises:
            JetStreamRefused: it cannot be.
        """
        await self._objects.create(num_replicas=replicas)

    async def put(self, name: str, file: Path) -> None:
        """Keep a file that nobody writes to.

        Raises:
            OSError: it cannot be read.
            as ``ObjectStore.put``.
        """
        await self._objects.put(name, self._closed(name, file))

    async def get(self, name: str, target: Path) -> bool:
        """Write what was kept to a new file, flushed; return False if there is none.

        Raises:
            DamagedPiece: it was closed with another key, or is not whole.
            OSError: the file cannot be written.
            as ``ObjectStore.get``.
        """
        taker = _Taker(self._cipher(name), target)
        try:
            found = await self._objects.get(name, taker.take)
            if found is not None:
                await trio.to_thread.run_sync(taker.finish)
        finally:
            taker.close()
        return found is not None

    async def delete(self, name: str) -> None:
        """Remove one; one that is not there is no error."""
        await self._objects.delete(name)

    def _cipher(self, name: str) -> PieceCipher:
        return PieceCipher(self._key, f"{self._stream} {name}")

    async def _closed(self, name: str, file: Path) -> AsyncIterator[bytes]:
        cipher = self._cipher(name)
        size = (await trio.to_thread.run_sync(file.stat)).st_size

        def piece(index: int) -> bytes:
            opened.seek(index * PIECE)
            is_last = (index + 1) * PIECE >= size
            closed = cipher.close(_HEAD.pack(index, is_last) + opened.read(PIECE))
            return _LENGTH.pack(len(closed)) + closed

        with file.open("rb") as opened:
            for index in range(max(1, -(-size // PIECE))):
                yield await trio.to_thread.run_sync(piece, index)


class _Taker:
    """Puts the pieces of an object together, however they come."""

    def __init__(self, cipher: PieceCipher, target: Path) -> None:
        self._cipher = cipher
        self._waiting = bytearray()
        self._index = 0
        self._is_whole = False
        self._file = new_private_file(target)

    async def take(self, data: bytes) -> None:
        """Take what comes next."""
        self._waiting += data
        while len(self._waiting) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._waiting)
            if length > _LONGEST:
                raise DamagedPiece("a piece of a snapshot is too long")
            end = _LENGTH.size + length
            if len(self._waiting) < end:
                return
            closed = bytes(self._waiting[_LENGTH.size : end])
            del self._waiting[:end]
            await trio.to_thread.run_sync(self._write, closed)

    def finish(self) -> None:
        """Flush the file; raise DamagedPiece if something is missing."""
        if not self._is_whole or self._waiting:
            raise DamagedPiece("a snapshot is not whole")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, closed: bytes) -> None:
        piece = self._cipher.open(closed)
        index, is_last = _HEAD.unpack_from(piece)
        if index != self._index or self._is_whole:
            raise DamagedPiece("a piece of a snapshot is at another place")
        self._file.write(piece[_HEAD.size :])
        self._index += 1
        self._is_whole = is_last
