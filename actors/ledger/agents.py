"""Record the sub-agents that work for a session; each function is one unit."""

from __future__ import annotations

from typing import Any, Final

from command_center.actors.contracts.events.sessions import AgentEnded, AgentStarted
from command_center.actors.contracts.turns import AgentSeen
from command_center.actors.ledger.budgets import AGENTS, count_agent
from command_center.actors.ledger.sessions import tell
from command_center.store import Agent, Session, Transaction, agents, sessions
from command_center.store.records import AgentStatus

MOST_AGENTS: Final = 1000
"""Sub-agents that one session may have: each is seen, bounded and ended with it."""

KEPT: Final = ("path", "name", "model", "prompt")
"""Fields that are told of a sub-agent now and then, and hold from then on."""


def learn(tx: Transaction, session_id: int, seen: AgentSeen) -> Agent | None:
    """Keep a sub-agent, or what is new of it; None where there are too many."""
    session = sessions.get(tx.db, session_id)
    if seen.is_new:
        _count_from_nothing(tx, session, seen.thread_id)
    told = {name: getattr(seen, name) for name in KEPT if getattr(seen, name) is not None}
    known = agents.find(tx.db, {"session_id": session_id, "thread_id": seen.thread_id})
    if known is None:
        if agents.count(tx.db, {"session_id": session_id}) >= MOST_AGENTS:
            return None
        parent = agents.find(tx.db, {"session_id": session_id, "thread_id": seen.parent_thread_id})
        known = agents.insert(
            tx,
            session_id=session_id,
            thread_id=seen.thread_id,
            parent_id=None if parent is None else parent.id,
            parent_thread_id=seen.parent_thread_id,
            **told,
        )
        _tell_started(tx, session, known)
    else:
        new = {name: value for name, value in told.items() if getattr(known, name) is None}
        known = agents.update(tx, known.id, **new) if new else known
    return known if seen.status is None else stand(tx, known.id, seen.status)


def stand(tx: Transaction, agent_id: int, status: AgentStatus) -> Agent:
    """Keep how the sub-agent's newest turn stands, and tell of it where that is new."""
    agent = agents.get(tx.db, agent_id)
    if agent.status == status:
        return agent
    session = sessions.get(tx.db, agent.session_id)
    finished = None if status == "running" else tx.now
    agent = agents.update(tx, agent_id, status=status, finished_at=finished)
    if status == "running":
        _tell_started(tx, session, agent)
    else:
        tell(
            tx,
            session,
            AgentEnded(**_told(agent), status=status, last_message=agent.last_message),
            actor="codex",
        )
    return agent


def record_usage(
    tx: Transaction, session_id: int, thread_id: str, usage: dict[str, Any]
) -> Session:
    """Count what a sub-agent has used for its session, and keep it."""
    agent = agents.find(tx.db, {"session_id": session_id, "thread_id": thread_id})
    if agent is not None:
        agents.update(tx, agent.id, token_usage=usage)
    return count_agent(tx, session_id, thread_id, usage)


def record_diff(tx: Transaction, agent_id: int, diff: str) -> bool:
    """Keep what a sub-agent has changed; whether that is new."""
    if agents.get(tx.db, agent_id).diff == diff:
        return False
    agents.update(tx, agent_id, diff=diff)
    return True


def _count_from_nothing(tx: Transaction, session: Session, thread_id: str) -> None:
    known = session.token_usage or {}
    counted = known.get(AGENTS, {})
    if thread_id not in counted:
        usage = {**known, AGENTS: {**counted, thread_id: 0}}
        sessions.update(tx, session.id, token_usage=usage)


def _tell_started(tx: Transaction, session: Session, agent: Agent) -> None:
    tell(tx, session, AgentStarted(**_told(agent), prompt=agent.prompt), actor="codex")


def _told(agent: Agent) -> dict[str, Any]:
    return {
        "agent_id": agent.id,
        "parent_id": agent.parent_id,
        "thread_id": agent.thread_id,
        "path": agent.path,
        "name": agent.name,
        "model": agent.model,
    }


def end_all(tx: Transaction, session_id: int) -> None:
    """Take those that still worked when their session ended for interrupted."""
    for agent in agents.every(tx.db, {"session_id": session_id, "status": "running"}):
        stand(tx, agent.id, "interrupted")
