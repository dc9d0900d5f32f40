"""The things that runners are made with, of whichever agent they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import attrs

from command_center.actors.codex.ports import CodexHost
from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.hosts import Hosts
from command_center.actors.contracts.worktrees import Bounds, FindBounds
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.prompts import Assignment, assignment_of, with_attachments
from command_center.runtime import ActorRef, Address
from command_center.store import Session
from command_center.store.records import LOCAL

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
        uploads: the folder of what people have sent, on this machine.
        prompted: the sessions that have had the one process that works on them; it outlives the
            lives of their actors.
    """

    hosts: Hosts[CodexHost]
    lookup: Lookup
    uploads: Path
    prompted: set[int] = attrs.field(factory=set)

    async def assign(self, session: Session) -> Assignment:
        """Say what the agent is to be told and shown, as things are now."""
        assigned = await assignment_of(session, self.lookup(REPOSITORIES))
        shown = self.attach(session, assigned.prompt, session.attachments)
        return attrs.evolve(shown, output_schema=assigned.output_schema)

    def attach(
        self, session: Session, text: str, attachments: Sequence[Mapping[str, Any]], /
    ) -> Assignment:
        """Put together what is said in a session, and the uploads that go with it.

        Raises:
            Conflict: it works on another machine, where they are not.
        """
        if attachments and session.host != LOCAL:
            raise Conflict(
                f"Attachments are kept on this machine, and session {session.id} works on "
                f"{session.host}.",
                host=session.host,
            )
        return with_attachments(text, attachments, self.uploads)

    async def bounds_of(self, session: Session) -> Bounds:
        """Find out where the session ends, with its folder as it is now.

        Raises what `/repositories` raises if it cannot say: no session begins unconfined.
        """
        ask = FindBounds(session.id)
        return await self.lookup(REPOSITORIES).ask(ask, timeout=BOUNDS_SECONDS)
