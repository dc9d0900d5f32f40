"""Everything that is written of a device: each function is one unit of a transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from command_center.actors.contracts.devices import SHOWN, DeviceChanges, NewDevice
from command_center.actors.contracts.events.devices import (
    DeviceCreated,
    DeviceRevoked,
    DeviceUpdated,
)
from command_center.actors.ledger import passkeys, webpush
from command_center.actors.rules.agent_limits import stored_limits
from command_center.actors.rules.errors import Conflict, Invalid, MissingScope
from command_center.actors.rules.scopes import ordered
from command_center.store import (
    Device,
    Scope,
    Transaction,
    device_tokens,
    devices,
    now_timestamp,
)
from command_center.store.timestamps import from_timestamp, to_timestamp


def create_device(
    tx: Transaction,
    wanted: NewDevice,
    *,
    token_hash: str,
    granted: frozenset[Scope],
    is_paired: bool = False,
) -> Device:
    """Keep a device and the hash of its token, and tell of it.

    Raises:
        Invalid: its name says nothing, or it expires at no moment that lies ahead.
        MissingScope: who asks may not hand on one of its scopes.
    """
    check(wanted, granted)
    device = devices.insert(
        tx,
        name=wanted.name,
        scopes=ordered(wanted.scopes),
        expires_at=stored_expiry(wanted.expires_at),
        is_paired=is_paired,
        limits=stored_limits(wanted.limits),
    )
    device_tokens.keep(tx, device.id, token_hash)
    tx.emit(
        DeviceCreated(
            id=device.id,
            name=device.name,
            scopes=device.scopes,
            expires_at=device.expires_at,
            paired=is_paired,
        ),
        actor=wanted.requested_by,
    )
    return device


def patch_device(
    tx: Transaction, device_id: int, changes: DeviceChanges, granted: frozenset[Scope]
) -> Device:
    """Change what differs, and tell of it if anything does.

    Raises:
        RecordNotFound: there is no such device.
        Invalid, MissingScope: as `create_device`; of scopes, for those that it had not before.
    """
    before = devices.get(tx.db, device_id)
    given: dict[str, Any] = {}
    if isinstance(changes.name, str):
        check_name(changes.name)
        given["name"] = changes.name
    if not isinstance(changes.scopes, msgspec.UnsetType):
        check_granted(set(changes.scopes).difference(before.scopes), granted)
        given["scopes"] = ordered(changes.scopes)
    if not isinstance(changes.expires_at, msgspec.UnsetType):
        given["expires_at"] = stored_expiry(changes.expires_at)
        if _is_later(given["expires_at"], before.expires_at):
            check_granted(before.scopes, granted)
    if not isinstance(changes.limits, msgspec.UnsetType):
        given["limits"] = stored_limits(changes.limits)
    changed = {name: value for name, value in given.items() if getattr(before, name) != value}
    if not changed:
        return before
    after = devices.update(tx, device_id, **changed)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(Device)}
    tx.emit(
        DeviceUpdated(
            id=device_id,
            name=after.name,
            changes={
                names[name]: {"from": getattr(before, name), "to": getattr(after, name)}
                for name in changed
            },
        ),
        actor=changes.requested_by,
    )
    return after


def revoke_device(tx: Transaction, device_id: int, *, actor: str) -> Device:
    """Remove a device with its token, passkeys and subscriptions, and tell; the device as it was.

    Raises:
        RecordNotFound: there is no such device.
    """
    device = devices.get(tx.db, device_id)
    webpush.end_those_of(tx, device_id, actor=actor)
    passkeys.remove_those_of(tx, device_id, actor=actor)
    device_tokens.remove_device(tx, device_id)
    tx.emit(DeviceRevoked(id=device_id, name=device.name), actor=actor)
    return device


def note_seen(tx: Transaction, device_id: int, *, at: str, address: str) -> None:
    """Keep when a device was last seen, and from where; nothing if it is gone."""
    if devices.find(tx.db, {"id": device_id}) is not None:
        devices.update(tx, device_id, last_seen_at=at, last_seen_from=address)


def check(wanted: NewDevice, granted: frozenset[Scope]) -> None:
    """Refuse a device that may not be made.

    Raises:
        Invalid, MissingScope: as `create_device`.
    """
    check_name(wanted.name)
    check_granted(wanted.scopes, granted)
    stored_expiry(wanted.expires_at)


def check_name(name: str) -> None:
    """Refuse a name that says nothing, or is not shown as it is.

    Raises:
        Invalid: it is one.
    """
    if re.search(SHOWN, name) is None:
        raise Invalid.field("name", "Expected some text, without characters that cannot be seen.")


def check_granted(scopes: Iterable[Scope], granted: frozenset[Scope]) -> None:
    """Refuse to hand on a scope that who asks has not got.

    Raises:
        MissingScope: it is one of these.
    """
    for scope in ordered(scopes):
        if scope not in granted:
            raise MissingScope(scope, "Only who has it can give it to another device.")


def check_offer(tx: Transaction, device_id: int | None, scopes: Iterable[Scope]) -> None:
    """Refuse a code whose device may not give these scopes any more; None is nobody's device.

    Raises:
        Conflict: it was revoked, has expired, or lacks `admin` or one of the scopes.
    """
    if device_id is None:
        return
    device = devices.find(tx.db, {"id": device_id})
    if (
        device is None
        or (device.expires_at is not None and device.expires_at <= now_timestamp())
        or not {"admin", *scopes} <= set(device.scopes)
    ):
        raise Conflict(
            "The device that made this code may not use it any more. Ask for a new one.",
            outcome="withdrawn",
        )


def stored_expiry(expires_at: str | None) -> str | None:
    """Return an expiry as it is stored.

    Raises:
        Invalid: it is no moment that lies ahead.
    """
    if expires_at is None:
        return None
    try:
        moment = from_timestamp(expires_at)
        stored = to_timestamp(moment)
    except (ValueError, OverflowError) as error:
        raise Invalid.field("expiresAt", "Expected a time such as 2030-01-31T09:00:00Z.") from error
    if moment <= datetime.now(UTC):
        raise Invalid.field("expiresAt", "Expected a time in the future.")
    return stored


def _is_later(new: str | None, old: str | None) -> bool:
    return old is not None and (new is None or new > old)
