"""The threads of a session's sub-agents, as Codex lists them.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.errors import CodexError
from command_center.actors.codex.lineage import started_agents
from command_center.actors.codex.pages import Ask, Pages
from command_center.actors.contracts.turns import AgentSeen
from command_center.store import Session
from command_center.store.records import AgentStatus

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

STATUSES: Final[Mapping[str, AgentStatus]] = {
    "inProgress": "running",
    "completed": "completed",
    "interrupted": "interrupted",
    "failed": "failed",
}
"""The state of a sub-agent, by the status of its newest turn."""


OVER: Mapping[str, AgentStatus] = {
    "completed": "completed",
    "interrupted": "interrupted",
    "shutdown": "interrupted",
    "notFound": "interrupted",
    "errored": "failed",
}
"""The words of Codex for a sub-agent that works no more, in the items of its parent."""


async def find_agents(ask: Ask, thread_id: str) -> list[dict[str, Any]]:
    """List the threads of the sub-agents that work for the thread and that Codex has loaded.

    None, where Codex is of a version that cannot say.
    """
    family = {thread_id}
    found: list[dict[str, Any]] = []
    try:
        async for page in Pages(ask, requests.agents_list(thread_id)):
            for thread in page:
                if thread.get("parentThreadId") in family:
                    family.add(str(thread["id"]))
                    found.append(thread)
    except CodexError as error:
        log.info("session.agents.unknown", reason=str(error))
        return []
    return [agent for agent in found if agent["status"].get("type") != "notLoaded"]


def agents_of(threads: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Give each sub-agent's thread with its parent's."""
    return tuple((str(thread["id"]), str(thread["parentThreadId"])) for thread in threads)


async def turns_for(ask: Ask, session: Session, agent_id: str) -> list[dict[str, Any]]:
    """Give the turns in which a sub-agent worked for the session, oldest first.

    A Codex that does not say which turn a sub-agent's turn is for says when both began, by the
    clock of its own machine.
    """
    began: float | None = None
    found: list[dict[str, Any]] = []
    async for page in Pages(ask, requests.turns_list(agent_id, limit=20)):
        for turn in page:
            root = turn.get("rootTurnId")
            if root not in {None, turn["id"]}:
                is_ours = root == session.codex_turn_id
            else:
                began = await _began(ask, session) if began is None else began
                is_ours = int(turn.get("startedAt") or 0) >= began
            if not is_ours:
                return found[::-1]
            found.append(turn)
    return found[::-1]


async def _began(ask: Ask, session: Session) -> float:
    """Return when the session's turn began, by Codex's own clock; never, where it is not known."""
    if session.codex_thread_id is not None:
        async for page in Pages(ask, requests.turns_list(session.codex_thread_id, limit=20)):
            for turn in page:
                if turn["id"] == session.codex_turn_id:
                    return float(turn.get("startedAt") or 0)
    return math.inf


def agent_seen(thread: Mapping[str, Any], turns: Sequence[Mapping[str, Any]] = ()) -> AgentSeen:
    """Read what Codex says of a sub-agent's thread, and of how its newest turn stands."""
    source = thread.get("source")
    spawned = (source.get("subAgent") or {}) if isinstance(source, Mapping) else {}
    spawn = (spawned.get("thread_spawn") or {}) if isinstance(spawned, Mapping) else {}
    return AgentSeen(
        thread_id=str(thread["id"]),
        parent_thread_id=str(thread["parentThreadId"]),
        path=spawn.get("agent_path"),
        name=thread.get("agentNickname"),
        model=thread.get("model"),
        status=STATUSES.get(str(turns[-1].get("status"))) if turns else None,
    )


def agents_in(item: Mapping[str, Any], by: str) -> Iterator[AgentSeen]:
    """Read what an item of the thread `by` tells of the sub-agents that it started."""
    is_new = item.get("tool") == "spawnAgent" or item.get("kind") == "started"
    path = item.get("agentPath")
    for thread_id in started_agents(dict(item)):
        yield AgentSeen(
            thread_id=thread_id,
            parent_thread_id=by,
            path=path,
            name=None if path is None else str(path).rpartition("/")[2],
            model=item.get("model") or None,
            prompt=item.get("prompt") or None,
            is_new=is_new,
            status=_status_in(item, thread_id),
        )


def _status_in(item: Mapping[str, Any], thread_id: str) -> AgentStatus | None:
    if item.get("type") == "subAgentActivity":
        return OVER.get(str(item.get("kind")))
    told = (item.get("agentsStates") or {}).get(thread_id) or {}
    return OVER.get(str(told.get("status")))
