"""The standing of the link to a host: up, or away with a reason."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from command_center.actors.hosts.link.calling import Away
from command_center.actors.hosts.link.channels import Channels
from command_center.store.timestamps import Timestamp, now_timestamp

FIRST_SECONDS: Final = 10.0
"""Seconds in which what needs the host waits for the first attempt, as just after the start."""


@attrs.define(eq=False)
class Standing:
    """The link to one host, as whoever keeps it up says, and as its parts ask.

    Attributes:
        name: the host's.
        reason: why there is no link, in a sentence.
        link: the one that is up now.
        is_refused: nothing changes until a person does something.
        next_try_at: when it is reached for again; None if there is a link, or it is tried now.
        seen_at: when there was a link last; None if there was none in this life.
    """

    name: str
    reason: str = "It was not reached yet."
    link: Channels | None = None
    is_refused: bool = False
    next_try_at: Timestamp | None = None
    seen_at: Timestamp | None = None
    _tried: trio.Event = attrs.field(factory=trio.Event)
    _misread: str = ""
    _is_misread: trio.Event = attrs.field(factory=trio.Event)

    async def get(self) -> Channels:
        """Return the link; wait for the first attempt, for some seconds, but for no later one.

        Raises:
            Away: there is none.
        """
        if self.link is None:
            with trio.move_on_after(FIRST_SECONDS):
                await self._tried.wait()
        if self.link is None:
            raise self.away(self.reason)
        return self.link

    @property
    def absence(self) -> str | None:
        """Return the reason why there is no link; None if there is one."""
        return self.reason if self.link is None else None

    def away(self, reason: str) -> Away:
        """Return what to raise where there is no link, or it ends with something in hand."""
        return Away(f"Host {self.name} is away: {reason}")

    def misread(self, reason: str) -> None:
        """Have it told that an answer of the host made no sense."""
        self._misread = reason
        self._is_misread.set()

    async def until_misread(self) -> str:
        """Return the reason once an answer made no sense; each is returned once, the last alone."""
        await self._is_misread.wait()
        self._is_misread = trio.Event()
        return self._misread

    def connected(self, link: Channels) -> None:
        """Take note of a link."""
        self.link = link
        self.is_refused = False
        self.next_try_at = None
        self.seen_at = now_timestamp()
        self._tried.set()

    def lost(self, reason: str, *, is_refused: bool = False) -> None:
        """Take note that there is none; refused if that stays so until a person does something."""
        if self.link is not None:
            self.seen_at = now_timestamp()
        self.link = None
        self.is_refused = is_refused
        self.reason = reason
        self._tried.set()
