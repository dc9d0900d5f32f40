"""Events of the clock, of Codex's connection, of actors, of Telegram's chats and of the inbox."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from command_center.actors.contracts.bridges import (
    AppServer,
)
from command_center.store import EventData
from command_center.store.records import InboxKind


class ClockMoved(EventData, frozen=True, kw_only=True, tag="clock.jumped"):
    """The machine slept, or its clock was set.

    `seconds` is how far the wall clock moved beyond the time that passed.
    """

    seconds: float


class BridgeFound(EventData, frozen=True, kw_only=True, tag="bridge.connected"):
    """The connection to Codex began; `appServer` is `joined`, `detached` or `spawned`.

    Events of version 0.1.0 do not say which.
    """

    transport: str
    server_version: str | None
    process_id: int | None
    app_server: AppServer | UnsetType = UNSET


class BridgeGone(EventData, frozen=True, kw_only=True, tag="bridge.lost"):
    """It was lost, or left for a better app-server; `reason` says why.

    Attempts that fail after that are not events.
    """

    transport: str
    reason: str


class BridgeMissing(EventData, frozen=True, kw_only=True, tag="bridge.unavailable"):
    """There was none yet when the first attempt failed; `reason` says why.

    Told once, however many attempts fail after it, until `bridge.connected`.
    """

    transport: str
    reason: str


class BridgeWarning(EventData, frozen=True, kw_only=True, tag="bridge.warning"):
    """Codex warns of something that concerns no one session, such as its configuration; once.

    `kind` is the name of its notification.
    """

    transport: str
    kind: str
    message: str
    details: str | None = None


class BridgeUnknownMet(EventData, frozen=True, kw_only=True, tag="bridge.unknown"):
    """Codex told or asked something that is not known here.

    That is told once for each name in a life of the server.

    `kind` is `notification`, `item` or `request`, and `body` has its members as they came; of more
    than 10 000 bytes, the first as `cut`.
    """

    kind: str
    name: str
    body: dict[str, Any]


class ActorFailed(EventData, frozen=True, kw_only=True, tag="actor.crashed"):
    """An actor failed; the data has its path and the error."""

    path: str
    error: str | None
    start_failed: bool


class ActorStartedAgain(EventData, frozen=True, kw_only=True, tag="actor.restarted"):
    """It was started again, by its supervisor or by hand.

    By its supervisor, `restarts` and `delaySeconds` say how often and after how long; by hand,
    `status` is what it was before.
    """

    path: str
    reason: str | None
    restarts: int | UnsetType = UNSET
    delay_seconds: float | UnsetType = UNSET
    status: str | UnsetType = UNSET


class ActorQuarantined(EventData, frozen=True, kw_only=True, tag="actor.quarantined"):
    """It failed too often and was given up until it is restarted by hand."""

    path: str
    error: str | None


class ActorAbandoned(EventData, frozen=True, kw_only=True, tag="actor.abandoned"):
    """It did not end in its time, and nothing waits for it any more."""

    path: str
    waited_seconds: float


class ActorStalled(EventData, frozen=True, kw_only=True, tag="actor.stalled"):
    """It kept everything else waiting, by computing or blocking. `where` is innermost first."""

    path: str
    seconds: float
    where: tuple[str, ...]


class ActorSuspended(EventData, frozen=True, kw_only=True, tag="actor.suspended"):
    """Somebody suspended it. `status` is what it was before."""

    path: str
    reason: str
    status: str


class ActorResumed(EventData, frozen=True, kw_only=True, tag="actor.resumed"):
    """Somebody let it go on. `status` is what it was before."""

    path: str
    reason: str
    status: str


class ActorDrained(EventData, frozen=True, kw_only=True, tag="actor.drained"):
    """Somebody let it finish its messages and stop. `status` is what it was before."""

    path: str
    reason: str
    status: str


class ActorHalted(EventData, frozen=True, kw_only=True, tag="actor.stopped"):
    """Somebody stopped it. `status` is what it was before."""

    path: str
    reason: str
    status: str


class ChatMigrated(EventData, frozen=True, kw_only=True, tag="telegram.chat.migrated"):
    """A group became another chat of Telegram's."""

    chat_id: int
    migrated_to: int


class ChatUnreachable(EventData, frozen=True, kw_only=True, tag="telegram.chat.unreachable"):
    """Telegram says that the chat can no longer be written to."""

    chat_id: int
    why: str


class InboxMarked(EventData, frozen=True, kw_only=True, tag="inbox.marked"):
    """Things of one kind were dismissed from the inbox, or put off until a moment (`until`)."""

    kind: InboxKind
    ids: list[int]
    until: str | None
