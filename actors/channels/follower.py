"""Follows the event log for a channel, and hands it each notice once.

It keeps a durable place in the log. The messages that an event leads to, and the new place, are one
transaction: after a crash it goes on behind the last event that was told, and nothing that happened
while it was down is missed. The first time ever it begins at the log's end, and tells what is
pending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import trio
from sqlite_utils import Database

from command_center.actors.channels.notices import WANTED, ApprovalAsked, notice_of
from command_center.actors.channels.ports import Channel
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.runtime import Actor
from command_center.store import StoredEvent, Transaction, approvals, channel_marks, events

PAGE: Final = 100
"""Events told in one transaction, at most."""

STRIDE: Final = 1000
"""Events without a notice after which the place is kept all the same."""

LOOK_SECONDS: Final = 30.0
"""Seconds after which the log is looked at without a reason."""


class Follower(Actor):
    """Follows the event log."""

    def __init__(self, channel: Channel, storage: Storage, fanout: Fanout) -> None:
        """Tell `channel`; `fanout` says when there is something new."""
        self._channel = channel
        self._storage = storage
        self._fanout = fanout
        self._position = 0
        self._kept = 0

    async def on_start(self) -> None:
        """Go on behind what was told; the store may be down, and is not waited for."""
        self.ctx.start_task(self._follow)

    def describe(self) -> Mapping[str, object]:
        """Show how far the log was told."""
        return {"position": self._position}

    async def _follow(self) -> None:
        """Catch up, wait for news, and so on. A subscription that ends is begun anew."""
        self._position = self._kept = await self._storage.write(self._begin)
        self._channel.wake(self.ctx.find)
        while True:
            with self._fanout.subscribe(WANTED) as news:
                while news.closed is None:
                    await self._catch_up()
                    with trio.move_on_after(LOOK_SECONDS):
                        await news.drain()
                if news.closed == "shutdown":
                    return

    async def _catch_up(self) -> None:
        while True:
            found, end, is_all = await self._storage.read(self._page)
            if found or end - self._kept >= STRIDE:
                await self._storage.write(lambda tx: self._tell(tx, found, end))  # noqa: B023 - run at once
                self._kept = end
                self._channel.wake(self.ctx.find)
            self._position = end
            if is_all:
                return

    def _page(self, db: Database) -> tuple[list[StoredEvent], int, bool]:
        """Return the next events to tell, how far the log is told with them, and if it is all."""
        end = events.last_id(db)
        found, following = events.after(db, self._position, limit=PAGE, wanted=WANTED)
        if following is None:
            return found, max(end, self._position), True
        return found, following, False

    def _begin(self, tx: Transaction) -> int:
        """Return the place to go on from; the first time, tell what is pending."""
        self._channel.begin(tx)
        mark = channel_marks.find(tx.db, {"name": self._channel.mark})
        if mark is not None:
            return mark.value
        for approval in approvals.sound(tx.db, {"status": "pending"})[0]:
            self._channel.tell(tx, ApprovalAsked(approval))
        last = events.last_id(tx.db)
        return channel_marks.insert(tx, name=self._channel.mark, value=last).value

    def _tell(self, tx: Transaction, found: list[StoredEvent], end: int) -> None:
        """Write the messages that these events lead to, and move the place behind them."""
        for event in found:
            notice = notice_of(tx.db, event)
            if notice is not None:
                self._channel.tell(tx, notice)
        mark = channel_marks.find(tx.db, {"name": self._channel.mark})
        if mark is not None:
            channel_marks.update(tx, mark.id, value=end)
