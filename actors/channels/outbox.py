"""Sends what a channel has written, at least once and in order for each recipient.

A message is in the store before anything is sent, and marked as sent after the other side has it.
If the answer is lost in between, it is sent again: a message may come twice, but none is missing.

Each recipient has a task of its own, so one that is slow, limited or gone holds up no other. A task
sends the recipient's oldest waiting message, no sooner than the channel's pace allows. Where it
fails for a reason that passes, the message waits in the store, and what comes after it waits too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic

import msgspec
import trio

from command_center.actors.channels.ports import Carrier, L
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor, ActorRef, Address, MailboxFull, handles
from command_center.store.timestamps import from_timestamp

LOOK_SECONDS: Final = 30.0
"""Seconds after which the store is looked at without being told to."""

LONGEST_WAIT: Final = 3600.0
"""The most seconds slept at once, so that a clock that was set back is noticed."""

CLOSE_SECONDS: Final = 2.0
"""Seconds that closing the connections may take."""


class MessagesPosted(msgspec.Struct, frozen=True):
    """Something was committed for the outbox."""


class Outbox(Actor, Generic[L]):
    """Sends messages. Nobody waits for it."""

    def __init__(self, make_carrier: Callable[[], Carrier[L]], storage: Storage) -> None:
        """Send what `storage` holds, by a carrier that is made anew for each life."""
        self._make_carrier = make_carrier
        self._storage = storage
        self._news = trio.Event()
        self._serving: set[int] = set()
        self._sent = 0
        self._failed = 0
        self._last_error: str | None = None

    async def on_start(self) -> None:
        """Go on where a former life stopped."""
        self._carrier = self._make_carrier()
        self.ctx.start_task(self._dispatch)  # the store may be down, and is not waited for

    async def on_stop(self) -> None:
        """Close the connections; what was not sent waits."""
        with trio.move_on_after(CLOSE_SECONDS):
            await self._carrier.aclose()

    def describe(self) -> Mapping[str, object]:
        """Show what was sent in this life, and what went wrong last."""
        return {
            "sent": self._sent,
            "failed": self._failed,
            "recipientsBusy": len(self._serving),
            "lastError": self._last_error,
        }

    @handles(MessagesPosted)
    async def posted(self, _message: MessagesPosted) -> None:
        """Look now."""
        self._news.set()

    async def _dispatch(self) -> None:
        """See that each recipient for whom something waits has a task."""
        await self._storage.write(self._carrier.forget_old)
        while True:
            self._news = trio.Event()
            for recipient in await self._storage.read(self._carrier.recipients):
                if recipient not in self._serving:
                    self._serving.add(recipient)
                    self.ctx.start_task(self._serve, recipient)
            with trio.move_on_after(LOOK_SECONDS):
                await self._news.wait()

    async def _serve(self, recipient: int) -> None:
        """Send a recipient's messages until none waits."""
        try:
            while True:
                message = await self._storage.read(lambda db: self._carrier.next(db, recipient))
                if message is None:
                    return
                if message.not_before is not None:
                    left = from_timestamp(message.not_before) - datetime.now(UTC)
                    if left > timedelta(0):
                        with trio.move_on_after(min(left.total_seconds(), LONGEST_WAIT)):
                            await self._news.wait()  # it may have been told to hurry
                        continue
                await self._carrier.pace(recipient)
                await self._deliver(message)
        finally:
            # A message that was posted since the last look is found by another one.
            self._serving.discard(recipient)
            self._news.set()

    async def _deliver(self, message: L) -> None:
        outcome = await self._carrier.deliver(message)
        self._sent += int(outcome.is_sent)
        self._failed += int(outcome.is_failed)
        self._last_error = outcome.problem
        await self._storage.write(outcome.write)


def wake(find: Callable[[str], ActorRef[Any] | None], address: Address[MessagesPosted]) -> None:
    """Tell the outbox at `address` that something was posted; if it is gone, it looks itself."""
    ref: ActorRef[MessagesPosted] | None = find(address)
    if ref is not None:
        with contextlib.suppress(MailboxFull):
            ref.try_tell(MessagesPosted())
