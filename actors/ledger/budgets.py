"""Limits of a session and its task: turns and tokens; and the caps of a day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from command_center.actors.ledger.spending import check_caps, overdrawn
from command_center.actors.rules.errors import Conflict
from command_center.store import Session, Task, Transaction, repositories, sessions, tasks

AGENTS: Final = "agents"
"""Names, beside a usage as Codex tells it, the totals of the sub-agents that are counted."""


def used_tokens(session: Session) -> int:
    """Tokens that the session itself used, with its sub-agents."""
    return max(0, _total(session.token_usage) - session.token_baseline)


def tokens_before(tx: Transaction, session: Session, usage: Mapping[str, Any]) -> int:
    """Tokens that the session's thread had used before it, by the first usage that it is told of.

    The app-server tells beside the thread's total what the last call of the model used. `codex
    exec` tells a total only, and works in threads that only sessions use.
    """
    if "last" in usage:
        return max(0, _total(usage) - int(usage["last"].get("totalTokens", 0)))
    same = {"codex_thread_id": session.codex_thread_id, "host": session.host}
    same_thread = sessions.every(tx.db, same, texts=False)
    return max(_total(before.token_usage) for before in same_thread)


def count_agent(
    tx: Transaction, session_id: int, agent_id: str, usage: Mapping[str, Any]
) -> Session:
    """Count what a sub-agent has used since it was last told of, or in the call that began it.

    It lowers the session's baseline, so that the thread's total less that is what both used.
    """
    session = sessions.get(tx.db, session_id)
    known = session.token_usage or {}
    agents = dict(known.get(AGENTS, {}))
    before = agents.get(agent_id)
    if before is None:
        before = _total(usage) - int(usage.get("last", {}).get("totalTokens", 0))
    agents[agent_id] = _total(usage)
    return sessions.update(
        tx,
        session_id,
        token_usage={**known, AGENTS: agents},
        token_baseline=session.token_baseline - max(0, _total(usage) - before),
    )


def _total(usage: Mapping[str, Any] | None) -> int:
    return int((usage or {}).get("total", {}).get("totalTokens", 0))


def task_tokens(tx: Transaction, task: Task) -> int:
    """Tokens that all sessions of a task have used together."""
    of_task = sessions.every(tx.db, {"task_id": task.id}, texts=False)
    return sum(used_tokens(session) for session in of_task)


def turns_of(tx: Transaction, task: Task) -> int:
    """Count the turns that all sessions of a task have had, or are going to begin.

    A turn that met a limit of the account and the one that goes on in its place are one.
    """
    of_task = sessions.every(tx.db, {"task_id": task.id}, texts=False)
    return sum(session.turns - (session.origin == "limit") for session in of_task)


def check_limits(tx: Transaction, task: Task, *, is_held: bool = False) -> None:
    """Let a task have another session.

    One that `is_held` goes on with a turn that was counted, and is held to caps when it begins.

    Raises:
        Conflict: it has used its turns, or its tokens, or a cap of the day is reached.
    """
    if not is_held:
        check_caps(tx, repositories.get(tx.db, task.repository_id))
    if task.turn_limit is not None and not is_held:
        turns = turns_of(tx, task)
        if turns >= task.turn_limit:
            raise Conflict(
                f"Task {task.id} has had {turns} of {task.turn_limit} turns; "
                "raise its turnLimit to run it again.",
                turnLimit=task.turn_limit,
            )
    if task.token_budget is not None:
        tokens = task_tokens(tx, task)
        if tokens >= task.token_budget:
            raise Conflict(
                f"Task {task.id} has used {tokens} of {task.token_budget} tokens; "
                "raise its tokenBudget to run it again.",
                tokenBudget=task.token_budget,
            )


def overspent(tx: Transaction, session_id: int) -> str | None:
    """Return why a session's turn has to end: it, its task or all of the day used too much."""
    session = sessions.get(tx.db, session_id)
    task = tasks.get(tx.db, session.task_id)
    used = used_tokens(session)
    if session.token_budget is not None and used > session.token_budget:
        return f"The session used {used} of {session.token_budget} tokens."
    if task.token_budget is not None:
        used = task_tokens(tx, task)
        if used > task.token_budget:
            return f"Task {task.id} used {used} of {task.token_budget} tokens."
    return overdrawn(tx, repositories.get(tx.db, task.repository_id))
