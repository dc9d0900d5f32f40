"""The sub-agents that work for a session: who they are, and whether they are done.

Codex tells of what a sub-agent says and does as of a thread of its own. It is kept with the
session's transcript, under the sub-agent whose it is. A session does not end before its sub-agents
have: what they do then would be seen by nobody, and nothing would bound or stop it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

from command_center.actors.contracts.turns import AgentSeen, AgentsListed, TurnEnded
from command_center.actors.ledger import agents as ledger
from command_center.actors.sessions.runner import Runner
from command_center.actors.sessions.state import SessionState
from command_center.store import Agent
from command_center.store.records import AgentStatus


@attrs.define
class Agents:
    """The sub-agents of one session, by the threads that they work in."""

    _state: SessionState
    _runner: Runner
    _known: dict[str, Agent] = attrs.field(factory=dict, init=False)
    ended_before_them: TurnEnded | None = attrs.field(default=None, init=False)
    """The end of the session's own turn, while sub-agents of it still work."""
    are_too_many: bool = attrs.field(default=False, init=False)
    """True once one could not be kept, so that nobody would see what it does."""

    def recall(self, agents: Sequence[Agent]) -> None:
        """Begin with those that are kept already."""
        self._known = {agent.thread_id: agent for agent in agents}

    @property
    def are_working(self) -> bool:
        """Tell whether one of them has not ended."""
        return any(agent.status == "running" for agent in self._known.values())

    @property
    def last_end(self) -> TurnEnded | None:
        """Return the end of the session's own turn, once none of those works that it waited for."""
        return None if self.are_working else self.ended_before_them

    def of(self, thread_id: str) -> Agent | None:
        """Give the one that works in this thread, if it is kept."""
        return self._known.get(thread_id)

    async def learn(self, seen: AgentSeen) -> Agent | None:
        """Keep one, or what is new of it; None where there are too many to keep."""
        agent = await self._state.keep(lambda tx: ledger.learn(tx, self._state.id, seen))
        if agent is None:
            self.are_too_many = True
        else:
            self._known[seen.thread_id] = agent
        if seen.is_new:
            await self._state.refresh()
        return agent

    async def meet(self, thread_id: str, parent_id: str | None) -> Agent | None:
        """Give the one in whose thread Codex tells something; it is learned of by that."""
        known = self._known.get(thread_id)
        if known is not None:
            return known
        parent = parent_id or self._state.session.codex_thread_id or thread_id
        return await self.learn(AgentSeen(thread_id=thread_id, parent_thread_id=parent))

    async def hear(self, item: Mapping[str, Any], by: str) -> None:
        """Read what an item of the thread `by` tells of the sub-agents that it started."""
        for told in self._runner.agents_in(item, by):
            if told.thread_id == self._state.session.codex_thread_id:
                continue
            known = self._known.get(told.thread_id)
            if known is None or told.is_new:
                is_new = told.is_new and known is None
                seen = msgspec.structs.replace(told, is_new=is_new, status=None)
                known = await self.learn(seen)
            if known is not None and told.status is not None:
                await self.stand(known, told.status)

    async def stand(self, agent: Agent, status: AgentStatus) -> None:
        """Keep how its newest turn stands."""
        if self._known[agent.thread_id].status != status:
            self._known[agent.thread_id] = await self._state.keep(
                lambda tx: ledger.stand(tx, agent.id, status)
            )

    async def reconcile(self, listed: AgentsListed) -> None:
        """Take those for interrupted that Codex has no more."""
        for thread_id, agent in list(self._known.items()):
            if agent.status == "running" and thread_id not in listed.threads:
                await self.stand(agent, "interrupted")


def name_of(agent: Agent) -> str:
    """Give what people call it: its place in the tree, its name, or its number."""
    return agent.path or agent.name or f"sub-agent {agent.id}"
