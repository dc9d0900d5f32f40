"""CBOR, as an authenticator has to write it, read before the library sees it.

The form is the canonical one of CTAP2: no tags, no figures with a point, no item of unknown length,
and each number and length in its shortest form. A general reader takes more, and what it takes is a
stranger's: a tag may be a fraction with a billion digits, or a list that is written once and stands
in itself a billion times. The shortest form matters as well: the library finds the end of a key by
writing that anew, and must find the end that was checked here.
"""

from __future__ import annotations

from typing import Final

MOST_DEPTH: Final = 8
"""Lists and maps within each other. CTAP2 allows four."""

_INT, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _OTHER = range(8)
"""The kinds of items (RFC 8949, 3.1)."""

_SIMPLE: Final = {20: False, 21: True, 22: None, 23: None}
_LONGEST_SHORT: Final = 24
_RESERVED: Final = 28

_FLAGS: Final = 32
_NAME_LENGTH: Final = 53
"""Places of the flags and of the length of the passkey's name (WebAuthn, 6.1 and 6.5.1)."""

_HAS_PASSKEY: Final = 0x40


def check_attestation(data: bytes) -> None:
    """Check an attestation object, and the authenticator's data in it.

    Raises:
        ValueError: it has what no authenticator writes.
    """
    found = read_items(data)
    told = found[0].get("authData") if len(found) == 1 and isinstance(found[0], dict) else None
    if not isinstance(told, bytes):
        raise ValueError("Its CBOR has no data of an authenticator.")  # noqa: TRY004 - one error for all
    check_authenticator_data(told)


def check_authenticator_data(data: bytes) -> None:
    """Check the key and the extensions in an authenticator's data.

    Raises:
        ValueError: they have what no authenticator writes.
    """
    at = _FLAGS + 5
    if data[_FLAGS : _FLAGS + 1] and data[_FLAGS] & _HAS_PASSKEY:
        at = _NAME_LENGTH + 2 + int.from_bytes(data[_NAME_LENGTH : _NAME_LENGTH + 2], "big")
    read_items(data[at:])


def read_items(data: bytes) -> list[object]:
    """Read the items that stand one after another.

    Raises:
        ValueError: one of them is not in the canonical form.
    """
    found, at = [], 0
    while at < len(data):
        item, at = _read(data, at, MOST_DEPTH)
        found.append(item)
    return found


def _read(data: bytes, at: int, depth: int) -> tuple[object, int]:
    """Read the item that begins there; return it, and where the next one does."""
    kind, said, at = _read_head(data, at)
    if kind in {_INT, _NEGATIVE}:
        return (said if kind == _INT else -1 - said), at
    if kind in {_BYTES, _TEXT}:
        value = _cut(data, at, said)
        return (value if kind == _BYTES else value.decode()), at + said
    if kind == _OTHER:
        return _SIMPLE[said], at
    if not depth:
        raise ValueError("Its CBOR is too deep.")
    if kind == _LIST:
        return _read_list(data, at, said, depth - 1)
    return _read_map(data, at, said, depth - 1)


def _read_list(data: bytes, at: int, count: int, depth: int) -> tuple[list[object], int]:
    found = []
    for _ in range(count):
        item, at = _read(data, at, depth)
        found.append(item)
    return found, at


def _read_map(
    data: bytes, at: int, count: int, depth: int
) -> tuple[dict[int | str | bytes, object], int]:
    found: dict[int | str | bytes, object] = {}
    for _ in range(count):
        key, at = _read(data, at, depth)
        if isinstance(key, bool) or not isinstance(key, int | str | bytes) or key in found:
            raise ValueError("Its CBOR has a name that is none, or one twice.")
        found[key], at = _read(data, at, depth)
    return found, at


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return the kind of the item that begins there, its number or length, and where that ends."""
    kind, said = divmod(_cut(data, at, 1)[0], 32)
    at += 1
    if kind == _TAG or (kind == _OTHER and said not in _SIMPLE) or said >= _RESERVED:
        raise ValueError("Its CBOR has what no authenticator writes.")
    if kind == _OTHER or said < _LONGEST_SHORT:
        return kind, said, at
    size = 1 << (said - _LONGEST_SHORT)
    number = int.from_bytes(_cut(data, at, size), "big")
    if number < (_LONGEST_SHORT if size == 1 else 1 << (size * 4)):
        raise ValueError("Its CBOR is longer than it has to be.")
    return kind, number, at + size


def _cut(data: bytes, at: int, size: int) -> bytes:
    if size > len(data) - at:
        raise ValueError("Its CBOR ends too early.")
    return data[at : at + size]
