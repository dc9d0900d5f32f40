"""Everything that is written of the browsers that are told by push: units of a transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.webpush import (
    PushSubscribed,
    PushSubscriptionEnded,
    PushSubscriptionUpdated,
)
from command_center.actors.contracts.webpush import (
    PUSH_KINDS,
    NewPushSubscription,
    PushSubscriptionChanges,
    service_of,
)
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    Device,
    PushKind,
    PushSubscription,
    RecordNotFound,
    Transaction,
    devices,
    push_subscriptions,
)
from command_center.store.queries.webpush import remove_subscription
from command_center.store.timestamps import from_timestamp

MOST: Final = 20
"""Browsers that one device may have subscribed."""

Why: TypeAlias = Literal["unsubscribed", "revoked", "gone", "refused"]


def subscribe(
    tx: Transaction, wanted: NewPushSubscription, device_id: int | None
) -> PushSubscription:
    """Keep a subscription, and tell of it; one that is known keeps the preferences that it has.

    Raises:
        Conflict: it is another device's, or the device has too many.
    """
    known = push_subscriptions.find(tx.db, {"endpoint": wanted.endpoint})
    keys = {"p256dh": wanted.keys.p256dh.rstrip("="), "auth": wanted.keys.auth.rstrip("=")}
    if known is not None:
        has_keys = keys == {"p256dh": known.p256dh, "auth": known.auth}
        if known.device_id != device_id and not has_keys:
            raise Conflict("Another device has this subscription.")
        changes = PushSubscriptionChanges(
            kinds=wanted.kinds,
            quiet_hours=wanted.quiet_hours,
            time_zone=wanted.time_zone,
            requested_by=wanted.requested_by,
        )
        if known.device_id != device_id or not has_keys:
            push_subscriptions.update(tx, known.id, device_id=device_id, error=None, **keys)
        return patch(tx, known.id, changes, device_id)
    before = None
    if wanted.replaces is not None:
        before = push_subscriptions.find(
            tx.db, {"endpoint": wanted.replaces, "device_id": device_id}
        )
    if before is not None:
        end(tx, before, "gone", actor=wanted.requested_by)
    if len(push_subscriptions.every(tx.db, {"device_id": device_id})) >= MOST:
        raise Conflict(f"This device has {MOST} subscriptions already. Remove one first.")
    preferences: dict[str, Any] = {
        "kinds": [*PUSH_KINDS] if before is None else before.kinds,
        "quiet_hours": None if before is None else before.quiet_hours,
        "time_zone": None if before is None else before.time_zone,
    }
    made = push_subscriptions.insert(
        tx,
        device_id=device_id,
        endpoint=wanted.endpoint,
        **keys,
        **(preferences | _given(wanted)),
    )
    tx.emit(
        PushSubscribed(
            id=made.id,
            device_id=device_id,
            service=service_of(made.endpoint),
            kinds=made.kinds,
        ),
        actor=wanted.requested_by,
    )
    return made


def patch(
    tx: Transaction,
    subscription_id: int,
    changes: PushSubscriptionChanges,
    device_id: int | None,
) -> PushSubscription:
    """Change what differs, and tell of it if anything does.

    Raises:
        RecordNotFound: the device has no such subscription.
    """
    before = of_device(tx.db, subscription_id, device_id)
    changed = {n: value for n, value in _given(changes).items() if getattr(before, n) != value}
    if not changed:
        return before
    after = push_subscriptions.update(tx, subscription_id, **changed)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(PushSubscription)}
    tx.emit(
        PushSubscriptionUpdated(
            id=after.id,
            device_id=after.device_id,
            changes={
                names[name]: {"from": getattr(before, name), "to": getattr(after, name)}
                for name in changed
            },
        ),
        actor=changes.requested_by,
    )
    return after


def unsubscribe(
    tx: Transaction, subscription_id: int, device_id: int | None, *, actor: str
) -> PushSubscription:
    """End a subscription of the device.

    Raises:
        RecordNotFound: the device has no such subscription.
    """
    found = of_device(tx.db, subscription_id, device_id)
    end(tx, found, "unsubscribed", actor=actor)
    return found


def end(tx: Transaction, subscription: PushSubscription, why: Why, *, actor: str) -> None:
    """Remove a subscription with all that waits for it, and tell of it."""
    remove_subscription(tx, subscription.id)
    tx.emit(
        PushSubscriptionEnded(
            id=subscription.id,
            device_id=subscription.device_id,
            service=service_of(subscription.endpoint),
            why=why,
        ),
        actor=actor,
    )


def end_those_of(tx: Transaction, device_id: int, *, actor: str) -> None:
    """End the subscriptions of a device that is revoked."""
    for subscription in push_subscriptions.every(tx.db, {"device_id": device_id}):
        end(tx, subscription, "revoked", actor=actor)


def of_device(db: Database, subscription_id: int, device_id: int | None) -> PushSubscription:
    """Return a subscription that the device may see; who needs to be none may see each.

    Raises:
        RecordNotFound: there is none.
    """
    found = push_subscriptions.get(db, subscription_id)
    if device_id is not None and found.device_id != device_id:
        raise RecordNotFound(push_subscriptions.kind, subscription_id)
    return found


def listeners(db: Database, kind: PushKind) -> list[PushSubscription]:
    """Return the subscriptions that are told of a kind of things."""
    return [
        subscription
        for subscription in push_subscriptions.sound(db, {})[0]
        if kind in subscription.kinds and may_be_told(db, subscription)
    ]


def may_be_told(db: Database, subscription: PushSubscription) -> bool:
    """Return True if the device of a subscription is let in, and may see what happens."""
    return _has_scope(db, subscription, "read")


def may_decide(db: Database, subscription: PushSubscription) -> bool:
    """Return True if the device of a subscription may decide approvals."""
    return _has_scope(db, subscription, "approve")


def _has_scope(
    db: Database, subscription: PushSubscription, scope: Literal["read", "approve"]
) -> bool:
    if subscription.device_id is None:
        return True
    device: Device | None = devices.find(db, {"id": subscription.device_id})
    return (
        device is not None
        and scope in device.scopes
        and (device.expires_at is None or datetime.now(UTC) < from_timestamp(device.expires_at))
    )


def _given(wanted: NewPushSubscription | PushSubscriptionChanges) -> dict[str, Any]:
    """Return the preferences that are given, as they are stored."""
    given: dict[str, Any] = {}
    if not isinstance(wanted.kinds, msgspec.UnsetType):
        given["kinds"] = [kind for kind in PUSH_KINDS if kind in wanted.kinds]
    if not isinstance(wanted.quiet_hours, msgspec.UnsetType):
        given["quiet_hours"] = wanted.quiet_hours
    if not isinstance(wanted.time_zone, msgspec.UnsetType):
        given["time_zone"] = wanted.time_zone
    return given
