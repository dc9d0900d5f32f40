"""Pieces: whole, or refused."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from command_center.store.replication.errors import DamagedPiece
from command_center.store.replication.pieces import cut, read_piece
from command_center.store.replication.wal import CommittedPages


def changes(folder: Path, count: int, page_size: int = 512) -> CommittedPages:
    log = folder / "log"
    log.write_bytes(b"".join(bytes([number]) * page_size for number in range(1, count + 1)))
    places = {number: (number - 1) * page_size for number in range(1, count + 1)}
    return CommittedPages(page_size, 50, places, log)


@pytest.mark.parametrize("limit", [560, 1100, 5000, 1_000_000])
def test_pieces_are_short_enough_and_together_all_of_it(tmp_path: Path, limit: int) -> None:
    sent = list(cut(changes(tmp_path, 40), 7, limit))
    assert all(len(piece) <= limit for piece in sent)
    read = [read_piece(piece) for piece in sent]
    assert [(7, place, len(sent)) for place in range(len(sent))] == [
        (piece.commit, piece.index, piece.total) for piece in read
    ]
    assert [False] * (len(sent) - 1) + [True] == [piece.is_last for piece in read]
    whole = {number: page for piece in read for number, page in piece.pages.items()}
    assert {number: bytes([number]) * 512 for number in range(1, 41)} == whole


def test_a_commit_that_only_made_it_shorter_is_one_piece(tmp_path: Path) -> None:
    (sent,) = cut(changes(tmp_path, 0), 1, 1000)
    assert (50, {}) == ((piece := read_piece(sent)).length, piece.pages)


def test_a_limit_without_room_for_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no room for a page"):
        list(cut(changes(tmp_path, 1), 1, 540))


@settings(max_examples=30)
@given(st.data())
def test_a_piece_that_was_changed_anywhere_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    (sent,) = cut(changes(tmp_path_factory.getbasetemp(), 2), 1, 10_000)
    place = data.draw(st.integers(0, len(sent) - 1))
    other = bytes([sent[place] ^ data.draw(st.integers(1, 255))])
    for wrong in (sent[:place] + other + sent[place + 1 :], sent[:place], sent + b"x"):
        with pytest.raises(DamagedPiece):
            read_piece(wrong)


@pytest.mark.parametrize(
    ("page_size", "length", "index", "total", "number"),
    [
        (500, 50, 0, 1, 1),
        (512, 0, 0, 1, 1),
        (512, 0xFFFFFFFF, 0, 1, 1),
        (512, 50, 1, 1, 1),
        (512, 50, 0, 0, 1),
        (512, 50, 0, 1, 0),
        (512, 50, 0, 1, 51),
        (1024, 50, 0, 1, 1),
    ],
)
def test_numbers_that_cannot_be_are_refused_with_the_right_checksum_too(
    page_size: int, length: int, index: int, total: int, number: int
) -> None:
    head = struct.pack(">4sIIQIII", b"CCP1", page_size, length, 1, index, total, 1)
    body = head + struct.pack(">I", number) + bytes(512)
    with pytest.raises(DamagedPiece):
        read_piece(body + struct.pack(">I", zlib.crc32(body)))


def test_pages_that_are_alike_become_short_and_others_stay_as_they_are(tmp_path: Path) -> None:
    (alike,) = cut(changes(tmp_path, 200), 1, 1_000_000)
    assert len(alike) < 200 * 512 / 10
    for count in (1, 200):
        log = tmp_path / "random"
        log.write_bytes(os.urandom(512 * count))
        places = {number: (number - 1) * 512 for number in range(1, count + 1)}
        (sent,) = cut(CommittedPages(512, count, places, log), 1, 1_000_000)
        assert b"CCP1" == sent[:4]
        assert log.read_bytes() == b"".join(read_piece(sent).pages.values())


@pytest.mark.parametrize(
    "short",
    [
        b"no zlib",
        zlib.compress(b"CCP1")[:-1],
        zlib.compress(b"CCP1"),
        zlib.compress(bytes(100)),
        zlib.compress(bytes(64 * 1024 * 1024 + 1), 1),
        zlib.compress(struct.pack(">4sIIQIII", b"CCP1", 512, 1, 1, 0, 1, 0)) + b"more",
    ],
    ids=["none", "cut", "too short", "another", "too long", "more"],
)
def test_what_was_made_short_of_no_piece_is_refused_with_the_right_checksum_too(
    short: bytes,
) -> None:
    body = b"CCP2" + short
    with pytest.raises(DamagedPiece):
        read_piece(body + struct.pack(">I", zlib.crc32(body)))


@given(st.binary(max_size=100))
def test_no_bytes_at_all_raise_another_error(data: bytes) -> None:
    with pytest.raises(DamagedPiece):
        read_piece(data)
