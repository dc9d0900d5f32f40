"""Turns that began and ended past Command Center in a thread of ours, before they were looked at.

Nobody could let them in or end them any more. What they did is kept all the same: each is a session
that has ended, in the task of the thread. Of a sub-agent's turn, the items are kept in the session
for which that had worked. Each function is one unit of a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import (
    TurnAdopted,
    TurnBegan,
    TurnFound,
    TurnRefused,
)
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.adoption import (
    Cause,
    Thread,
    agent_in,
    command_of,
    last_session,
    message_of,
    working_session,
)
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.paths import same_place
from command_center.actors.rules.policy import RunSettings
from command_center.store import (
    Agent,
    Session,
    Transaction,
    event_type,
    repositories,
    sessions,
    tasks,
)
from command_center.store.queries.turns import told_turns, turns_of_items
from command_center.store.records import SessionStatus
from command_center.store.timestamps import from_timestamp, to_timestamp

OUTCOMES: Final[Mapping[str, SessionStatus]] = {
    "completed": "completed",
    "interrupted": "interrupted",
    "failed": "failed",
}
"""The end of a session, by the status of its turn."""

TOLD: Final = (TurnBegan, TurnAdopted, TurnRefused, TurnFound)
"""The events that say whose a turn is."""

INSIDE: Final = "inside"
"""The member of a review's turn that has the turn inside of it."""

_VERSION_WITH_TIME: Final = 7


@attrs.frozen
class KnownTurns:
    """The turns of a thread that sessions have, or that were told of.

    Attributes:
        since: when the thread became one of ours; what began before is none of ours.
        ids: the turns, and for reviews those that they are inside of.
        messages: the ids of the prompts of its sessions.
        spans: from when until when all that began belongs to a session whose turn has no known id;
            of a sub-agent's thread, until when it worked for a session.
        is_agent: whether the thread is a sub-agent's.
        ahead: the seconds by which the clock of Codex's machine is ahead of ours.
    """

    since: float
    ids: frozenset[str]
    messages: frozenset[str]
    spans: tuple[tuple[float, float], ...]
    is_agent: bool
    ahead: float = 0.0

    def began(self, turn: Mapping[str, Any]) -> float:
        """Return when a turn began, by our clock."""
        return began_at(turn) - self.ahead

    def has(self, turn: Mapping[str, Any]) -> bool:
        """Return whether the turn is one of them, or began before."""
        began, root = self.began(turn), turn.get("rootTurnId")
        said = {item.get("clientId") for item in turn.get("items", ())}
        return (
            began < self.since
            or turn["id"] in self.ids
            or (self.is_agent and root in self.ids)
            or bool(said & self.messages)
            or any(first <= began <= last for first, last in self.spans)
        )


def began_at(turn: Mapping[str, Any]) -> float:
    """Return when a turn began by the clock of Codex's machine, in seconds.

    It is to the millisecond where the turn's id tells.
    """
    try:
        id_ = UUID(str(turn["id"]))
    except ValueError:
        return float(turn.get("startedAt") or 0)
    known = id_.version == _VERSION_WITH_TIME
    return (id_.int >> 80) / 1000 if known else float(turn.get("startedAt") or 0)


def known_turns(
    db: Database, root: Thread, thread: Thread, *, ahead: float = 0.0
) -> KnownTurns | None:
    """Return what is known of a thread's turns, where `root` is the thread of its sessions.

    None, if that is no thread of ours. The clock of its machine is `ahead` of ours.
    """
    here = {"codex_thread_id": root.id, "host": root.host}
    of_thread = sessions.every(db, here, texts=False)
    if not of_thread:
        return None
    is_agent = root != thread
    ids = {one.codex_turn_id for one in of_thread} - {None}
    keys = [one.id for one in of_thread]
    ids |= turns_of_items(db, keys)
    ids |= told_turns(db, keys, [event_type(event) for event in TOLD])
    nameless = [
        one for one in of_thread if is_agent or one.codex_turn_id is None or one.runner == "cli"
    ]
    return KnownTurns(
        since=from_timestamp(of_thread[0].created_at).timestamp(),
        ids=frozenset(str(one) for one in ids),
        messages=frozenset(f"command-center-{key}" for key in keys),
        spans=tuple(map(_span, nameless)),
        is_agent=is_agent or any(one.type == "review_task" for one in of_thread),
        ahead=ahead,
    )


def _span(session: Session) -> tuple[float, float]:
    began = from_timestamp(session.started_at or session.created_at).timestamp()
    if session.finished_at is None:
        return began, float("inf")
    return began, from_timestamp(session.finished_at).timestamp()


def keep(
    tx: Transaction,
    root: Thread,
    thread: Thread,
    opened: Mapping[str, Any],
    turns: Sequence[Mapping[str, Any]],
    *,
    instance: str,
    ahead: float = 0.0,
) -> int:
    """Keep the turns that are still unknown, the oldest first; return how many were kept.

    Raises `Unavailable` while a session works in the thread, whose matter they may be.

    Args:
        tx: the transaction.
        root: the thread of the sessions.
        thread: the thread of the turns: the same, or a sub-agent's.
        opened: the thread as Codex describes it.
        turns: some that have ended, with their items.
        instance: the life of the server.
        ahead: the seconds by which the clock of their machine is ahead of ours.
    """
    kept = 0
    working = working_session(tx.db, root)
    if working is not None:
        raise Unavailable(f"Session {working.id} works in thread {root.id}.")
    for turn in turns:
        known = known_turns(tx.db, root, thread, ahead=ahead)
        last = last_session(tx.db, root)
        if known is None or last is None or known.has(turn):
            continue
        agent = agent_in(tx.db, thread)
        if root == thread:
            _keep_as_session(tx, last, opened, turn, instance=instance, ahead=ahead)
        elif agent is not None:
            _keep_of_agent(tx, agent, turn)
        kept += 1
    return kept


def _keep_as_session(
    tx: Transaction,
    last: Session,
    opened: Mapping[str, Any],
    turn: Mapping[str, Any],
    *,
    instance: str,
    ahead: float,
) -> None:
    """Make a session that has ended; its settings are those of the one before, as none are told."""
    cwd = str(opened.get("cwd") or last.cwd)
    is_same = same_place(cwd, last.cwd)
    worktree = last.worktree_path if is_same else None
    began, ended = began_at(turn) - ahead, float(turn.get("completedAt") or 0) - ahead
    thread_id, turn_id = str(last.codex_thread_id), str(turn["id"])
    reference = f"app-server:{thread_id}"
    session = ledger.insert_session(
        tx,
        tasks.get(tx.db, last.task_id),
        repositories.get(tx.db, last.repository_id),
        RunSettings(
            model=opened.get("model"),
            sandbox=last.sandbox,
            allow_network=last.allow_network,
            allow_commit=last.allow_commit,
            worktree="none" if worktree is None else "given",
            worktree_path=worktree,
            branch_name=last.branch_name if is_same else None,
        ),
        prompt=message_of(turn.get(INSIDE) or turn) or command_of(turn) or "",
        runner="app-server",
        requested_by="codex",
        origin="codex",
        previous_session_id=last.id,
        codex_thread_id=thread_id,
    )
    session = sessions.update(tx, session.id, cwd=cwd)
    ledger.tell(tx, session, _found(thread_id, turn), actor="codex")
    ledger.move(tx, session.id, "queued", actor="codex")
    ledger.move(
        tx,
        session.id,
        "starting",
        actor="codex",
        codex_ref=reference,
        started_at=_timestamp(began),
    )
    ledger.record_turn(
        tx,
        session.id,
        turn_id,
        codex_ref=f"{reference}:{turn_id}",
        runner="app-server",
        instance=instance,
    )
    for one in (turn.get(INSIDE), turn):
        _keep_items(tx, session.id, one or {})
    ledger.move(
        tx,
        session.id,
        OUTCOMES.get(str(turn.get("status")), "failed"),
        actor="codex",
        exit_reason=_reason(turn),
        finished_at=_timestamp(max(began, ended)),
    )


def _keep_of_agent(tx: Transaction, agent: Agent, turn: Mapping[str, Any]) -> None:
    session = sessions.get(tx.db, agent.session_id)
    told = msgspec.structs.replace(_found(agent.thread_id, turn), agent_id=agent.id)
    ledger.tell(tx, session, told, actor="codex")
    _keep_items(tx, session.id, turn, agent_id=agent.id)


def _keep_items(
    tx: Transaction, session_id: int, turn: Mapping[str, Any], *, agent_id: int | None = None
) -> None:
    for item in turn.get("items", ()):
        ledger.record_item(
            tx,
            session_id,
            turn_id=str(turn["id"]),
            item_id=str(item["id"]),
            kind=str(item["type"]),
            completed=True,
            body=item,
            agent_id=agent_id,
        )


def _found(thread_id: str, turn: Mapping[str, Any]) -> TurnFound:
    return TurnFound(
        thread_id=thread_id,
        turn_id=str(turn["id"]),
        cause=_cause_of(turn),
        outcome=str(turn.get("status")),
    )


def _reason(turn: Mapping[str, Any]) -> str:
    """Say that nobody could let it in, and how it ended if that was not well."""
    error = turn.get("error") or {}
    said = "It began and ended past Command Center, before it could be let in or refused."
    return f"{said} {error['message']}" if error.get("message") else said


def _timestamp(seconds: float) -> str:
    return to_timestamp(datetime.fromtimestamp(seconds, UTC))


def _cause_of(turn: Mapping[str, Any]) -> Cause:
    if message_of(turn.get(INSIDE) or turn) is not None:
        return "message"
    return "unknown" if command_of(turn) is None else "command"
