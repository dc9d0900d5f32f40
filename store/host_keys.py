"""Hashes of the keys by which hosts sign in, and of the codes for which they get one.

A code is good once, until it expires; the host that brings it gets a key, and no earlier key of it
counts any more. Keys have 256 random bits and codes 80, so that a plain SHA-256 of them cannot be
guessed backwards. A row that is not as it was written lets nobody in.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlite_utils import Database

from command_center.store.host_life import HostLife
from command_center.store.transaction import Transaction

_COLUMNS = "host_id, enrolment_hash, enrolment_expires_at, key_hash, life, life_id"
_WHOLE = (
    f"k.checksum = row_checksum({', '.join(f'k.{one}' for one in sorted(_COLUMNS.split(', ')))})"
)
"""A condition: the row is as it was written."""


class HostSignIn(NamedTuple):
    """A host that signs in, as the store has it.

    Attributes:
        enrolment_expires_at: of a code that was not used yet; None where there is none.
        has_key: a code was used.
        life: the last that was let in; of number 0 before the first.
    """

    host_id: int
    enrolment_expires_at: str | None
    has_key: bool
    life: HostLife


def offer(tx: Transaction, host_id: int, code_hash: str, expires_at: str) -> None:
    """Keep the hash of a code, in the place of an earlier one; the host's key stays until then."""
    tx.db.execute(
        "INSERT INTO host_keys (host_id, enrolment_hash, enrolment_expires_at) VALUES (?, ?, ?) "
        "ON CONFLICT (host_id) DO UPDATE SET enrolment_hash = excluded.enrolment_hash, "
        "enrolment_expires_at = excluded.enrolment_expires_at",
        [host_id, code_hash, expires_at],
    )


def offered(db: Database, code_hash: str) -> HostSignIn | None:
    """Return the host for which a code was made that is not used yet."""
    return _found(db, "enrolment_hash = ?", code_hash)


def enrol(tx: Transaction, host_id: int, key_hash: str) -> None:
    """Keep the hash of a host's key; its code and its earlier key are worthless from now on."""
    tx.db.execute(
        "UPDATE host_keys SET enrolment_hash = NULL, enrolment_expires_at = NULL, "
        "key_hash = ?, life = 0, life_id = '' WHERE host_id = ?",
        [key_hash, host_id],
    )


def name_of(db: Database, key_hash: str) -> str | None:
    """Return the name of the host that has the key; None for an unknown one."""
    sql = f"SELECT h.name FROM host_keys k JOIN hosts h ON h.id = k.host_id WHERE k.key_hash = ? AND {_WHOLE}"  # noqa: E501, S608 - constants
    found = db.execute(sql, [key_hash]).fetchone()
    return None if found is None else str(found[0])


def by_key(db: Database, key_hash: str) -> HostSignIn | None:
    """Return the host that has the key."""
    return _found(db, "key_hash = ?", key_hash)


def by_host(db: Database, host_id: int) -> HostSignIn | None:
    """Return how a host signs in; None where it does not, such as one over ssh."""
    return _found(db, "host_id = ?", host_id)


def begin_life(tx: Transaction, host_id: int, life: HostLife) -> None:
    """Keep the life that was let in."""
    tx.db.execute(
        "UPDATE host_keys SET life = ?, life_id = ? WHERE host_id = ?",
        [life.number, life.id, host_id],
    )


def remove(tx: Transaction, host_id: int) -> None:
    """Have a host sign in no more."""
    tx.db.execute("DELETE FROM host_keys WHERE host_id = ?", [host_id])


def _found(db: Database, condition: str, value: object) -> HostSignIn | None:
    sql = f"SELECT {_COLUMNS} FROM host_keys k WHERE {condition} AND {_WHOLE}"  # noqa: S608 - constants
    row = db.execute(sql, [value]).fetchone()
    if row is None:
        return None
    host_id, _, expires_at, key_hash, number, life_id = row
    return HostSignIn(host_id, expires_at, key_hash is not None, HostLife(number, life_id))
