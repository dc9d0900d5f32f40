"""CBOR of authenticators: read as they have to write it, and nothing of it before it is checked."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain
from typing import Final

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.devices.cbor import check_authenticator_data, read_items

SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(max_size=300)
)
KEYS: Final = st.integers(-(2**64), 2**64 - 1) | st.text(max_size=20) | st.binary(max_size=20)
VALUES: Final = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=8
)


def depth_of(value: object) -> int:
    inner = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(map(depth_of, inner), default=0) if isinstance(inner, list) else 0


@given(st.lists(VALUES.filter(lambda value: depth_of(value) <= 8), max_size=3))
def test_what_an_authenticator_may_write_is_read_as_the_library_reads_it(
    values: list[object],
) -> None:
    assert values == read_items(b"".join(map(cbor2.dumps, values)))


@given(st.binary(max_size=60))
def test_what_is_read_is_written_in_its_one_form(data: bytes) -> None:
    try:
        found = read_items(data)
    except ValueError:
        return
    # Else the library, which finds the end of a key by writing it anew, would read on elsewhere.
    assert data.replace(b"\xf7", b"\xf6") == b"".join(map(cbor2.dumps, found)).replace(
        b"\xf7", b"\xf6"
    )


@pytest.mark.parametrize(
    "item",
    [
        "c100",  # a tag
        "d81e82613100",  # a fraction
        "5f4100ff",  # of unknown length
        "9f00ff",
        "bf0000ff",
        "f93c00",  # figures with a point
        "fb3ff0000000000000",
        "f820",  # a simple value
        "ff",
        "1817",  # longer than it has to be
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "580100",
        "1c",
        "18",  # shorter than it says
        "62e2",
        "61ff",  # no UTF-8
        "8200",
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "a200000000",  # a name twice
        "a18000",  # a name that is a list
        "81" * 9 + "00",  # too deep
        "81" * 16_000 + "00",
    ],
)
def test_what_no_authenticator_writes_is_refused(item: str) -> None:
    with pytest.raises(ValueError, match=r"CBOR|utf-8"):
        read_items(bytes.fromhex(item))


def test_what_stands_after_the_name_of_a_passkey_is_checked_as_well() -> None:
    head = bytes(32) + b"\xc5" + bytes(4) + bytes(16) + b"\x00\x02ab"
    check_authenticator_data(head + cbor2.dumps({1: 2}) + cbor2.dumps({"hmac-secret": True}))
    for data in (head + b"\xa1\x01\xc1\x00", bytes(32) + b"\x80" + bytes(4) + b"\xc1\x00"):
        with pytest.raises(ValueError, match="CBOR"):
            check_authenticator_data(data)
    check_authenticator_data(b"")


FRACTION: Final = b"\xd8\x1e\x82\x6b1e999999999\xf6".hex()
"""A fraction of a number with a billion digits."""

SHARED: Final = "981ed81c820000" + "".join(
    f"d81c82{reference}{reference}"
    for reference in (cbor2.dumps(cbor2.CBORTag(29, number)).hex() for number in range(29))
)
"""Thirty lists, each of which has the one before twice."""


@pytest.mark.skipif(sys.platform == "win32", reason="It has no limit of memory.")
def test_hostile_data_is_refused_at_once() -> None:
    hostile = {
        "proof": FRACTION,
        "key": FRACTION,
        "extensions": SHARED,
        "statement": FRACTION,
        "list": FRACTION,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.actors.devices.hostile", *chain(*hostile.items())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [line.partition(" The passkey")[0] for line in done.stdout.splitlines()]
    assert [f"{place} refused" for place in hostile] == lines, done
    assert len(hostile) == done.stdout.count("accepted: Its CBOR")
