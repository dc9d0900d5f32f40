"""The connection to the agent of a host: its health, its version, and what becomes of it.

Whoever wants to know these asks here. The agent's own words go to its adapter alone
(`codex.messages`), whose bridge takes these messages, too.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, TypeAlias

import attrs
import msgspec

from command_center.runtime import ActorRef, Address, Request


class BridgeStatus(enum.Enum):
    """The state of the way to the agent."""

    CONNECTED = "connected"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"


class AppServer(enum.Enum):
    """The owner of the app-server that was reached, and what ends it."""

    JOINED = "joined"
    """It was there already, and goes on without us."""
    DETACHED = "detached"
    """It is our own, and goes on without us."""
    SPAWNED = "spawned"
    """It is our own, and ends with us."""


class BridgeHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The bridge's health; `message` says what to do where something is to be done.

    Attributes:
        version: of the agent that is connected, if it says one.
        supported: the versions that may be used.
        warning: what to know of a version that was not tested, or cannot be used.
        app_server: whose app-server it is; None while none is reached.
    """

    status: BridgeStatus
    command: str
    transport: str
    message: str
    supported: str
    version: str | None = None
    warning: str | None = None
    app_server: AppServer | None = None


@attrs.frozen
class CheckVersion(Request[None]):
    """Refuse with a `Conflict` where the agent that is connected cannot be used."""


@attrs.frozen
class ExplainAbsence(Request[str | None]):
    """Say at once why there is no connection, in a sentence; None if there is one."""


@attrs.frozen
class ProbeHealth(Request[BridgeHealth]):
    """Ask the agent for something, and say whether it answered."""


@attrs.frozen
class Watch(Request[None]):
    """Tell `ref`, which is attached to no thread, of all `BridgeNews`.

    A watcher that comes late is told at once if there is a connection. One that names
    `notifications` of the agent's is told of those, too, in its own words: such as how every thread
    stands, whoever is attached to it.
    """

    ref: ActorRef[Any]
    notifications: frozenset[str] = frozenset()


@attrs.frozen
class BridgeUnreachable:
    """Told to who watches, once until there is a connection: there has been none so far."""

    reason: str


@attrs.frozen
class BridgeWarned:
    """Told to who watches: the agent warns of something that concerns no one thread."""

    kind: str
    message: str
    details: str | None


@attrs.frozen
class BridgeUnknown:
    """Told to who watches, once for each name: the agent told or asked something that is new.

    `kind` is `notification`, `item` or `request`, and `body` has its members as they came, or of
    a long one the beginning.
    """

    kind: str
    name: str
    body: Mapping[str, Any]


@attrs.frozen
class BridgeLost:
    """The connection is lost. What the agent tells until `BridgeConnected` is missed.

    `ends_turns` says that the agent has ended with it, and so have its turns.
    """

    reason: str
    ends_turns: bool = False


@attrs.frozen
class BridgeConnected:
    """There is a connection, not subscribed to any thread: who is attached joins its own again.

    Told to everyone attached when a connection begins, the first one included.
    """

    server_version: str | None
    process_id: int | None
    app_server: AppServer = AppServer.JOINED


BridgeNews: TypeAlias = (
    BridgeConnected | BridgeLost | BridgeUnreachable | BridgeWarned | BridgeUnknown
)
"""A message to whoever watches the connection."""

AnyBridgeMessage: TypeAlias = CheckVersion | ExplainAbsence | ProbeHealth | Watch
"""The messages that the bridge to every agent takes."""


def bridge_of(host: str) -> Address[AnyBridgeMessage]:
    """Give the address of the bridge to the agent of a host."""
    return Address(f"/bridges/{host}")
