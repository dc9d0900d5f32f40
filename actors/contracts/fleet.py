"""The messages that add hosts and remove them."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import attrs
import msgspec

from command_center.actors.contracts.host_links import EnrolHost, OfferEnrolment
from command_center.actors.rules.lengths import Name
from command_center.actors.rules.placement import HostLabels, HostName
from command_center.runtime import Address, Request
from command_center.store import StoredHost

ADDRESS = (
    r"^(?:ssh://)?(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,63}@)?"
    r"(?:[A-Za-z0-9][A-Za-z0-9._-]{0,252}|\[[0-9A-Fa-f:]{2,45}\])(?::[0-9]{1,5})?$(?!\n)"
)
"""An address; nothing in it can be an option, or a command."""

ADDRESS_FORM = "a name of your ssh configuration, user@host, or user@host:port"


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
    address: (
        Annotated[str, msgspec.Meta(max_length=400, pattern=ADDRESS, description=ADDRESS_FORM)]
        | None
    ) = None
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


class HostChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to a host; what is left out stays.

    Attributes:
        labels: words that say what it is good for, instead of those that it has.
        max_sessions: how many sessions work there at once; null if only the server's limit counts.
    """

    labels: HostLabels | msgspec.UnsetType = msgspec.UNSET
    max_sessions: Annotated[int, msgspec.Meta(ge=1, le=1000)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    requested_by: Name = "api"


@attrs.frozen
class PatchHost(Request[None]):
    """Change the labels of a host, or how many sessions work there."""

    name: str
    changes: HostChanges


@attrs.frozen
class DrainHost(Request[None]):
    """Begin no more runs on a host, or begin them again. Those that work there go on."""

    name: str
    is_draining: bool
    requested_by: str


@attrs.frozen
class RetryHost(Request[None]):
    """Reach for a machine at once that is away.

    Raises `Conflict` where there is nothing to try.
    """

    name: str


@attrs.frozen
class RetryLink:
    """To the link of a host: do not wait any longer for the next attempt."""


FleetMessage: TypeAlias = (
    AddHost | DrainHost | EnrolHost | OfferEnrolment | PatchHost | RemoveHost | RetryHost
)
FLEET: Address[FleetMessage] = Address("/fleet")
