"""The standing of the link to a host: up, or away with a reason."""

from __future__ import annotations

from typing import Final

import attrs
import trio

from command_center.actors.hosts.link.calling import Away
from command_center.actors.hosts.link.channels import Channels

FIRST_SECONDS: Final = 10.0
"""Seconds in which what needs the host waits for the first attempt, as just after the start."""


@attrs.define(eq=False)
class Standing:
    """The link to one host, as whoever keeps it up says, and as its parts ask.

    Attributes:
        name: the host's.
        reason: why there is no link, in a sentence.
        link: the one that is up now.
    """

    name: str
    reason: str = "It was not reached yet."
    link: Channels | None = None
    _tried: trio.Event = attrs.field(factory=trio.Event)

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

    def connected(self, link: Channels) -> None:
        """Take note of a link."""
        self.link = link
        self._tried.set()

    def lost(self, reason: str) -> None:
        """Take note that there is none."""
        self.link = None
        self.reason = reason
        self._tried.set()
