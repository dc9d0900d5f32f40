"""Pieces: changed pages, cut to a length that a message can have, each with a checksum.

A piece says of which commit it is, and which of how many. So whoever takes them knows that none is
missing. Numbers are big-endian::

    "CCP1", page size, length, commit (8 bytes), index, total, count,
    count page numbers, count pages, CRC-32 of all before

Pages are mostly alike or empty, and what a message is short by saves more time on its way through
the disks of three servers than it takes to make it so. So one that becomes shorter is::

    "CCP2", all of the above but the CRC-32 by zlib, CRC-32 of all before
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import attrs

from command_center.store.replication.errors import DamagedPiece
from command_center.store.replication.wal import CommittedPages

_MAGIC: Final = b"CCP1"
_SHORT: Final = b"CCP2"
_SAMPLE: Final = 32 * 1024
_LONGEST: Final = 64 * 1024 * 1024
_HEAD: Final = struct.Struct(">4sIIQIII")
_NUMBER: Final = struct.Struct(">I")
_PAGE_SIZES: Final = frozenset(1 << bits for bits in range(9, 17))
_LARGEST: Final = 0xFFFFFFFE


@attrs.frozen
class PagePiece:
    """A part of the pages that a commit changed.

    Attributes:
        commit: the commit's number, one more than that of the one before.
        index: its place among the pieces of that commit, beginning with 0.
        total: the number of those.
        page_size: bytes of a page.
        length: pages of the whole database after the commit.
        pages: contents by the pages' numbers, which begin with 1.
    """

    commit: int
    index: int
    total: int
    page_size: int
    length: int
    pages: dict[int, bytes]

    @property
    def is_last(self) -> bool:
        """Tell whether the commit is whole with it."""
        return self.index == self.total - 1


def cut(changes: CommittedPages, commit: int, limit: int) -> Iterator[bytes]:
    """Yield the pieces of what a commit changed, none longer than so many bytes.

    Raises:
        ValueError: the limit is too small for a page.
        ChangesMissed: the log was cut meanwhile.
    """
    room = limit - _HEAD.size - _NUMBER.size
    each = room // (_NUMBER.size + changes.page_size)
    if each < 1:
        raise ValueError(f"a piece of {limit} bytes has no room for a page")
    numbers = list(changes.places)
    total = max(1, -(-len(numbers) // each))
    for index in range(total):
        part = numbers[index * each : (index + 1) * each]
        body = b"".join(
            (
                _HEAD.pack(
                    _MAGIC, changes.page_size, changes.length, commit, index, total, len(part)
                ),
                struct.pack(f">{len(part)}I", *part),
                *changes.contents(part),
            )
        )
        shortened = _shortened(body)
        yield shortened + _NUMBER.pack(zlib.crc32(shortened))


def read_piece(data: bytes) -> PagePiece:
    """Return the piece that was sent.

    Raises:
        DamagedPiece: it is none, or is not as it was sent.
    """
    if len(data) < len(_SHORT) + _NUMBER.size or not data.startswith((_MAGIC, _SHORT)):
        raise DamagedPiece("it is none")
    body = memoryview(data)[: -_NUMBER.size]
    if zlib.crc32(body) != _NUMBER.unpack_from(data, len(body))[0]:
        raise DamagedPiece("its checksum is another")
    if data.startswith(_SHORT):
        body = _lengthened(body[len(_SHORT) :])
    if len(body) < _HEAD.size or bytes(body[: len(_MAGIC)]) != _MAGIC:
        raise DamagedPiece("it is none")
    _, page_size, length, commit, index, total, count = _HEAD.unpack_from(body)
    start = _HEAD.size + count * _NUMBER.size
    if (
        page_size not in _PAGE_SIZES
        or not index < total
        or not 0 < length <= _LARGEST
        or len(body) != start + count * page_size
    ):
        raise DamagedPiece("its numbers cannot be")
    numbers = struct.unpack_from(f">{count}I", body, _HEAD.size)
    if not all(0 < number <= length for number in numbers):
        raise DamagedPiece("it has pages beyond the end")
    pages = {
        number: bytes(body[start + place * page_size : start + (place + 1) * page_size])
        for place, number in enumerate(numbers)
    }
    return PagePiece(commit, index, total, page_size, length, pages)


def _shortened(body: bytes) -> bytes:
    """Return the same in fewer bytes; as it is where its beginning tells that nothing is gained."""
    sample = body[:_SAMPLE]
    if len(body) > _SAMPLE and len(zlib.compress(sample, 1)) > 0.8 * len(sample):
        return body
    short = _SHORT + zlib.compress(body, 1)
    return min(short, body, key=len)


def _lengthened(short: memoryview) -> memoryview:
    stream = zlib.decompressobj()
    try:
        body = stream.decompress(short, _LONGEST)
    except zlib.error as error:
        raise DamagedPiece("it cannot be made as long as it was") from error
    if not stream.eof or stream.unused_data:
        raise DamagedPiece("it is longer than any")
    return memoryview(body)
