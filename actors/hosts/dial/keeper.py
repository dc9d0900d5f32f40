"""`/hosts/NAME/link`: takes the connection of a host that dials out, and tells of it as events.

One connection counts at a time, the newest of the life that was let in last. So a host that has
lost its connection unnoticed is back as soon as it has another, and of two programs with one key
the one that was started last has the host.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Final

import structlog
import trio

from command_center.actors.contracts.events.hosts import HostAway, HostConnected, HostRefused
from command_center.actors.contracts.host_links import AdmitLife, EndLink, HoldLink
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.standing import FIRST_SECONDS, Standing
from command_center.actors.ledger import hosts as ledger
from command_center.actors.rules.errors import Conflict
from command_center.runtime import Actor, Deferred, handles
from command_center.store import EventData, Transaction
from command_center.store.host_life import HostLife

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

REFUSED_SECONDS: Final = 3600.0
"""Seconds after which the same refusal is told once more."""

MOST_LINKS: Final = 30
LINKS_SECONDS: Final = 600.0
"""So many links of a host may begin in so many seconds: each is told as two events."""

_ANEW: Final = "The host has connected anew."


class DialLink(Actor):
    """Holds one link at a time; what is asked of the host meanwhile is refused at once."""

    def __init__(self, storage: Storage, standing: Standing) -> None:
        """Say in `standing` how the link stands."""
        self._storage = storage
        self._standing = standing
        self._links = 0
        self._begun: deque[float] = deque()
        self._admitted: HostLife | None = None
        self._held = trio.Lock()
        self._holding: trio.CancelScope | None = None
        self._newest: HoldLink | None = None
        self._why = ""
        self._is_told_away = False
        self._refused = ("", -math.inf)

    async def on_start(self) -> None:
        """Wait for the host, without waiting for it here."""
        self.ctx.start_task(self._await_first)

    async def on_stop(self) -> None:
        """Leave no link behind."""
        self._standing.lost("Its link was restarted.")

    def describe(self) -> Mapping[str, object]:
        """Show whether there is a link, and why not."""
        is_up = self._standing.link is not None
        return {"connected": is_up, "links": self._links} | (
            {} if is_up else {"reason": self._standing.reason}
        )

    @handles(AdmitLife)
    def admit(self, message: AdmitLife) -> Deferred[None]:
        """Answer once the life is committed as the last one."""
        return self.ctx.answer_later(self._admit, message)

    @handles(HoldLink)
    def hold(self, message: HoldLink) -> Deferred[str]:
        """Answer with the reason when the link is over."""
        return self.ctx.answer_later(self._hold, message)

    @handles(EndLink)
    def end(self, message: EndLink) -> None:
        """End the link that is up."""
        self._admitted = None
        self._end(message.reason)

    async def _admit(self, message: AdmitLife) -> None:
        try:
            await self._storage.write(
                partial(ledger.admit_life, key_hash=message.key_hash, life=message.life)
            )
        except Conflict as refused:
            await self._tell_refused(str(refused))
            raise
        self._admitted = message.life

    async def _hold(self, message: HoldLink) -> str:
        if message.life != self._admitted:
            return "Another start of the host's program was let in meanwhile."
        self._newest = message
        self._end(_ANEW)
        await self._pace()
        async with self._held:
            if self._newest is not message:
                return _ANEW
            self._begun.append(self.ctx.now())
            with trio.CancelScope() as self._holding:
                reason = await self._carry(message.stream)
            if self._holding.cancelled_caught:
                reason = self._why
            self._holding = None
            self._standing.lost(reason)
        if self._newest is message:  # else another connection takes its place
            await self._tell_away(reason)
        return reason

    async def _pace(self) -> None:
        """Let a host that connects again and again wait, so that it fills no log."""
        while self._begun and self._begun[0] + LINKS_SECONDS <= self.ctx.now():
            self._begun.popleft()
        if len(self._begun) >= MOST_LINKS:
            wait = self._begun[0] + LINKS_SECONDS - self.ctx.now()
            reason = f"It connects too often. It is let in again in {math.ceil(wait)} s."
            self._standing.lost(reason)
            await self._tell_away(reason)
            await trio.sleep(wait)

    async def _carry(self, stream: trio.abc.Stream) -> str:
        """Carry one link until it is over; answer why."""
        link = Channels(stream, stream)
        reason = ""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._greet, link)
                try:
                    await link.run()
                except LinkEnded as ended:
                    reason = ended.reason
        finally:
            self._standing.lost("Its link was lost.")
        return reason

    async def _greet(self, link: Channels) -> None:
        """Use a link once the other end has said that it is there."""
        with contextlib.suppress(LinkEnded):
            await link.until_greeted()
            self._links += 1
            self._standing.connected(link)
            self._is_told_away = False
            await self._tell(HostConnected(name=self._standing.name))

    async def _await_first(self) -> None:
        """Tell what waits for the host after a start that it is away, once it had its time."""
        await trio.sleep(FIRST_SECONDS)
        if self._links == 0 and self._holding is None:
            self._standing.lost(self._standing.reason)

    def _end(self, why: str) -> None:
        if self._holding is not None:
            self._why = why
            self._holding.cancel()

    async def _tell_away(self, reason: str) -> None:
        if self._standing.link is None and not self._is_told_away:
            self._is_told_away = True
            log.warning("host.away", host=self._standing.name, reason=reason)
            await self._tell(HostAway(name=self._standing.name, reason=reason))

    async def _tell_refused(self, reason: str) -> None:
        before, at = self._refused
        if reason != before or self.ctx.now() - at >= REFUSED_SECONDS:
            self._refused = (reason, self.ctx.now())
            log.warning("host.refused", host=self._standing.name, reason=reason)
            await self._tell(HostRefused(name=self._standing.name, reason=reason))

    async def _tell(self, event: EventData) -> None:
        def record(tx: Transaction) -> None:
            tx.emit(event, actor=self.ctx.path)
            if self._standing.seen_at is not None:
                ledger.keep_seen(tx, self._standing.name, self._standing.seen_at)

        await self._storage.write(record)
