"""The reports of turns that are read from their thread, where what Codex told was missed.

The session's actor knows each item by its id, so what it has heard already is told of once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from command_center.actors.contracts.turns import AgentItemSeen, TurnLost
from command_center.actors.sessions.runner import SessionRef
from command_center.actors.sessions.runners.codex.agent_threads import agent_seen
from command_center.actors.sessions.runners.codex.turn_events import ending, item_seen


@attrs.frozen
class Reports:
    """The reports of one session's runner."""

    _ref: SessionRef

    async def turn(self, turn_id: str, turn: Mapping[str, Any]) -> None:
        """Tell of a turn's finished items, and of its end if it has ended."""
        await self.items(turn_id, turn)
        await self.end(turn_id, turn)

    async def items(
        self, turn_id: str, turn: Mapping[str, Any], only: frozenset[str] | None = None
    ) -> None:
        """Tell of a turn's finished items; of those with these ids, where `only` names some."""
        for item in turn.get("items", ()):
            if item.get("status") != "inProgress" and (only is None or item["id"] in only):
                await self._ref.tell(item_seen(turn_id, item, completed=True))

    async def end(self, turn_id: str, turn: Mapping[str, Any]) -> None:
        """Tell of a turn's end if it has ended."""
        if turn.get("status") == "interrupted":
            await self._ref.tell(TurnLost(reason="The turn ended with its app-server."))
        elif turn.get("status") != "inProgress":
            await self._ref.tell(ending(turn, turn_id))

    async def agent(self, agent: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]) -> None:
        """Tell of a sub-agent, of the finished items of its turns, and how it stands after them."""
        await self._ref.tell(agent_seen(agent))
        await self.agent_items(str(agent["id"]), turns)
        await self._ref.tell(agent_seen(agent, turns))

    async def agent_items(
        self,
        agent_id: str,
        turns: Sequence[Mapping[str, Any]],
        only: frozenset[str] | None = None,
    ) -> None:
        """Tell of the finished items of a sub-agent's turns, as `items` does of the session's."""
        for turn in turns:
            for item in turn.get("items", ()):
                if item.get("status") != "inProgress" and (only is None or item["id"] in only):
                    seen = item_seen(str(turn["id"]), item, completed=True)
                    await self._ref.tell(AgentItemSeen(agent_id, seen))
