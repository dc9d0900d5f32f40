"""The goal of a session's thread: given to it, changed, and told of as Codex has it.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
A Codex that knows no goals follows none.
"""

from __future__ import annotations

from typing import Any

import attrs
import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.pages import Ask
from command_center.actors.contracts.sessions import GoalChanges
from command_center.actors.contracts.turns import GoalTold
from command_center.actors.ledger.sessions import WANTED
from command_center.actors.rules.errors import Conflict
from command_center.actors.sessions.runner import SessionRef
from command_center.store import Session

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


@attrs.frozen
class ThreadGoal:
    """The goal of one session's thread."""

    _ref: SessionRef
    _ask: Ask

    async def give(self, session: Session, thread_id: str) -> None:
        """Give the thread the goal that its session wants; tell the goal that it has."""
        if session.goal is None:
            return
        if session.goal["status"] != WANTED:
            await self._ref.tell(GoalTold(goal=await read_goal(self._ask, thread_id), given=True))
            return
        try:
            answer = await self._ask(
                requests.goal_set(
                    thread_id,
                    objective=session.goal["objective"],
                    status="active",
                    token_budget=session.goal["tokenBudget"],
                )
            )
        except CodexError as error:
            log.warning("session.goal.refused", session=session.id, reason=str(error))
            await self._ref.tell(GoalTold(goal=None, given=True))
        else:
            await self._ref.tell(GoalTold(goal=dict(answer["goal"]), given=True))

    async def change(self, session: Session, changes: GoalChanges | None) -> None:
        """Change the goal, or take it away where there are no `changes`.

        Raises:
            Conflict: Codex refuses.
        """
        thread_id = str(session.codex_thread_id)
        try:
            if changes is None:
                await self._ask(requests.goal_clear(thread_id))
                await self._ref.tell(GoalTold(goal=None, given=True))
                return
            answer = await self._ask(
                requests.goal_set(
                    thread_id,
                    objective=changes.objective,
                    status=changes.status,
                    token_budget=changes.token_budget,
                )
            )
        except CodexError as error:
            raise Conflict(f"Codex refused to change the goal: {error}") from error
        await self._ref.tell(GoalTold(goal=dict(answer["goal"]), given=True))

    async def calm(self, session: Session, thread_id: str) -> None:
        """See that no turn begins with the thread: loaded with an active goal, it would go on."""
        if session.goal is None:
            return
        thread = (await self._ask(requests.thread_read(thread_id)))["thread"]
        is_loaded = (thread.get("status") or {}).get("type") != "notLoaded"
        if not is_loaded or session.codex_turn_id is None:
            await pause_goal(self._ask, thread_id)


async def read_goal(ask: Ask, thread_id: str) -> dict[str, Any] | None:
    """Return the thread's goal as Codex has it, or None where there is none."""
    try:
        goal = (await ask(requests.goal_get(thread_id)))["goal"]
    except CodexError as error:
        log.info("goal.unknown", thread=thread_id, reason=str(error))
        return None
    return None if goal is None else dict(goal)


async def pause_goal(ask: Ask, thread_id: str) -> bool:
    """Have Codex begin no further turn for the thread's goal; return whether it would have."""
    goal = await read_goal(ask, thread_id)
    if goal is None or goal.get("status") != "active":
        return False
    await ask(requests.goal_set(thread_id, status="paused"))
    return True
