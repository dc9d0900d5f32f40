"""Goals of Codex's threads: while one is active, Codex begins turn after turn by itself.

Source: the app-server protocol as the binary prints it (`codex app-server generate-json-schema`).
A Codex that knows no goals follows none.
"""

from __future__ import annotations

from typing import Any

import structlog

from command_center.actors.codex import requests
from command_center.actors.codex.errors import CodexError
from command_center.actors.sessions.agent_threads import Ask

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def read_goal(ask: Ask, thread_id: str) -> dict[str, Any] | None:
    """Return the thread's goal as Codex has it, or None where there is none."""
    try:
        goal = (await ask(requests.goal_get(thread_id)))["goal"]
    except CodexError as error:
        log.info("goal.unknown", thread=thread_id, reason=str(error))
        return None
    return None if goal is None else dict(goal)


async def pause_goal(ask: Ask, thread_id: str) -> bool:
    """Have Codex begin no further turn for the thread's goal; whether it would have."""
    goal = await read_goal(ask, thread_id)
    if goal is None or goal.get("status") != "active":
        return False
    await ask(requests.goal_set(thread_id, status="paused"))
    return True
