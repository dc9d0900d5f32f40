"""Events of Web Push."""

from __future__ import annotations

from typing import Any, Literal

from command_center.store import EventData, PushKind


class PushSubscribed(EventData, frozen=True, kw_only=True, tag="webpush.subscribed"):
    """A browser is told by its push service, at `service`; `deviceId` is the device's."""

    id: int
    device_id: int | None
    service: str
    kinds: list[PushKind]


class PushSubscriptionUpdated(EventData, frozen=True, kw_only=True, tag="webpush.updated"):
    """Other things are told, or at other hours; `changes` has both states of each field."""

    id: int
    device_id: int | None
    changes: dict[str, dict[str, Any]]


class PushSubscriptionEnded(EventData, frozen=True, kw_only=True, tag="webpush.ended"):
    """A browser is told no more.

    `why` is `unsubscribed`, `revoked` with its device, `gone` where the push service knows it no
    more, or `refused` where its service has an address that is not allowed.
    """

    id: int
    device_id: int | None
    service: str
    why: Literal["unsubscribed", "revoked", "gone", "refused"]
