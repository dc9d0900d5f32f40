"""The requests to the bridge to Codex, and the messages to those who attached to a thread.

The order of what is told about one thread is the order in which Codex told it. The answer to a
`Call` goes straight back to its asker and may overtake, or be overtaken by, what is told.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, Never, TypeAlias, TypeVar

import attrs
import msgspec

from command_center.actors.codex.versions import RANGE
from command_center.runtime import ActorRef, Address, Request
from command_center.store.records import LOCAL

M = TypeVar("M")


def as_it_is(message: ThreadMessage) -> Any:
    """Return what the bridge tells, for those who hear that."""
    return message


@attrs.frozen
class Call(Request[dict[str, Any]]):
    """Send a request to Codex and answer with its result.

    Refused with `CodexError`, `CodexTimeout` after `timeout` seconds, `BridgeUnavailable`, or
    `TooBusy` if Codex stays overloaded. Ask with a longer timeout than the call's own.
    """

    method: str
    params: Mapping[str, Any] = attrs.field(factory=dict)
    timeout: float = 30.0


@attrs.frozen
class Attach(Request[None], Generic[M]):
    """Route what Codex tells and asks about this thread to `ref`; replaces who was attached.

    It is told what `read` makes of each message; that must not fail.

    Requests of the thread that are still open are told to `ref`, also those that it was told of
    before; so are those of `agents`, the threads of sub-agents that work for it, each with the
    thread that started it. Attachments outlive a lost connection.
    """

    thread_id: str
    ref: ActorRef[M]
    agents: tuple[tuple[str, str], ...] = ()
    read: Callable[[ThreadMessage], M] = attrs.field(default=as_it_is, kw_only=True)


@attrs.frozen
class Detach(Request[None]):
    """Stop routing this thread to `ref`; does nothing if another is attached.

    Codex tells no more of it, and so can unload it: whoever attaches next has to resume it.
    """

    thread_id: str
    ref: ActorRef[Never]


@attrs.frozen
class ReachWriter(Request[None]):
    """Be connected to the app-server that writes the thread, changing to it where that can be.

    Refused with `ThreadElsewhere` where another process of Codex writes it, `BridgeUnavailable`.
    """

    thread_id: str


@attrs.frozen
class Watch(Request[None]):
    """Tell `ref`, which is attached to no thread, of every `BridgeConnected` and `BridgeLost`.

    A watcher that comes late is told at once if there is a connection. One that wants `statuses` is
    told of every `thread/status/changed`, too, whoever is attached to the thread: Codex tells them
    to all its clients, subscribed or not.
    """

    ref: ActorRef[WatcherMessage]
    statuses: bool = False


@attrs.frozen
class AnswerRequest(Request[None]):
    """Answer an open request of Codex, with a result or else with an error's text.

    Answered when the bytes are written. Refused with `RequestGone` if the request isn't open on
    this connection any more, `BridgeUnavailable` if the connection is lost meanwhile.
    """

    request_id: str
    result: Mapping[str, Any] | None = None
    error: str | None = None


class BridgeStatus(enum.Enum):
    """The state of the way to Codex."""

    CONNECTED = "connected"
    DISABLED = "disabled"
    UNAVAILABLE = "unavailable"


class AppServer(enum.Enum):
    """Whose app-server it is that was reached."""

    JOINED = "joined"
    """It was there already, and goes on without us."""
    DETACHED = "detached"
    """It is our own, and goes on without us."""
    SPAWNED = "spawned"
    """It is our own, and ends with us."""


class BridgeHealth(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The bridge's health; `message` says what to do where something is to be done.

    Attributes:
        version: of the Codex that is connected, if it says one.
        supported: the versions that may be used.
        warning: what to know of a version that was not tested, or cannot be used.
        app_server: whose app-server it is; None while none is reached.
    """

    status: BridgeStatus
    command: str
    transport: str
    message: str
    version: str | None = None
    supported: str = RANGE
    warning: str | None = None
    app_server: AppServer | None = None


@attrs.frozen
class CheckVersion(Request[None]):
    """Refuse with `UnsupportedCodex` where the Codex that is connected cannot be used."""


@attrs.frozen
class ProbeHealth(Request[BridgeHealth]):
    """Ask Codex for its loaded threads, and say whether it answered."""


@attrs.frozen
class CodexNotification:
    """Codex told something about the thread.

    `thread_id` may be a sub-agent's, where it is told to the attachment of the thread that it works
    for: then `parent_id` is the thread that started it.
    """

    thread_id: str
    method: str
    params: dict[str, Any]
    parent_id: str | None = None


@attrs.frozen
class CodexAgentHeard:
    """Codex told something about a sub-agent of the thread that is not kept, and so it works."""

    thread_id: str


@attrs.frozen
class CodexServerRequest:
    """Codex asks something and waits for `Answer(request_id, …)`.

    `request_id` is unique over all connections; `connection_of` names its own. After a
    reconnection Codex asks again under another id: match what was asked before by thread, turn and
    item. What one connection asks under two ids are two questions. `thread_id` may be a thread
    that the attached one has started; it is asked of its parent's attachment.
    """

    thread_id: str
    request_id: str
    method: str
    params: dict[str, Any]


def connection_of(request_id: str) -> str:
    """Return the name of the connection on which a request was asked."""
    return request_id.partition(":")[0]


@attrs.frozen
class CodexRequestResolved:
    """A request is no longer open: by our answer (`answered_here`), or in another way."""

    thread_id: str
    request_id: str
    answered_here: bool


@attrs.frozen
class CodexRequestRefused:
    """Codex asked what Command Center does not know; it was refused with a JSON-RPC error."""

    thread_id: str
    method: str
    params: dict[str, Any]


@attrs.frozen
class CodexLagged:
    """The attached actor was too slow and `dropped` notifications of the thread are lost.

    What counts can be read again with `thread/turns/list`. Requests are never dropped.
    """

    thread_id: str
    dropped: int


@attrs.frozen
class BridgeUnreachable:
    """Told to who watches, once until there is a connection: there has been none so far."""

    reason: str


@attrs.frozen
class BridgeWarned:
    """Told to who watches: Codex warns of something that concerns no one thread."""

    kind: str
    message: str
    details: str | None


@attrs.frozen
class BridgeLost:
    """The connection is lost. What Codex tells until `BridgeConnected` is missed.

    `ends_turns` says that the app-server has ended with it, and so have its turns.
    """

    reason: str
    ends_turns: bool = False


@attrs.frozen
class BridgeConnected:
    """There is a connection, not subscribed to any thread: `thread/resume` subscribes.

    Told to everyone attached when a connection begins, the first one included.
    """

    server_version: str | None
    process_id: int | None
    app_server: AppServer = AppServer.JOINED


ThreadMessage: TypeAlias = (
    CodexNotification
    | CodexServerRequest
    | CodexAgentHeard
    | CodexRequestResolved
    | CodexRequestRefused
    | CodexLagged
    | BridgeConnected
    | BridgeLost
)
"""A message to whoever is attached to a thread."""

WatcherMessage: TypeAlias = (
    BridgeConnected
    | BridgeLost
    | BridgeUnreachable
    | BridgeWarned
    | CodexNotification
    | CodexLagged
)
"""A message to whoever watches the connection; the last two only to those that want statuses."""

BridgeMessage: TypeAlias = (
    Call | Attach[Any] | Detach | Watch | AnswerRequest | CheckVersion | ReachWriter | ProbeHealth
)


def bridge_of(host: str) -> Address[BridgeMessage]:
    """Give the address of the bridge to the Codex of a host."""
    return Address(f"/bridges/{host}")


BRIDGE: Final = bridge_of(LOCAL)
