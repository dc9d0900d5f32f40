"""The ends of a session's turns: the session waits for another turn, or ends with this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from command_center.actors.contracts.turns import (
    GoalTold,
    NoFurtherTurn,
    SettingsTold,
    TurnEnded,
    TurnOpened,
)
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.ending import Ending
from command_center.actors.sessions.goals import Pursuit
from command_center.actors.sessions.interruption import Interruption
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.stall_detector import StallDetector
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.turn_driver import TurnDriver


@attrs.frozen
class TurnEnds:
    """The decision of one session, at the end of each turn, whether it goes on."""

    _state: SessionState
    _watch: StallDetector
    _driver: TurnDriver
    _runner: Runner
    _agents: Agents
    _pursuit: Pursuit
    _interruption: Interruption
    _ending: Ending
    _handle: Callable[[object], Awaitable[None]]
    """Handles a fact as the message that it is."""

    @property
    def is_known(self) -> bool:
        """Return whether the turn is known to have ended, and the session goes on all the same."""
        return self._pursuit.is_between or self._agents.ended_before_them is not None

    async def follow(self, opened: TurnOpened) -> None:
        """Go on with another turn, for the session's goal or at a word of a sub-agent."""
        if opened.turn_id == self._state.session.codex_turn_id:
            return
        if self._driver.ended_meanwhile is not None and self._state.session.goal is not None:
            await self._handle(self._driver.ended_meanwhile)
        if self.is_known and self._state.is_active:
            self._driver.ended_meanwhile = self._agents.ended_before_them = None
            await self._pursuit.begin_turn(opened.turn_id)
            self._watch.heard()
            if self._state.session.stop_requested is not None:
                self._interruption.begin_anew()

    async def end(self, ended: TurnEnded) -> None:
        """End as the turn did; as `stopped` where somebody wanted that.

        One that completed waits for the sub-agents that it has left at work, and for the next turn
        of the session's goal.
        """
        known = self._state.session.codex_turn_id
        if known is not None and ended.turn_id not in {None, known}:
            return  # of a turn before: Codex has gone on
        await self._handle(TurnOpened(turn_id=known or ended.turn_id or "unknown"))
        if not self._state.is_active:
            return
        session = self._state.session
        completed = ended.outcome == "completed"
        goes_on = self._pursuit.goes_on and session.stop_requested is None
        if completed and goes_on and not self._pursuit.is_between:
            refused = await self._pursuit.wait_for_next()
            if refused is not None:
                await self._ending.give_up("policy", refused)
        elif completed and not goes_on and self._agents.are_working:
            self._agents.ended_before_them = ended
        elif completed and not goes_on and session.goal is not None:
            await self._ending.end_pursuit(self._pursuit.why)
        elif not (completed and goes_on):
            await self._ending.end(ended.outcome, reason=ended.reason, is_limited=ended.is_limited)

    async def lose(self, reason: str, *, leaves_turn: bool) -> None:
        """End as interrupted, as the turn is gone or given up; if its end is known, end as that."""
        if self._driver.ended_meanwhile is not None:
            await self._handle(self._driver.ended_meanwhile)
        else:
            await self._ending.end("interrupted", reason=reason, leaves_turn=leaves_turn)

    async def hear_goal(self, told: GoalTold) -> None:
        """Keep the goal. Between two turns, end if Codex begins no other."""
        await self._pursuit.keep(told)
        if self._pursuit.is_between and not self._pursuit.goes_on:
            await self._ending.end_pursuit(self._pursuit.why)

    async def hear_settings(self, told: SettingsTold) -> None:
        """End, if Codex is to begin further turns that could do more than the session may."""
        exceeding = self._runner.exceeds(told.settings)
        if exceeding is not None and (self._pursuit.goes_on or self._agents.are_working):
            await self._ending.give_up(
                "policy",
                "Another client of Codex lets the next turns of the thread do more than this "
                f"session may: {exceeding}.",
            )

    async def wait_no_longer(self, message: NoFurtherTurn) -> None:
        """End, if Codex has not gone on since, though it has a goal."""
        if self._pursuit.is_between and message.turn_id == self._state.session.codex_turn_id:
            await self._ending.end_pursuit("Codex began no further turn for its goal.")
