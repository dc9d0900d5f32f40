"""The messages that `/devices` takes, and its answers."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from command_center.actors.contracts.fields import DateTime
from command_center.actors.rules.agent_limits import AgentLimits
from command_center.actors.rules.lengths import NAME_LENGTH, Name
from command_center.actors.rules.preconditions import Condition, always
from command_center.actors.rules.scopes import Scopes
from command_center.runtime import Request
from command_center.store import Device, Scope, Timestamp

_UNSEEN = r"\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
"""Characters that cannot be seen, or turn the writing round."""

SHOWN: Final = rf"^[^{_UNSEEN}]*[^\s{_UNSEEN}][^{_UNSEEN}]*$(?!\n)"
"""The pattern of a name that is shown as it is."""

DeviceName = Annotated[
    str, msgspec.Meta(max_length=NAME_LENGTH, extra_json_schema={"pattern": SHOWN})
]


class NewDevice(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A device, or a script, that is to have a token of its own.

    Attributes:
        scopes: each thing that it may do.
        expires_at: from when it is let in no more; never, if left out.
        limits: of an agent, whose token is good for the tools at `/mcp` alone; none, if left out.
    """

    name: DeviceName
    scopes: Scopes
    expires_at: DateTime | None = None
    limits: AgentLimits | None = None
    requested_by: Name = "api"


class NewPairing(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A device that is to be let in by a code.

    Attributes:
        name: the device's; by which name the device calls itself, if left out.
        scopes: each thing that it may do; what who asks may do, but not `admin`, if left out.
        expires_at: from when it is let in no more; never, if left out.
    """

    name: DeviceName | None = None
    scopes: Scopes | None = None
    expires_at: DateTime | None = None
    requested_by: Name = "api"


class Pairing(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A code that lets one device in, once, until it expires."""

    code: str
    expires_at: Timestamp


class OfferPairing(msgspec.Struct, Request[Pairing], frozen=True):
    """Make a code.

    Attributes:
        granted: the scopes that who asks may hand on.
        device: theirs, as events name it; None for nobody's.
        device_id: of that device.
    """

    wanted: NewPairing
    granted: frozenset[Scope]
    device: str | None = None
    device_id: int | None = None


class RedeemCode(
    msgspec.Struct,
    Request[Device],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Let a device in by its code; what is between letters and digits does not matter.

    Attributes:
        name: by which the device calls itself; it counts where whoever made the code gave none.
    """

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    name: DeviceName | None = None


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
    limits: AgentLimits | msgspec.UnsetType | None = msgspec.UNSET
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
