"""The news of the session's threads: read as facts by its runner, each handled as a message.

Of the session's own turn, the actor's handlers take the facts. What its sub-agents say and do is
the session's, too, and so is what they use.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from command_center.actors.contracts.turns import (
    GoalTold,
    HookAnswered,
    ItemSeen,
    ModelDecided,
    OutputDelta,
    PlanChanged,
    SettingsTold,
    ThreadIdle,
    ThreadNews,
    TurnEnded,
    TurnLoosened,
    TurnOpened,
    UsageChanged,
)
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.limits import Limits
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.stall_detector import StallDetector
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.transcript import Transcript
from command_center.actors.sessions.turn_driver import TurnDriver

SIGNS_OF_LIFE = (TurnOpened, ItemSeen, OutputDelta, PlanChanged, ModelDecided, HookAnswered)
"""The facts that Codex tells only while it works: no warnings, and nothing that it was asked."""


@attrs.frozen
class Hearing:
    """The ear of one session."""

    _state: SessionState
    _runner: Runner
    _transcript: Transcript
    _watch: StallDetector
    _driver: TurnDriver
    _agents: Agents
    _limits: Limits
    _handle: Callable[[object], Awaitable[None]]
    """Handles a fact as the message that it is."""

    async def hear(self, told: ThreadNews) -> None:
        """Have every fact handled that is told of the session's turn, or of its sub-agents."""
        if told.thread_id == self._state.session.codex_thread_id:
            await self._hear_turn(told)
        else:
            await self._hear_agent(told)
        await self._limits.check_agents()

    async def _hear_turn(self, told: ThreadNews) -> None:
        session = self._state.session
        for fact in self._runner.facts_of(told, session, session.codex_turn_id):
            if isinstance(fact, SIGNS_OF_LIFE):
                self._watch.heard()
            match fact:
                case GoalTold() if (
                    self._state.session.goal is not None and self._driver.is_under_way
                ):
                    pass  # the runner tells it behind the turns that led to it
                case TurnEnded() if self._driver.has_recovered:
                    self._driver.end_after_recovery(fact)
                case _:
                    await self._handle(fact)

    async def _hear_agent(self, told: ThreadNews) -> None:
        self._watch.heard()
        agent = await self._agents.meet(told.thread_id, told.parent_id)
        for fact in self._runner.facts_of(told, self._state.session, None):
            match fact:
                case UsageChanged():
                    await self._transcript.keep_agent_usage(told.thread_id, fact.usage)
                    await self._limits.check_budget()
                case GoalTold() | ThreadIdle():
                    continue  # the session has its own
                case SettingsTold() | TurnLoosened():
                    await self._handle(fact)
                case _ if agent is None:
                    continue
                case TurnOpened():
                    await self._agents.stand(agent, "running")
                case TurnEnded():
                    await self._agents.stand(agent, fact.outcome)
                    await self._end_after_agents()
                case ItemSeen():
                    await self._transcript.observe(fact, agent)
                    await self._agents.hear(fact.body, told.thread_id)
                    await self._end_after_agents()
                case _:
                    await self._transcript.observe(fact, agent)

    async def _end_after_agents(self) -> None:
        """End a session whose turn is over, once none of its sub-agents works any more."""
        if self._agents.last_end is not None:
            await self._handle(self._agents.last_end)
