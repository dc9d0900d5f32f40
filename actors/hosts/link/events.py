"""The events of a link: that its host is there, is away, or refuses; each told once."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.contracts.addresses import SLOTS
from command_center.actors.contracts.events.hosts import HostAway, HostConnected, HostRefused
from command_center.actors.contracts.sessions import SlotsChanged
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.channels import Channels
from command_center.actors.hosts.link.standing import Standing
from command_center.actors.ledger.hosts import keep_seen
from command_center.runtime import Context, MailboxFull
from command_center.store import EventData, Transaction, orphaned_turns

MISREAD_SECONDS: Final = 3600.0
"""Seconds after which it is told again that an answer of a host made no sense."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@attrs.define
class LinkEvents:
    """Say in the standing how a link stands, and tell as events when that changes.

    Attributes:
        storage: where the events are kept.
        standing: the standing of the link.
        ctx: the context of the actor that keeps the link.
    """

    storage: Storage
    standing: Standing
    ctx: Context
    _told: type[HostAway | HostRefused] | None = None

    async def connected(self, link: Channels) -> None:
        """Take note of a link, and tell of it.

        Turns there that were abandoned are waited for again before anything can begin there.
        """
        await self.storage.write(partial(orphaned_turns.wait_again, host=self.standing.name))
        self.standing.connected(link)
        self._told = None
        await self.tell(HostConnected(name=self.standing.name))

    async def lost(self, reason: str, *, is_refused: bool = False) -> None:
        """Take note that there is none; tell once that it is away, and once that it refuses."""
        self.standing.lost(reason, is_refused=is_refused)
        if self._told is None or (is_refused and self._told is not HostRefused):
            self._told = HostRefused if is_refused else HostAway
            name = self.standing.name
            log.warning("host.away", host=name, reason=reason, refused=is_refused)
            await self.tell(self._told(name=name, reason=reason))

    async def tell_misread(self) -> None:
        """Tell of answers that made no sense, once an hour at most."""
        while True:
            reason = await self.standing.until_misread()
            await self.tell(HostRefused(name=self.standing.name, reason=reason))
            await trio.sleep(MISREAD_SECONDS)

    async def tell(self, event: EventData) -> None:
        """Tell of something, also those who wait for the host, and keep when it was seen last."""

        def record(tx: Transaction) -> None:
            tx.emit(event, actor=self.ctx.path)
            if self.standing.seen_at is not None:
                keep_seen(tx, self.standing.name, self.standing.seen_at)

        await self.storage.write(record)
        slots = self.ctx.find(SLOTS)
        if slots is not None:
            with contextlib.suppress(MailboxFull):
                slots.try_tell(SlotsChanged())
