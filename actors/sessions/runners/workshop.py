"""The things that runners are made with, of whichever agent they are."""

from __future__ import annotations

from typing import Final, Protocol, TypeVar

import attrs

from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.worktrees import Bounds, FindBounds
from command_center.actors.sessions.prompts import Assignment, assignment_of
from command_center.runtime import ActorRef, Address
from command_center.store import Session

M = TypeVar("M")

BOUNDS_SECONDS: Final = 120.0
"""Seconds that git may take to say where a session ends."""


class Lookup(Protocol):
    """Finds the actor at an address."""

    def __call__(self, path: Address[M], /) -> ActorRef[M]:
        """Return its handle."""


@attrs.frozen(kw_only=True)
class Workshop:
    """The things that runners are made with.

    Attributes:
        hosts: where sessions work.
        lookup: finds an actor by its address.
        prompted: the sessions that have had the one process that works on them; it outlives the
            lives of their actors.
    """

    hosts: Hosts[CodexHost]
    lookup: Lookup
    prompted: set[int] = attrs.field(factory=set)

    async def assign(self, session: Session) -> Assignment:
        """Say what the agent is to be told, as things are now."""
        return await assignment_of(session, self.lookup(REPOSITORIES))

    async def bounds_of(self, session: Session) -> Bounds:
        """Find out where the session ends, with its folder as it is now.

        Raises what `/repositories` raises if it cannot say: no session begins unconfined.
        """
        ask = FindBounds(session.id)
        return await self.lookup(REPOSITORIES).ask(ask, timeout=BOUNDS_SECONDS)
