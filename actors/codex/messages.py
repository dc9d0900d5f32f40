"""The requests to the bridge to Codex, and the messages to those who attached to a thread.

The order of what is told about one thread is the order in which Codex told it. The answer to a
`Call` goes straight back to its asker and may overtake, or be overtaken by, what is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Never, TypeAlias, TypeVar

import attrs

from command_center.actors.contracts.bridges import (
    AnyBridgeMessage,
    BridgeConnected,
    BridgeLost,
    BridgeNews,
    bridge_of,
)
from command_center.runtime import ActorRef, Address, Request

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
    params: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """Not shown where the message is, since it may hold a key."""
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


@attrs.frozen(eq=False)
class LoadedThread:
    """A thread as it was left, idle, with Codex having it in memory.

    `settings` are all by which it was loaded and that no turn says anew, in a shape of whoever
    leaves it; `model` and `cwd` are those that Codex has answered.
    """

    settings: Mapping[str, Any] = attrs.field(repr=False)
    model: str | None
    cwd: str


@attrs.frozen
class Detach(Request[None]):
    """Stop routing this thread to `ref`; does nothing if another is attached.

    Codex tells no more of it, and so can unload it: whoever attaches next has to resume it. One
    that is left as `loaded` is kept for a while instead, for who asks to `Rejoin` it.
    """

    thread_id: str
    ref: ActorRef[Never]
    loaded: LoadedThread | None = None


@attrs.frozen
class NameConnection(Request[str]):
    """Answer with the name of the connection to Codex, empty while there is none.

    Each connection has another one. A new one is subscribed to no thread of those before.
    """


@attrs.frozen
class KeptLong:
    """The bridge's own: a thread was kept for as long as threads are."""

    thread_id: str
    loaded: LoadedThread


@attrs.frozen
class Rejoin(Request[LoadedThread | None], Generic[M]):
    """Attach to a thread that this connection has kept loaded, with the same settings.

    Nothing has happened in it since it was left, and it need not be resumed. Answered with None,
    and nobody is attached, where it is not kept so: it is left to be resumed then.
    """

    thread_id: str
    ref: ActorRef[M]
    settings: Mapping[str, Any] = attrs.field(repr=False)
    read: Callable[[ThreadMessage], M] = attrs.field(default=as_it_is, kw_only=True)


@attrs.frozen
class ReachWriter(Request[None]):
    """Be connected to the app-server that writes the thread, changing to it where that can be.

    Refused with `ThreadElsewhere` where another process of Codex writes it, `BridgeUnavailable`.
    """

    thread_id: str


@attrs.frozen
class AnswerRequest(Request[None]):
    """Answer an open request of Codex, with a result or else with an error's text.

    Answered when the bytes are written. Refused with `RequestGone` if the request isn't open on
    this connection any more, `BridgeUnavailable` if the connection is lost meanwhile.
    """

    request_id: str
    result: Mapping[str, Any] | None = None
    error: str | None = None


@attrs.frozen
class CodexNotification:
    """Codex told something about the thread, or (`thread_id` is empty) of what is no thread's.

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

    `request_id` is unique over all connections, and its own stands before its colon. After a
    reconnection Codex asks again under another id: match what was asked before by thread, turn and
    item. What one connection asks under two ids are two questions. `thread_id` may be a thread
    that the attached one has started; it is asked of its parent's attachment.
    """

    thread_id: str
    request_id: str
    method: str
    params: dict[str, Any]


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

WatcherMessage: TypeAlias = BridgeNews | CodexNotification | CodexLagged
"""A message to whoever watches the connection; the last two where it named notifications."""

BridgeMessage: TypeAlias = (
    AnyBridgeMessage
    | Call
    | Attach[Any]
    | Detach
    | Rejoin[Any]
    | NameConnection
    | KeptLong
    | AnswerRequest
    | ReachWriter
)
"""The messages that the bridge to Codex takes."""


def codex_on(host: str) -> Address[BridgeMessage]:
    """Give the address of the bridge to the Codex of a host."""
    return Address(bridge_of(host))
