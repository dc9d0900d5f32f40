"""The runner of a session whose own one, or whose host, is not here any more.

A session is accepted with a runner and keeps it, and its host. Where the server now runs without
one of them, because it was set otherwise or Codex is not found, the session has to end rather than
hold its slot.
"""

from __future__ import annotations

from typing import NoReturn

from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import LaunchFailed, RunnerReport, TurnLost
from command_center.actors.contracts.worktrees import SetUpScript
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runner import PlainRunner
from command_center.runtime import ActorRef
from command_center.store import Session


class UnavailableRunner(PlainRunner):
    """Says of everything that it cannot be done here."""

    begins_once = True
    survives_restart = True
    """An app-server that is shared goes on without us."""

    def __init__(self, ref: ActorRef[RunnerReport], name: str, reason: str) -> None:
        """Stand for the runner `name`; report to the actor `ref` why it is not here."""
        self.name = name
        self._ref = ref
        self._reason = reason

    async def set_up(self, session: Session, script: SetUpScript, *, seconds: float) -> str | None:
        """Return why it cannot be done."""
        del session, script, seconds
        return self._reason

    async def launch(self, session: Session) -> None:  # noqa: ARG002 - all are the same
        """Report that it cannot begin."""
        await self._ref.tell(LaunchFailed(reason=self._reason))

    def cancel_start(self) -> bool:
        """Return True: nothing begins here."""
        return True

    async def recover(self, session: Session) -> None:  # noqa: ARG002 - all are the same
        """Report that the turn is lost to us, though perhaps not to Codex."""
        await self._ref.tell(TurnLost(reason=self._reason, leaves_turn=True))

    async def interrupt(self, session: Session) -> None:
        """Report the same."""
        await self.recover(session)

    def check_steerable(self, session: Session) -> NoReturn:  # noqa: ARG002 - all are the same
        """Refuse, for a reason of its own."""
        raise Conflict(self._reason, runner=self.name)

    async def change_goal(self, session: Session, changes: GoalChanges | None) -> None:  # noqa: ARG002 - always refused
        """Refuse for the same reason."""
        self.check_steerable(session)

    def reference(self, thread_id: str | None, turn_id: str | None) -> str:
        """Return it as its runner would have it."""
        return ":".join([self.name, *(part for part in (thread_id, turn_id) if part)])
