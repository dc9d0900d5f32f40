"""The messages of hosts that dial out: how one is enrolled, and how its connection comes in."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import attrs
import msgspec
import trio

from command_center.runtime import Address, Request
from command_center.store import Timestamp
from command_center.store.host_life import HostLife


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A code by which a machine becomes a host, once, until it expires."""

    code: str
    expires_at: Timestamp


@attrs.frozen
class OfferEnrolment(Request[Enrolment]):
    """Make a code for a host, which ends an earlier code; the key that the host has stays."""

    name: str
    requested_by: str


class EnrolHost(
    msgspec.Struct,
    Request["EnrolledHost"],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Give the machine that brings a code a key of its own."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class EnrolledHost(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A host, with its key, which is shown this once."""

    name: str
    key: str


@attrs.frozen
class AdmitLife(Request[None]):
    """Let in a life of the host's program, unless a later one was let in already.

    Attributes:
        key_hash: of the key that it brings.
    """

    key_hash: str
    life: HostLife


@attrs.frozen
class HoldLink(Request[str]):
    """Use a connection of a life that was let in; answered with the reason when it is over."""

    life: HostLife
    stream: trio.abc.Stream


@attrs.frozen
class EndLink:
    """End the connection, if there is one."""

    reason: str


HostLinkMessage: TypeAlias = AdmitLife | HoldLink | EndLink


def link_of(name: str) -> Address[Any]:
    """Return the address of what holds the connection of a host."""
    return Address(f"/hosts/{name}/link")
