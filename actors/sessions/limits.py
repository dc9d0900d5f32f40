"""The limits of a turn: its tokens, its sub-agents, and the time that it may be silent."""

from __future__ import annotations

import attrs

from command_center.actors.contracts.events.sessions import SessionStalled
from command_center.actors.contracts.turns import TurnSilent
from command_center.actors.ledger import agents as ledger
from command_center.actors.ledger.budgets import overspent
from command_center.actors.rules.transitions import IN_TURN
from command_center.actors.sessions.agents import Agents
from command_center.actors.sessions.ending import Ending
from command_center.actors.sessions.questions import Questions
from command_center.actors.sessions.stall_detector import StallDetector
from command_center.actors.sessions.state import SessionState
from command_center.actors.sessions.transcript import Transcript
from command_center.actors.sessions.turn_driver import TurnDriver


@attrs.frozen
class Limits:
    """The limits of one session's turn."""

    _state: SessionState
    _transcript: Transcript
    _watch: StallDetector
    _driver: TurnDriver
    _questions: Questions
    _agents: Agents
    _ending: Ending

    async def check_budget(self) -> None:
        """Interrupt a turn that has used more tokens than the session or its task may."""
        reason = await self._state.keep(lambda tx: overspent(tx, self._state.id))
        if reason is not None:
            await self._ending.give_up("budget", reason)

    async def check_agents(self) -> None:
        """Interrupt a turn that has started more sub-agents than can be followed."""
        if self._agents.are_too_many and self._state.is_active:
            reason = f"It started more than {ledger.MOST_AGENTS} sub-agents."
            await self._ending.give_up("limit", reason)

    async def judge_silence(self, told: TurnSilent) -> None:
        """Ask Codex when nothing was heard for long, and give up what stays silent.

        What was heard while `told` waited is a sign of life, too. Codex is not silent while it
        waits for a person, but it is if it says nothing once that person has decided. Nor is it
        while it sleeps, for as long as it said that it would.
        """
        if self._watch.silence() < told.seconds:
            return
        asks = self._state.phase == "waiting_approval"
        waits = asks and await self._questions.wait_for_person()
        if waits or await self._transcript.is_sleeping():
            self._watch.heard()
        elif told.count == 1:
            await self._state.tell(SessionStalled(silent_seconds=told.seconds))
            if self._state.phase in IN_TURN:
                self._driver.go_on()
        else:
            reason = f"The turn was silent for {told.seconds:.0f} seconds."
            await self._ending.give_up("stall", reason)
