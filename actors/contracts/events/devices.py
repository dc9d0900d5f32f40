"""Events of devices."""

from __future__ import annotations

from typing import Any

from command_center.store import EventData, Scope


class DeviceCreated(EventData, frozen=True, kw_only=True, tag="device.created"):
    """A device was given access; `paired` says that a code let it in."""

    id: int
    name: str
    scopes: list[Scope]
    expires_at: str | None
    paired: bool


class DeviceUpdated(EventData, frozen=True, kw_only=True, tag="device.updated"):
    """Its name, scopes or expiry were changed; `changes` has both states of each field."""

    id: int
    name: str
    changes: dict[str, dict[str, Any]]


class PasskeyAdded(EventData, frozen=True, kw_only=True, tag="device.passkey.added"):
    """A device can sign in by a passkey, at the name `host` of this server."""

    id: int
    name: str
    passkey_id: int
    host: str


class PasskeyRemoved(EventData, frozen=True, kw_only=True, tag="device.passkey.removed"):
    """A passkey of a device signs in no more."""

    id: int
    name: str
    passkey_id: int
    host: str


class DeviceRevoked(EventData, frozen=True, kw_only=True, tag="device.revoked"):
    """A device's access was taken away."""

    id: int
    name: str
