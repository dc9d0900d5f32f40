"""/api/enrolments and /api/hosts/link: the ways in for machines that dial out.

A machine brings its code once, and gets a key for it. With the key it opens a WebSocket, whose
binary frames are the bytes of the link to a host (`hosts.link`). The key is all that it has here:
it opens nothing else.
"""

from __future__ import annotations

import math
import re
from typing import Final, cast

import attrs
import msgspec
from quart import request, websocket

from command_center.actors.center import Center
from command_center.actors.contracts.fleet import FLEET
from command_center.actors.contracts.host_links import (
    AdmitLife,
    EnrolHost,
    EnrolledHost,
    HoldLink,
    link_of,
)
from command_center.actors.core.message_stream import MessageStream
from command_center.actors.devices.roster import hash_of
from command_center.actors.rules.errors import Invalid, WrongHostKey
from command_center.http.middleware.gate import HOST_ENROLMENT, HOST_LINK
from command_center.http.middleware.throttle import WrongGuesses, client_key
from command_center.http.wire.asgi import Scope
from command_center.http.wire.operation import Api
from command_center.runtime import ActorCrashed, ActorNotFound, ActorStopped
from command_center.store import host_keys, log_identity
from command_center.store.host_life import HostLife

LIFE: Final = "CC-Host-Life"
"""The header in which a host says which start of its program it is: a number, and a random id."""

CENTRE: Final = "CC-Centre"
"""The header in which the server answers which log it has, and which start of it this is."""

NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001

LONGEST_REASON: Final = 120
"""Bytes of a reason in a frame that closes a WebSocket (RFC 6455, 5.5)."""


@attrs.frozen
class HostDoor:
    """The product, and what is counted of wrong keys and codes."""

    center: Center
    wrong: WrongGuesses


class HostLinkQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing."""


api = Api[HostDoor]("Hosts")


@api.operation(
    "POST",
    HOST_ENROLMENT,
    answers=201,
    refuses=(401, 409, 429),
    is_done_once=False,
    is_open=True,
)
async def enrol_host(door: HostDoor, body: EnrolHost) -> EnrolledHost:
    """Give the machine that brings a code its key, which is shown this once."""
    with door.wrong.guess(client_key(cast("Scope", request.scope))):
        return await door.center.ask(FLEET, body)


@api.websocket(HOST_LINK, scopes=())
async def link_host(door: HostDoor, query: HostLinkQuery) -> None:  # noqa: ARG001 - there is none
    """Take the connection of a machine that brings its key, and use it until it is over."""
    center = door.center
    key_hash = hash_of(_key())
    name = await center.storage.read(lambda db: host_keys.name_of(db, key_hash))
    if (
        name is None
    ):  # a right key of 256 random bits was not guessed: whoever else is at its address
        with door.wrong.guess(client_key(cast("Scope", websocket.scope))):
            raise WrongHostKey
    life, link = _life(), link_of(name)
    await center.ask(link, AdmitLife(key_hash, life))
    number = await center.storage.read(log_identity.starts)
    await websocket.accept(headers={CENTRE: f"{center.log_id}.{number}"})
    code = NORMAL_CLOSURE
    stream = MessageStream(websocket.send, websocket.receive)
    try:
        # Where the client is gone this is cancelled, and the actor finds the stream closed.
        reason = await center.ask(link, HoldLink(life, stream), timeout=math.inf)
    except (ActorStopped, ActorNotFound):
        reason, code = "The host was removed, or the server stops.", GOING_AWAY
    except ActorCrashed:
        reason, code = "The server has lost the connection. Connect again.", GOING_AWAY
    finally:
        stream.end()
    cut = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
    await websocket.close(code, cut)


def _key() -> str:
    scheme, _, key = websocket.headers.get("Authorization", "").strip().partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _life() -> HostLife:
    """Read which start of its program a host is.

    Raises:
        Invalid: it does not say that.
    """
    told = re.fullmatch(r"([1-9][0-9]{0,14})\.([0-9a-f]{32})", websocket.headers.get(LIFE, ""))
    if told is None:
        raise Invalid.field(LIFE, "Expected a number, a dot, and 32 hexadecimal digits.")
    return HostLife(int(told[1]), told[2])
