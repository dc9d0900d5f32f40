"""The inbox of an actor that is attached to a thread: what it is to be told, in order, bounded.

While the actor is busy, what can be joined is joined without loss: texts that grow the same item,
and values of which only the newest counts. When an inbox is full all the same, its notifications
are dropped and the actor is told how many, so that it can read the thread's turns again; requests
are never dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, Never, TypeVar

import attrs
import trio

from command_center.actors.codex.messages import (
    CodexLagged,
    CodexNotification,
    CodexServerRequest,
    ThreadMessage,
    WatcherMessage,
)
from command_center.runtime import ActorRef

Told = TypeVar("Told", ThreadMessage, WatcherMessage)

MAX_QUEUED: Final = 2000
"""Messages that may wait for one attached actor."""

MAX_QUEUED_BYTES: Final = 32 * 1024 * 1024
"""Bytes, as Codex sent them, that may wait for one attached actor."""

STATUS: Final = "thread/status/changed"

NEWEST_COUNTS: Final = frozenset(
    {"turn/diff/updated", "turn/plan/updated", "thread/tokenUsage/updated", STATUS}
)
"""The notifications of which a newer one says all that an older one said."""

GROWS: Final = frozenset(
    {
        "item/agentMessage/delta",
        "item/commandExecution/outputDelta",
        "item/plan/delta",
        "item/reasoning/summaryTextDelta",
        "item/reasoning/textDelta",
    }
)
"""The notifications that add to the text of an item."""


@attrs.define(eq=False)
class _Entry(Generic[Told]):
    message: Told
    size: int = 0
    pieces: list[str] | None = None


class Inbox(Generic[Told]):
    """The messages that wait to be told to one attached actor."""

    def __init__(
        self, thread_id: str, ref: ActorRef[Never], tell: Callable[[Told], Awaitable[None]]
    ) -> None:
        """Begin empty; `tell` tells the actor `ref` one message, once there is room for it."""
        self.thread_id = thread_id
        self.ref = ref
        self.hand_on: Callable[[Told], Awaitable[None]] = tell
        self.told: set[str] = set()
        """Ids of the open requests that this attachment was told of."""
        self.dropped = 0
        self._entries: deque[_Entry[Told]] = deque()
        self._bytes = 0
        self._lag: _Entry[Told] | None = None
        self._wake = trio.Event()
        self._leaving: Told | None = None

    def __len__(self) -> int:
        """Return how many messages wait."""
        return len(self._entries)

    def tell(self, message: Told) -> None:
        """Queue what must not be lost; its number is bounded by who calls."""
        self._append(_Entry(message))

    def tell_if_room(self, message: Told) -> None:
        """Queue what may be left out when too much waits."""
        if len(self._entries) < MAX_QUEUED:
            self._append(_Entry(message))

    def tell_if_empty(self, message: Told) -> None:
        """Queue what says no more than anything else that waits would."""
        if not self._entries:
            self._append(_Entry(message))

    def notify(self, notification: CodexNotification, size: int) -> None:
        """Queue a notification, joined to the one before it where nothing is lost by that."""
        last = self._entries[-1] if self._entries else None
        if last is not None and self._joined(last, notification, size):
            return
        if len(self._entries) >= MAX_QUEUED or self._bytes + size > MAX_QUEUED_BYTES:
            self._drop_notifications()
        self._append(_Entry(notification, size))

    def forget_requests(self) -> None:
        """Take back the requests that wait, to be told anew."""
        self.told.clear()
        kept = (e for e in self._entries if not isinstance(e.message, CodexServerRequest))
        self._entries = deque(kept)

    async def pump(self) -> None:
        """Tell the actor what waits, in order, each message once it has room for it."""
        while True:
            await self.hand_on(await self.first())
            self.sent()

    async def first(self) -> Told:
        """Return the message that is next, when there is one; the same until it is `sent`."""
        while self._leaving is None:
            if self._entries:
                self._leaving = self._take()
            else:
                if self._wake.is_set():
                    self._wake = trio.Event()
                await self._wake.wait()
        return self._leaving

    def sent(self) -> None:
        """Go on to the next: the first message has reached the actor."""
        self._leaving = None

    def _take(self) -> Told:
        entry = self._entries.popleft()
        self._bytes -= entry.size
        if entry is self._lag:
            self._lag = None
        message = entry.message
        if entry.pieces is not None and isinstance(message, CodexNotification):
            params = {**message.params, "delta": "".join(entry.pieces)}
            return attrs.evolve(message, params=params)
        return message

    def _append(self, entry: _Entry[Told]) -> None:
        self._entries.append(entry)
        self._bytes += entry.size
        self._wake.set()

    def _joined(self, last: _Entry[Told], notification: CodexNotification, size: int) -> bool:
        before = last.message
        if not isinstance(before, CodexNotification) or before.method != notification.method:
            return False
        if before.thread_id != notification.thread_id:
            return False
        if notification.method in NEWEST_COUNTS:
            self._bytes += size - last.size
            last.message, last.size = notification, size
            return True
        same = all(
            before.params.get(key) == notification.params.get(key)
            for key in ("turnId", "itemId", "summaryIndex", "contentIndex")
        )
        first, more = before.params.get("delta"), notification.params.get("delta")
        if not (
            notification.method in GROWS
            and same
            and isinstance(first, str)
            and isinstance(more, str)
            and self._bytes + size <= MAX_QUEUED_BYTES
        ):
            return False
        if last.pieces is None:
            last.pieces = [first]
        last.pieces.append(more)
        last.size += size
        self._bytes += size
        return True

    def _drop_notifications(self) -> None:
        kept = [e for e in self._entries if not isinstance(e.message, CodexNotification)]
        dropped = len(self._entries) - len(kept)
        self.dropped += dropped
        if self._lag is None:
            self._lag = _Entry(CodexLagged(self.thread_id, 0))
            kept.insert(0, self._lag)
        if isinstance(self._lag.message, CodexLagged):
            total = self._lag.message.dropped + dropped
            self._lag.message = CodexLagged(self.thread_id, total)
        self._entries = deque(kept)
        self._bytes = sum(entry.size for entry in kept)
