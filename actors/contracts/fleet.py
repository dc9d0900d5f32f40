"""The messages that add hosts and remove them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import attrs
import msgspec

from command_center.actors.contracts.host_links import EnrolHost, OfferEnrolment
from command_center.actors.rules.lengths import Name
from command_center.runtime import Address, Request
from command_center.store import StoredHost

HostName = Annotated[
    str, msgspec.Meta(max_length=32, pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$(?!\n)")
]
ADDRESS = (
    r"^(?:ssh://)?(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?"
    r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:]{2,45}\])(?::[0-9]{1,5})?$(?!\n)"
)
"""An address; nothing in it can be an option, or a command."""


HostKind = Literal["dial", "ssh"]


class NewHost(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A machine that is to be added.

    Attributes:
        name: what repositories have as `host`.
        kind: how it is reached: it dials out to this server, unless that reaches it over ssh.
        address: of one over ssh: a name of the ssh configuration, `user@host`, or
            `user@host:port`.
        host_key: the fingerprint of the key by which it shows itself, where nobody has accepted
            that yet; a refusal says which it is.
        requested_by: who wants it.
    """

    name: HostName
    kind: HostKind = "dial"
    address: Annotated[str, msgspec.Meta(max_length=400, pattern=ADDRESS)] | None = None
    host_key: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    requested_by: Name = "api"


@attrs.frozen
class AddHost(Request[StoredHost]):
    """Reach a machine, and have it as a host from now on."""

    wanted: NewHost


@attrs.frozen
class RemoveHost(Request[StoredHost]):
    """Have a machine as a host no longer."""

    name: str
    requested_by: str


FleetMessage: TypeAlias = AddHost | RemoveHost | OfferEnrolment | EnrolHost
FLEET: Address[FleetMessage] = Address("/fleet")
