"""The confinement of a session: what it was let in with, in the words of Codex."""

from __future__ import annotations

from typing import Final

from command_center.actors.codex.confinement import Confinement, Reviewer, Sandbox
from command_center.actors.contracts.worktrees import FindBounds
from command_center.runtime import ActorRef
from command_center.store import Session

BOUNDS_SECONDS: Final = 120.0
"""Seconds that git may take to say where a session ends."""


async def confinement_of(session: Session, repositories: ActorRef[FindBounds]) -> Confinement:
    """Say what the session lets Codex do, with its folder as it is now.

    Raises what `repositories` raises where it cannot say: no session begins unconfined.
    """
    bounds = await repositories.ask(FindBounds(session.id), timeout=BOUNDS_SECONDS)
    return Confinement(
        cwd=session.cwd,
        sandbox=Sandbox(session.sandbox),
        allow_network=session.allow_network,
        writable=bounds.writable,
        projects=bounds.projects,
        obeyed=bounds.obeyed,
        trusts_project=bounds.trusted,
        stamp=bounds.stamp,
        reviewer=Reviewer.AUTO if bounds.reviewer == "auto" else Reviewer.USER,
        goals=session.goal is not None,
    )
