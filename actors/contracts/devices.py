"""The messages that `/devices` takes, and its answers."""

from __future__ import annotations

from typing import Annotated

import msgspec

from command_center.actors.contracts.fields import DateTime, NotBlank
from command_center.actors.rules.lengths import NAME_LENGTH, Name
from command_center.actors.rules.preconditions import Condition, always
from command_center.actors.rules.scopes import Scopes
from command_center.runtime import Request
from command_center.store import Device, Scope

DeviceName = Annotated[NotBlank, msgspec.Meta(max_length=NAME_LENGTH)]


class NewDevice(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A device, or a script, that is to have a token of its own.

    Attributes:
        scopes: each thing that it may do.
        expires_at: from when it is let in no more; never, if left out.
    """

    name: DeviceName
    scopes: Scopes
    expires_at: DateTime | None = None
    requested_by: Name = "api"


class DeviceToken(Device, frozen=True, kw_only=True, rename="camel"):
    """A device that was made, with its token, which is shown this once."""

    token: str


class CreateDevice(msgspec.Struct, Request[DeviceToken], frozen=True):
    """Make a device; `granted` are the scopes that who asks may hand on."""

    wanted: NewDevice
    granted: frozenset[Scope]


class DeviceChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to a device; what is left out stays. `expiresAt` null is never."""

    name: DeviceName | msgspec.UnsetType = msgspec.UNSET
    scopes: Scopes | msgspec.UnsetType = msgspec.UNSET
    expires_at: DateTime | msgspec.UnsetType | None = msgspec.UNSET
    requested_by: Name = "api"


class PatchDevice(msgspec.Struct, Request[Device], frozen=True):
    """Change a device; its open streams end where it may do something else afterwards."""

    device_id: int
    changes: DeviceChanges
    granted: frozenset[Scope]
    condition: Condition = always


class RevokeDevice(msgspec.Struct, Request[Device], frozen=True):
    """Take a device's access away, and end its open streams. Answered with it as it was."""

    device_id: int
    requested_by: Name = "api"
    condition: Condition = always
