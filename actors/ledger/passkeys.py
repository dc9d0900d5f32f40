"""Everything that is written of passkeys: each is one device's, and ends with it."""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database

from command_center.actors.contracts.events.devices import PasskeyAdded, PasskeyRemoved
from command_center.actors.rules.errors import Conflict, WrongPasskey
from command_center.store import (
    Passkey,
    RecordNotFound,
    Transaction,
    devices,
    passkeys,
)
from command_center.store.queries.passkeys import remove

MOST: Final = 20
"""Passkeys that a device may have."""


def keep(
    tx: Transaction,
    device_id: int,
    *,
    host: str,
    credential_id: str,
    public_key: str,
    sign_count: int,
    actor: str,
) -> Passkey:
    """Keep a passkey of a device, and tell of it.

    Raises:
        RecordNotFound: there is no such device.
        Conflict: it is known, or the device has too many.
    """
    device = devices.get(tx.db, device_id)
    if passkeys.find(tx.db, {"credential_id": credential_id}) is not None:
        raise Conflict("This passkey is known already.")
    if passkeys.count(tx.db, {"device_id": device_id}) >= MOST:
        raise Conflict(f"This device has {MOST} passkeys already. Remove one first.")
    made = passkeys.insert(
        tx,
        device_id=device_id,
        host=host,
        credential_id=credential_id,
        public_key=public_key,
        sign_count=sign_count,
    )
    tx.emit(
        PasskeyAdded(id=device_id, name=device.name, passkey_id=made.id, host=host), actor=actor
    )
    return made


def find_by_credential(db: Database, credential_id: str) -> Passkey:
    """Return the passkey of that name.

    Raises:
        WrongPasskey: there is none.
    """
    found = passkeys.find(db, {"credential_id": credential_id})
    if found is None:
        raise WrongPasskey("It is not known here: it was removed, or made for another server.")
    return found


def note_used(tx: Transaction, known: Passkey, sign_count: int) -> Passkey:
    """Keep how often a passkey has signed, and when.

    Raises:
        RecordNotFound: it was removed meanwhile.
        WrongPasskey: it has signed otherwise meanwhile, as a copy of it would.
    """
    if passkeys.get(tx.db, known.id).sign_count != known.sign_count:
        raise WrongPasskey("It was used elsewhere at the same time.")
    return passkeys.update(tx, known.id, sign_count=sign_count, last_used_at=tx.now)


def remove_passkey(
    tx: Transaction, passkey_id: int, device_id: int | None, *, actor: str
) -> Passkey:
    """Remove a passkey, and tell of it.

    Raises:
        RecordNotFound: the device has no such passkey.
    """
    found = passkeys.get(tx.db, passkey_id)
    if device_id is not None and found.device_id != device_id:
        raise RecordNotFound(passkeys.kind, passkey_id)
    device = devices.find(tx.db, {"id": found.device_id})
    remove(tx, passkey_id)
    told = PasskeyRemoved(
        id=found.device_id,
        name="" if device is None else device.name,
        passkey_id=found.id,
        host=found.host,
    )
    tx.emit(told, actor=actor)
    return found


def remove_those_of(tx: Transaction, device_id: int, *, actor: str) -> None:
    """Remove the passkeys of a device that is revoked."""
    for passkey in passkeys.every(tx.db, {"device_id": device_id}):
        remove_passkey(tx, passkey.id, device_id, actor=actor)
