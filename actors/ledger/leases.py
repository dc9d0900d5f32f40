"""Everything that is written of leases: each function is one unit of a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.hosts import (
    LeaseGivenUp,
    LeaseLost,
    LeaseReassigned,
    LeaseRenewed,
    LeftWorkFound,
)
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.admission import admit
from command_center.actors.ledger.budgets import check_limits
from command_center.actors.ledger.placing import move_task
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.policy import PolicyDenied, RunInput, evaluate, run_of
from command_center.store import Session, Transaction, leases, repositories, sessions, tasks
from command_center.store.leases import RunLease

MOVES: Final = 5
"""Times that a run is given to another host at the most."""

GO_ON: Final = (
    "{prompt}\n\n(Another machine had begun this, and was lost. It may have left work on branch "
    "{branch}, which is not here.)"
)


def take_lease(tx: Transaction, session_id: int) -> int | None:
    """Give a session its lease; None for one that works in no clone of a pool.

    Raises:
        Conflict: it had one, and that was lost.
    """
    session = sessions.get(tx.db, session_id)
    if not leases.is_clone(tx.db, session.repository_id):
        return None
    known = leases.of_session(tx.db, session_id)
    if known is not None and known.status != "held":
        raise Conflict(f"Lease {known.number} of session {session_id} is {known.status}.")
    return leases.take(tx, session)


def keep_renewed(tx: Transaction, host: str, numbers: Sequence[int], *, actor: str) -> None:
    """Tell that leases were renewed."""
    tx.emit(LeaseRenewed(host=host, leases=list(numbers)), actor=actor)


def close_ended(tx: Transaction, host: str) -> None:
    """Note that the leases are over whose sessions have ended by themselves."""
    for lease in leases.of_host(tx.db, host):
        if lease.status == "held" and lease.session.finished_at is not None:
            leases.set_status(tx, lease.number, "over")


def lose(tx: Transaction, number: int, session_id: int, reason: str) -> bool:
    """Note that a lease is lost, and tell of it; say if its session has not ended by itself."""
    lease = leases.of_session(tx.db, session_id)
    if lease is None or lease.number != number or lease.status != "held":
        return False
    session = sessions.get(tx.db, session_id)
    if session.finished_at is not None:
        leases.set_status(tx, number, "over")
        return False
    leases.set_status(tx, number, "lost")
    lost = LeaseLost(
        host=lease.host,
        lease=number,
        folder=session.cwd,
        branch_name=session.branch_name,
        reason=reason,
    )
    ledger.tell(tx, session, lost)
    return True


def why_not_again(db: Database, lease: RunLease) -> str | None:
    """Say why the run of a lost lease goes on nowhere; None where it may."""
    session = sessions.get(db, lease.session.id)
    if session.stop_requested is not None:
        return "It was to be stopped."
    if session.status != "interrupted":
        return f"Session {session.id} is {session.status}."
    if tasks.get(db, session.task_id).status == "cancelled":
        return f"Task {session.task_id} is cancelled."
    if session.attempt > MOVES:
        return f"It was begun {session.attempt} times."
    return None


def give_up(tx: Transaction, lease: RunLease, reason: str) -> None:
    """Note that the run of a lost lease goes on nowhere, and tell of it."""
    leases.set_status(tx, lease.number, "given_up")
    told = LeaseGivenUp(lease=lease.number, host=lease.host, reason=reason)
    ledger.tell(tx, sessions.get(tx.db, lease.session.id), told)


def settle_left(tx: Transaction, left: Sequence[RunLease]) -> None:
    """Ask no more for leases whose repository is being removed from here, and tell of it.

    Raises:
        Conflict: the run of one is to go on on another host.
    """
    waiting = [one for one in left if one.status == "lost"]
    if waiting:
        session = waiting[0].session
        raise Conflict(
            f"The run of session {session.id} is to go on on another host, since "
            f"{waiting[0].host} was lost. Cancel task {session.task_id} to give it up.",
            sessionIds=[one.session.id for one in waiting],
        )
    for lease in left:
        problem = f"The repository was removed from here before host {lease.host} was back."
        tell_left_work(tx, lease, problem=problem)


def reassign(
    tx: Transaction, lease: RunLease, repository_id: int, *, approval_seconds: float
) -> Session | None:
    """Give the run of a lost lease to the clone of another host; None where it may not go on.

    The session is a new one, in a thread and a worktree of its own: those of the first host are
    not there. It says what the first one said.
    """
    ended = sessions.get(tx.db, lease.session.id)
    known = leases.of_session(tx.db, ended.id)
    if known is None or known.status != "lost":
        return None  # another life has done it
    reason = why_not_again(tx.db, lease)
    if reason is not None:
        give_up(tx, lease, reason)
        return None
    task = tasks.get(tx.db, ended.task_id)
    repository = repositories.get(tx.db, repository_id)
    task = move_task(tx, task, repository_id, actor=ledger.SYSTEM)
    run: RunInput = msgspec.structs.replace(
        run_of(ended), worktree_path=None, branch_name=None, workplace="worktree"
    )
    policy = evaluate(repository, task, run)
    try:
        check_limits(tx, task)
    except Conflict as refused:
        give_up(tx, lease, str(refused))
        return None
    if policy.run is None:
        give_up(tx, lease, str(PolicyDenied(policy)))
        return None
    first = ledger.first_attempt(tx, ended)
    session = ledger.insert_session(
        tx,
        task,
        repository,
        policy.run,
        prompt=GO_ON.format(prompt=first.prompt, branch=ended.branch_name),
        attachments=first.attachments,
        runner=ended.runner,
        requested_by=ended.requested_by,
        previous_session_id=ended.id,
        origin="continue",
        placement=ended.placement,
        placement_reason=f"{ended.host} lost the lease of the run.",
        attempt=ended.attempt + 1,
        type=ended.type,
        token_budget=ended.token_budget,
    )
    leases.set_status(tx, lease.number, "reassigned")
    told = LeaseReassigned(
        lease=lease.number, host=lease.host, to_session_id=session.id, to_host=session.host
    )
    ledger.tell(tx, ended, told)
    return admit(
        tx,
        session.id,
        actor=session.requested_by,
        approval_seconds=approval_seconds,
        policy=policy,
    )


def tell_left_work(
    tx: Transaction,
    lease: RunLease,
    *,
    commits: int | None = None,
    is_dirty: bool | None = None,
    problem: str | None = None,
) -> None:
    """Tell what the host of a lost lease has of its run, and ask no more for it."""
    session = sessions.get(tx.db, lease.session.id)
    leases.settle(tx, lease.number)
    told = LeftWorkFound(
        lease=lease.number,
        host=lease.host,
        folder=session.cwd,
        branch_name=session.branch_name,
        commits=commits,
        is_dirty=is_dirty,
        problem=problem,
    )
    ledger.tell(tx, session, told)
