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

from command_center.actors.contracts.events.hosts import HostRefused
from command_center.actors.contracts.host_links import AdmitLife, EndLink, HoldLink
from command_center.actors.core.storage import Storage
from command_center.actors.hosts.link.channels import Channels, LinkEnded
from command_center.actors.hosts.link.events import LinkEvents
from command_center.actors.hosts.link.standing import FIRST_SECONDS, Standing
from command_center.actors.ledger import hosts as ledger
from command_center.actors.rules.errors import Conflict, TooBusy
from command_center.runtime import Actor, Deferred, handles
from command_center.store.host_life import HostLife

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

REFUSED_SECONDS: Final = 3600.0
"""Seconds after which the same refusal is told once more."""

MOST_LINKS: Final = 30
LINKS_SECONDS: Final = 600.0
"""So many links of a host may begin in so many seconds: each is told as two events.

So many starts of its program may be let in, too: each is kept.
"""

_ANEW: Final = "The host has connected anew."


class DialLink(Actor):
    """Holds one link at a time; what is asked of the host meanwhile is refused at once."""

    def __init__(self, storage: Storage, standing: Standing) -> None:
        """Say in `standing` how the link stands."""
        self._storage = storage
        self._standing = standing
        self._links = 0
        self._begun: deque[float] = deque()
        self._let_in: deque[float] = deque()
        self._admitted: HostLife | None = None
        self._held = trio.Lock()
        self._holding: trio.CancelScope | None = None
        self._newest: HoldLink | None = None
        self._waiting = trio.CancelScope()
        self._why = ""
        self._events: LinkEvents
        self._refused_at: dict[str, float] = {}

    async def on_start(self) -> None:
        """Wait for the host, without waiting for it here."""
        self._events = LinkEvents(self._storage, self._standing, self.ctx)
        self.ctx.start_task(self._await_first)
        self.ctx.start_task(self._events.tell_misread)

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
        wait = self._wait_of(self._let_in)
        if message.life != self._admitted and wait > 0:
            raise TooBusy(
                f"The host's program starts too often. It is let in again in {math.ceil(wait)} s.",
                retry_after=wait,
            )
        try:
            await self._storage.write(
                partial(ledger.admit_life, key_hash=message.key_hash, life=message.life)
            )
        except Conflict as refused:
            await self._tell_refused(refused)
            raise
        if message.life != self._admitted:
            self._let_in.append(self.ctx.now())
        self._admitted = message.life

    async def _hold(self, message: HoldLink) -> str:
        if message.life != self._admitted:
            return "Another start of the host's program was let in meanwhile."
        self._newest = message
        self._end(_ANEW)
        self._waiting.cancel()
        with trio.CancelScope() as self._waiting:  # one waits at most: the newest
            await self._pace()
        async with self._held:
            if self._newest is not message:
                return _ANEW
            self._begun.append(self.ctx.now())
            ended = LinkEnded("")
            with trio.CancelScope() as self._holding:
                ended = await self._carry(message.stream)
            if self._holding.cancelled_caught:
                ended = LinkEnded(self._why)
            self._holding = None
            self._standing.lost(ended.reason, is_refused=ended.is_lasting)
        if self._newest is message:  # else another connection takes its place
            await self._events.lost(ended.reason, is_refused=ended.is_lasting)
        return ended.reason

    async def _pace(self) -> None:
        """Let a host that connects again and again wait, so that it fills no log."""
        wait = self._wait_of(self._begun)
        if wait > 0:
            reason = f"It connects too often. It is let in again in {math.ceil(wait)} s."
            await self._events.lost(reason)
            await trio.sleep(wait)

    def _wait_of(self, moments: deque[float]) -> float:
        """Return the seconds until one more is allowed after these; 0 if it is now."""
        while moments and moments[0] + LINKS_SECONDS <= self.ctx.now():
            moments.popleft()
        if len(moments) < MOST_LINKS:
            return 0.0
        return moments[0] + LINKS_SECONDS - self.ctx.now()

    async def _carry(self, stream: trio.abc.Stream) -> LinkEnded:
        """Carry one link until it is over; answer why."""
        link = Channels(stream, stream)
        over = LinkEnded("")
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._greet, link)
                try:
                    await link.run()
                except LinkEnded as ended:
                    over = ended
        finally:
            self._standing.lost("Its link was lost.")
        return over

    async def _greet(self, link: Channels) -> None:
        """Use a link once the other end has said that it is there."""
        with contextlib.suppress(LinkEnded):
            await link.until_greeted()
            self._links += 1
            await self._events.connected(link)

    async def _await_first(self) -> None:
        """Tell what waits for the host after a start that it is away, once it had its time."""
        await trio.sleep(FIRST_SECONDS)
        if self._links == 0 and self._holding is None:
            self._standing.lost(self._standing.reason)

    def _end(self, why: str) -> None:
        if self._holding is not None:
            self._why = why
            self._holding.cancel()

    async def _tell_refused(self, refused: Conflict) -> None:
        """Tell once an hour of each kind of refusal, whatever numbers the program says."""
        kind, now = str(refused.facts.get("outcome")), self.ctx.now()
        if now - self._refused_at.get(kind, -math.inf) >= REFUSED_SECONDS:
            self._refused_at[kind] = now
            log.warning("host.refused", host=self._standing.name, reason=str(refused))
            await self._events.tell(HostRefused(name=self._standing.name, reason=str(refused)))
