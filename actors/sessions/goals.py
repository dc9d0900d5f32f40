"""The goals of sessions: while one is active, the agent begins turn after turn by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from command_center.actors.contracts.events.sessions import GoalRequested
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import GoalTold, NoFurtherTurn
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import why_not_go_on
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.state import SessionState
from command_center.runtime import Context, Timer
from command_center.store import Session, sessions

NEXT_SECONDS: Final = 20.0
"""Seconds that Codex may take to begin the next turn for a goal."""

WHY: Final[Mapping[str, str]] = {
    "complete": "Its goal is reached.",
    "paused": "Its goal is paused.",
    "blocked": "Codex gave its goal up as blocked.",
    "budgetLimited": "Its goal has used its tokenBudget.",
    "usageLimited": "The account's usage limit stopped the work on its goal.",
}
"""The reason that a session ends whose goal has that status."""


@attrs.define
class Pursuit:
    """The goal of one session, for which it has turn after turn."""

    _ctx: Context
    _state: SessionState
    _runner: Runner
    _storage: Storage
    is_between: bool = attrs.field(default=False, init=False)
    """True while a turn has ended, and the next one is waited for."""
    _deadline: Timer | None = attrs.field(default=None, init=False)

    @property
    def goes_on(self) -> bool:
        """Return whether Codex is to begin another turn when one has ended."""
        goal = self._state.session.goal
        return goal is not None and goal["status"] in ledger.PURSUED

    @property
    def why(self) -> str | None:
        """Return why no further turn is waited for."""
        goal = self._state.session.goal
        return None if goal is None else WHY.get(goal["status"])

    async def keep(self, told: GoalTold) -> None:
        """Keep the goal as Codex has it."""
        session = self._state.session
        is_wanted = session.goal is not None and session.goal["status"] == ledger.WANTED
        if told.given or not is_wanted:
            await self._state.change(lambda tx: ledger.record_goal(tx, session.id, told.goal))

    async def request(self, changes: GoalChanges | None, actor: str) -> None:
        """Record that somebody wants the goal changed, or taken away.

        Raises:
            Conflict: the session pursues no goal.
        """
        session = self._state.session
        if session.goal is None or session.codex_turn_id is None:
            raise no_goal_now(session)
        request = GoalRequested(
            objective=None if changes is None else changes.objective,
            token_budget=None if changes is None else changes.token_budget,
            status=None if changes is None else changes.status,
            cleared=changes is None,
        )
        await self._state.tell(request, actor=actor)

    async def perform(self, changes: GoalChanges | None) -> Session:
        """Have Codex change the goal, or take it away; return the session as it is then."""
        await self._runner.change_goal(self._state.session, changes)
        return await self._storage.read(lambda db: sessions.get(db, self._state.id))

    async def wait_for_next(self) -> str | None:
        """Wait for the next turn; return why it may not be, where policy or a limit forbids it."""
        session = self._state.session
        self.is_between = True
        reason = await self._state.keep(lambda tx: why_not_go_on(tx, session.id))
        if reason is None:
            self._deadline = self._ctx.send_after(
                NEXT_SECONDS, NoFurtherTurn(session.codex_turn_id)
            )
        return reason

    async def begin_turn(self, turn_id: str) -> None:
        """Commit that the turn is the session's."""
        session = self._state.session
        reference = self._runner.reference(session.codex_thread_id, turn_id)
        await self._state.change(
            lambda tx: ledger.record_next_turn(tx, session.id, turn_id, codex_ref=reference)
        )
        self.is_between = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def no_goal_now(session: Session) -> Conflict:
    """Return the refusal to change the goal of a session that pursues none."""
    if session.goal is not None and session.finished_at is not None:
        return Conflict(
            f"Session {session.id} is {session.status} and has ended its goal. To go on, "
            f"prompt its thread with a goal: POST /api/codex/threads/"
            f'{session.codex_thread_id}/prompt with `"goal": {{}}`.',
            currentStatus=session.status,
        )
    return Conflict(
        f"Session {session.id} is {session.status} and has no goal that could be changed; "
        'a run has one that is asked for with `"goal": {}`.',
        currentStatus=session.status,
    )
