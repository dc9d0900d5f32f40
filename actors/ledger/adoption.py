"""Turns that Codex began in a thread of ours without a session: let in as one, or refused.

Such a turn is of a goal that the thread follows, or of a message that somebody gave to Codex past
Command Center: in another client of a shared app-server, or in Codex's own queue. Whoever began it,
it is judged as a run is, by what its thread really lets it do. Each function is one unit of a
transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import attrs
from sqlite_utils import Database

from command_center.actors.contracts.events.sessions import TurnAdopted, TurnRefused
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import active_sessions
from command_center.actors.ledger.budgets import check_limits
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.occupancy import obstacle
from command_center.actors.rules.paths import lies_in, same_place
from command_center.actors.rules.policy import (
    PolicyDenied,
    PolicyResult,
    RunInput,
    evaluate,
)
from command_center.store import (
    Agent,
    Repository,
    Session,
    Transaction,
    agents,
    event_type,
    released_threads,
    repositories,
    sessions,
    tasks,
)
from command_center.store.queries.causes import was_told
from command_center.store.queries.summaries import used_worktrees
from command_center.store.records import Sandbox
from command_center.store.statuses import ACTIVE
from command_center.store.timestamps import from_timestamp

Cause = Literal["goal", "message", "command", "unknown"]
"""The cause of a turn: the thread's goal, a message that somebody gave to Codex, a command that
somebody ran by hand, or unknown."""

SANDBOXES: Final[Mapping[str, Sandbox]] = {
    "readOnly": "read-only",
    "workspaceWrite": "workspace-write",
}
"""The sandboxes of Codex that hold something; any other holds nothing that we know of."""


@attrs.frozen
class Thread:
    """A thread of the Codex of a host."""

    host: str
    id: str


@attrs.frozen(kw_only=True)
class ForeignTurn:
    """A turn that runs in a thread of ours and that no session began.

    Attributes:
        host: where it runs.
        said: the message that began it, or the goal's objective; empty where neither is known.
        cwd: the folder that its thread works in.
        writable: folders that its commands may write to beside `cwd`.
        reviewer: who answers what it asks, as Codex names them.
        goal: what the thread pursues when the turn has ended, if it does.
    """

    host: str
    thread_id: str
    turn_id: str
    cause: Cause
    said: str
    cwd: str
    sandbox: Sandbox
    allow_network: bool
    writable: tuple[str, ...]
    reviewer: str
    model: str | None
    goal: Mapping[str, Any] | None

    @classmethod
    def of(
        cls,
        host: str,
        opened: Mapping[str, Any],
        turn: Mapping[str, Any],
        goal: Mapping[str, Any] | None,
    ) -> ForeignTurn:
        """Read what the Codex of a host answers: the joined thread, its turn, and its goal."""
        said = message_of(turn)
        goal = goal if goal is not None and goal.get("status") == "active" else None
        sandbox = opened.get("sandbox") or {}
        return cls(
            host=host,
            thread_id=str(opened["thread"]["id"]),
            turn_id=str(turn["id"]),
            cause="message" if said is not None else "unknown" if goal is None else "goal",
            said=str(goal["objective"]) if said is None and goal is not None else said or "",
            cwd=str(opened["cwd"]),
            sandbox=SANDBOXES.get(str(sandbox.get("type")), "danger-full-access"),
            allow_network=sandbox.get("networkAccess") in {True, "enabled"},
            writable=tuple(str(root) for root in sandbox.get("writableRoots") or ()),
            reviewer=str(opened.get("approvalsReviewer") or "user"),
            model=opened.get("model"),
            goal=goal,
        )

    @property
    def thread(self) -> Thread:
        """Return the thread that it runs in."""
        return Thread(self.host, self.thread_id)


def message_of(turn: Mapping[str, Any]) -> str | None:
    """Return the message that began the turn; None if there is none, or it is not listed yet."""
    for item in turn.get("items", ()):
        if item.get("type") == "userMessage":
            parts = item.get("content") or ()
            return "\n".join(str(part.get("text") or f"[{part.get('type')}]") for part in parts)
    return None


def command_of(turn: Mapping[str, Any]) -> str | None:
    """Return the command that somebody ran by hand as the turn; None if nobody did."""
    for item in turn.get("items", ()):
        if ledger.is_by_hand(item):
            actions = item.get("commandActions") or [item]
            return str(actions[0].get("command"))
    return None


def thread_of_session(db: Database, thread: Thread) -> Thread:
    """Return the thread of the session whose sub-agent works in this one; else this one itself."""
    agent = agent_in(db, thread)
    session = None if agent is None else sessions.get(db, agent.session_id)
    if session is None or session.codex_thread_id is None:
        return thread
    return thread if last_session(db, thread) else Thread(session.host, session.codex_thread_id)


def agent_in(db: Database, thread: Thread) -> Agent | None:
    """Return the newest sub-agent that worked in a host's thread; None where there was none."""
    for agent in reversed(agents.every(db, {"thread_id": thread.id})):
        if sessions.get(db, agent.session_id).host == thread.host:
            return agent
    return None


def last_session(db: Database, thread: Thread) -> Session | None:
    """Return the newest session that worked in the thread; None where it is no thread of ours."""
    return sessions.find(db, {"codex_thread_id": thread.id, "host": thread.host}, newest_first=True)


def working_session(db: Database, thread: Thread) -> Session | None:
    """Return the session that works in the thread now, and whose matter its turns are."""
    return sessions.find(
        db, {"codex_thread_id": thread.id, "host": thread.host, "status": sorted(ACTIVE)}
    )


def is_idle_here(db: Database, *, thread: Thread) -> bool:
    """Return whether the thread is one of ours, or of a sub-agent, and no session works in it."""
    root = thread_of_session(db, thread)
    return last_session(db, root) is not None and working_session(db, root) is None


def changed_since(
    db: Database, *, host: str, threads: Sequence[Mapping[str, Any]], ahead: float = 0.0
) -> list[Mapping[str, Any]]:
    """Return those of the threads that may have changed since a session of ours worked in them.

    Codex tells when by the second, in which a turn may follow another one, and by the clock of its
    machine, which is `ahead` of ours.
    """
    changed = []
    for thread in threads:
        last = last_session(db, Thread(host, str(thread["id"])))
        if last is not None and last.finished_at is not None:
            finished = from_timestamp(last.finished_at).timestamp()
            if int(thread.get("updatedAt") or 0) >= int(finished + ahead):
                changed.append(thread)
    return changed


def adopt(tx: Transaction, turn: ForeignTurn, *, instance: str, limit: int) -> Session | None:
    """Make the turn a session's that runs; None where it is one's already, or the thread not ours.

    A message comes from a person who waits: its session may be one more than `limit` at once, and
    others wait longer. A turn that Codex began may not.

    Raises:
        PolicyDenied, Conflict: it may not run, and has to be interrupted.
    """
    last = last_session(tx.db, turn.thread)
    if last is None or working_session(tx.db, turn.thread) is not None:
        return None
    repository = repositories.get(tx.db, last.repository_id)
    task = tasks.get(tx.db, last.task_id)
    if task.status == "cancelled":
        raise Conflict(f"Task {task.id} is cancelled.")
    check_limits(tx, task)
    worktree = _check_place(tx, turn, last, repository)
    policy = evaluate(
        repository,
        task,
        RunInput(
            model=turn.model,
            sandbox=turn.sandbox,
            allow_network=turn.allow_network,
            allow_commit=any(".git" in Path(root).parts for root in turn.writable),
            worktree_path=worktree or repository.local_path,
        ),
    )
    if policy.run is None:
        raise PolicyDenied(policy)
    if policy.approvals:
        raise NeedsApproval(policy)
    active = active_sessions(tx)
    if turn.cause != "message" and len(active) >= limit:
        raise Conflict(f"All {limit} slots are in use.")
    session = ledger.insert_session(
        tx,
        task,
        repository,
        policy.run,
        prompt=turn.said,
        runner="app-server",
        requested_by="codex",
        origin="codex",
        previous_session_id=last.id,
        codex_thread_id=turn.thread_id,
    )
    session = sessions.update(
        tx,
        session.id,
        cwd=turn.cwd,
        worktree_path=worktree,
        branch_name=last.branch_name if same_place(turn.cwd, last.cwd) else None,
    )
    found = obstacle(session, active)
    if found is not None:
        raise Conflict(f"Session {found.session.id} is writing in {turn.cwd}.")
    adopted = TurnAdopted(thread_id=turn.thread_id, turn_id=turn.turn_id, cause=turn.cause)
    ledger.tell(tx, session, adopted, actor="codex")
    reference = f"app-server:{turn.thread_id}"
    ledger.move(tx, session.id, "queued", actor="codex")
    ledger.move(
        tx,
        session.id,
        "starting",
        actor="codex",
        codex_ref=reference,
        runner_instance=instance,
        started_at=tx.now,
    )
    session = ledger.record_turn(
        tx,
        session.id,
        turn.turn_id,
        codex_ref=f"{reference}:{turn.turn_id}",
        runner="app-server",
        instance=instance,
    )
    return session if turn.goal is None else ledger.record_goal(tx, session.id, turn.goal)


def refuse(tx: Transaction, session: Session, thread_id: str, turn_id: str, *, reason: str) -> None:
    """Tell in the story of the last session why a turn of the thread is interrupted; once."""
    if not was_told(tx.db, session.id, event_type(TurnRefused), turn_id):
        ledger.tell(tx, session, TurnRefused(thread_id=thread_id, turn_id=turn_id, reason=reason))


def settle_released(
    tx: Transaction, *, thread: Thread, repository_id: int, turn_id: str | None
) -> None:
    """Forget the thread, and tell of the turn that was interrupted in it, if one was."""
    released_threads.forget(tx, thread.host, thread.id)
    if turn_id is not None:
        reason = f"Repository {repository_id} was deleted."
        told = TurnRefused(thread_id=thread.id, turn_id=turn_id, reason=reason)
        tx.emit(told, actor=ledger.SYSTEM, repository_id=repository_id)


class NeedsApproval(Conflict):
    """Policy wants a person to agree first, and the turn runs already."""

    def __init__(self, policy: PolicyResult) -> None:
        """Give each reason."""
        reasons = " ".join(reason.message for reason in policy.approvals)
        super().__init__(f"It began without the approval that it needs: {reasons}")


def _check_place(
    tx: Transaction, turn: ForeignTurn, last: Session, repository: Repository
) -> str | None:
    """See that the turn works in the repository; the worktree that it works in, if it is in one.

    Raises:
        Conflict: it works, or may write, elsewhere; or a model answers what it asks.
    """
    known = [last.worktree_path, *_worktrees(tx.db, repository)]
    worktree = next((path for path in known if path and lies_in(turn.cwd, path)), None)
    if worktree is None and not lies_in(turn.cwd, repository.local_path):
        raise Conflict(
            f"It works in {turn.cwd}, which is not a folder of repository {repository.id}."
        )
    inside = (worktree or repository.local_path, repository.local_path)
    for root in turn.writable:
        if not any(lies_in(root, folder) for folder in inside):
            raise Conflict(f"It may write in {root}, outside of repository {repository.id}.")
    if turn.reviewer != "user" and repository.reviewer != "auto":
        raise Conflict("A model answers its questions instead of a person.")
    return worktree


def _worktrees(db: Database, repository: Repository) -> list[str]:
    used = used_worktrees(db, repository.id)
    return [path for path in used if not same_place(path, repository.local_path)]
