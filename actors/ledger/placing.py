"""Everything that is written when the host of a run is chosen, in the transaction that makes it.

A task lies where it ran last: where another copy of its repository is chosen, the task goes there.
So all that follows its session, such as a commit or a pull request, is about that copy.
"""

from __future__ import annotations

from typing import Any

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.tasks import TaskUpdated
from command_center.actors.contracts.hosts import Host, Hosts
from command_center.actors.ledger import sessions as ledger
from command_center.actors.ledger.hosts import states_of
from command_center.actors.rules.placement import (
    Candidate,
    NowhereToRun,
    Placement,
    PlacementChoice,
    check_placement,
    choose,
    leaves_host_open,
    stored_placement,
)
from command_center.actors.rules.policy import RunInput, evaluate, run_of
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    approvals,
    leases,
    repositories,
    sessions,
    tasks,
    usage_limits,
)
from command_center.store.queries.causes import last_event
from command_center.store.statuses import ACTIVE


@attrs.frozen
class RunPlaces:
    """The hosts among which one is chosen, and how many sessions may work on all together."""

    hosts: Hosts[Host]
    limit: int


def wish_of(task: Task, run: RunInput) -> Placement | None:
    """Return what is asked of the host of a run: by the run itself, or else by its task."""
    if run.placement is not None or task.placement is None:
        return run.placement
    kept: Placement = msgspec.convert(task.placement, Placement)
    return kept


def copies_of(db: Database, repository: Repository) -> list[Repository]:
    """Return the repository with those on other hosts that are known to be the same."""
    if repository.identity is None:
        return [repository]
    return repositories.every(db, {"identity": repository.identity})


def choose_copy(
    db: Database, own: Repository, wish: Placement, places: RunPlaces
) -> PlacementChoice:
    """Choose the copy in which a run works.

    Raises:
        Invalid: nothing can be meant by the wish.
        NowhereToRun: no host can be chosen.
    """
    check_placement(wish)
    hosts, limit, states = places.hosts, places.limit, states_of(db)
    candidates = []
    for copy in copies_of(db, own):
        if copy.host not in hosts:
            continue
        state, vitals = states.get(copy.host), hosts.vitals(copy.host)
        most = None if state is None else state.max_sessions
        candidates.append(
            Candidate(
                repository=copy,
                state=state,
                absence=hosts.of(copy).absence,
                wanted=sessions.count(
                    db, {"host": copy.host, "status": ("queued", *sorted(ACTIVE))}
                ),
                slots=limit if most is None else min(most, limit),
                load=None if vitals is None else vitals.load.per_processor,
                is_held=usage_limits.known(db, copy.host).held_since is not None,
                is_clone=leases.is_clone(db, copy.id),
            )
        )
    return choose(wish, own, candidates)


def place_run(tx: Transaction, task_id: int, run: RunInput, places: RunPlaces) -> dict[str, Any]:
    """Choose the copy in which a task runs now, and have it lie there.

    Return the fields of its session that tell of it; none where nothing is asked of the host.

    Raises:
        Invalid, NowhereToRun: as `choose_copy`.
    """
    task = tasks.get(tx.db, task_id)
    wish = wish_of(task, run)
    if wish is None:
        return {}
    own = repositories.get(tx.db, task.repository_id)
    choice = choose_copy(tx.db, own, wish, places)
    move_task(tx, task, choice.repository.id, actor=run.requested_by or "api")
    return placed_fields(wish, choice)


def choose_again(tx: Transaction, session_id: int, places: RunPlaces) -> Session:
    """Give a queued session another host, where its run leaves that open and one can be chosen.

    What the copy there allows is what it may do. One that a person has approved stays where it
    was approved for, and so does one that the copy there would forbid, or ask a person about.
    """
    session = sessions.get(tx.db, session_id)
    asked = approvals.count(tx.db, {"session_id": session.id})
    if session.status != "queued" or not leaves_host_open(session) or asked:
        return session
    wish: Placement = msgspec.convert(session.placement, Placement)
    try:
        choice = choose_copy(tx.db, repositories.get(tx.db, session.repository_id), wish, places)
    except NowhereToRun:
        return session
    if choice.repository.host == session.host:
        return session
    task = tasks.get(tx.db, session.task_id)
    policy = evaluate(choice.repository, task, run_of(session))
    if policy.run is None or policy.approvals:
        return session
    move_task(tx, task, choice.repository.id, actor=ledger.SYSTEM)
    return ledger.place_session(tx, session.id, choice.repository, policy.run, choice.reason)


def move_task(tx: Transaction, task: Task, repository_id: int, *, actor: str) -> Task:
    """Have a task lie in another copy of its repository, and tell of it; one there stays."""
    if task.repository_id == repository_id:
        return task
    moved = tasks.update(tx, task.id, repository_id=repository_id)
    tx.emit(
        TaskUpdated(changed=["repository_id"]),
        actor=actor,
        repository_id=repository_id,
        task_id=task.id,
        automation_id=task.automation_id,
        correlation_id=task.correlation_id,
        causation_id=last_event(tx.db, "task_id", task.id),
    )
    return moved


def placed_fields(wish: Placement, choice: PlacementChoice) -> dict[str, Any]:
    """Return the fields of a session that tell how its host was chosen."""
    return {"placement": stored_placement(wish), "placement_reason": choice.reason}
