"""Pieces that only those with the key can read or make."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from command_center.store.replication.encryption import (
    OVERHEAD,
    PieceCipher,
    others_may_read,
    read_key,
)
from command_center.store.replication.errors import DamagedPiece, UnusableKey

KEY = bytes(range(32))


def test_a_piece_is_opened_by_who_has_the_key() -> None:
    closed = [PieceCipher(KEY, "home").seal(b"a piece") for _ in range(20)]
    other = PieceCipher(KEY, "home")
    assert [b"a piece"] * 20 == [other.unseal(each) for each in closed]
    assert 20 == len(set(closed))
    assert all(b"a piece" not in each for each in closed)
    assert {OVERHEAD + len(b"a piece")} == {len(each) for each in closed}


def test_no_nonce_comes_twice_with_one_key() -> None:
    cipher = PieceCipher(KEY, "home")
    heads = {cipher.seal(b"")[: OVERHEAD - 16] for _ in range(1000)}
    assert 1000 == len(heads)


def test_a_piece_of_others_or_one_that_was_changed_is_refused() -> None:
    cipher = PieceCipher(KEY, "home")
    closed = cipher.seal(b"a piece")
    for other in (PieceCipher(bytes(32), "home"), PieceCipher(KEY, "away")):
        with pytest.raises(DamagedPiece):
            other.unseal(closed)
    for place in range(len(closed)):
        with pytest.raises(DamagedPiece):
            cipher.unseal(closed[:place] + bytes([closed[place] ^ 1]) + closed[place + 1 :])
        with pytest.raises(DamagedPiece):
            cipher.unseal(closed[:place])
    assert b"a piece" == cipher.unseal(closed)


def test_a_key_is_64_digits_in_a_file_of_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY.hex()}\n")
    file.chmod(0o600)
    assert KEY == read_key(file)
    for wrong in ("", "abc", KEY.hex() + "0", "g" * 64):
        file.write_text(wrong)
        with pytest.raises(UnusableKey, match="openssl rand -hex 32") as refused:
            read_key(file)
        assert not wrong or wrong not in str(refused.value)


@pytest.mark.skipif(sys.platform == "win32", reason="rights of files are POSIX's")
def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY.hex())
    file.chmod(0o640)
    with pytest.raises(UnusableKey, match="others"):
        read_key(file)


@pytest.mark.skipif(sys.platform == "win32", reason="rights of files are POSIX's")
@pytest.mark.parametrize(
    ("mode", "owner", "group", "user", "refused"),
    [
        (0o440, 0, 7, 1000, False),  # as Kubernetes mounts a secret
        (0o640, 0, 7, 1000, False),
        (0o400, 1000, 7, 1000, False),
        (0o440, 1000, 7, 1000, True),
        (0o440, 0, 8, 1000, True),
        (0o440, 0, 7, 0, True),
        (0o660, 0, 7, 1000, True),
        (0o444, 0, 7, 1000, True),
    ],
)
def test_a_group_of_ours_may_read_what_is_roots(
    monkeypatch: pytest.MonkeyPatch, mode: int, owner: int, group: int, user: int, *, refused: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "getegid", lambda: 5)
    monkeypatch.setattr(os, "getgroups", lambda: [7])
    found = os.stat_result((stat.S_IFREG | mode, 0, 0, 1, owner, group, 0, 0, 0, 0))
    assert refused is others_may_read(found)
