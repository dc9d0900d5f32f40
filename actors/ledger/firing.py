"""Exactly once per due time: the claim of it and the run that it leads to are one transaction.

The row of an automation names the due time that comes next. To act on it is to insert the run that
names it, to make the task and its session, and to move the row on, all or nothing; whoever comes
second, be it another incarnation of the actor or the next life of the server, finds the row moved
on. Before the commit nothing has happened and the due time is found again at the next start; after
it the session is there, and `/tasks` gives every session that has none its actor.

Several due times that passed meanwhile (the machine slept, the server was off) are acted on
together, as the last of them: one run, or none where the automation says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import msgspec

from command_center.actors.contracts.addresses import automation_at
from command_center.actors.contracts.automations import HandRun
from command_center.actors.contracts.events.automations import AutomationFired, AutomationSkipped
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.contracts.tasks import CreateTask, RunOutcome
from command_center.actors.ledger.automations import (
    Terms,
    existing,
    is_claimed,
    next_unclaimed,
    payload_of,
    plan_of,
)
from command_center.actors.ledger.outcomes import count
from command_center.actors.ledger.placing import choose_copy, placed_fields
from command_center.actors.ledger.tasks import create_task, outcome_of_run
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.placement import NowhereToRun
from command_center.actors.rules.policy import RunInput
from command_center.actors.rules.prompt_fields import filled
from command_center.actors.rules.schedule import passed
from command_center.store import (
    Automation,
    AutomationOutcome,
    AutomationRun,
    AutomationTrigger,
    Event,
    Repository,
    Session,
    Transaction,
    automation_runs,
    automations,
    from_timestamp,
    repositories,
    sessions,
    tasks,
    to_timestamp,
    usage_limits,
)

GRACE: Final = timedelta(seconds=60)
"""So much later than it was due a run is merely late; after that its time was missed."""

COUNTED: Final = 100
"""The most missed due times that are counted."""


@attrs.frozen
class Claim:
    """The result of looking whether an automation is due: its row, and a session to be started."""

    automation: Automation
    session_id: int | None = None
    has_more: bool = False
    """True while events wait that may begin further runs."""


@attrs.frozen
class _DueTime:
    """A due time that is to be claimed."""

    at: datetime
    missed: int
    late: bool
    following: str | None


def claim(tx: Transaction, automation_id: int, terms: Terms, now: datetime) -> Claim:
    """Act on the automation's due time, if it has one that has come and nobody did before.

    Raises:
        RecordNotFound, Conflict, PolicyDenied, Invalid: the run cannot be made. Nothing was
            written; `refuse` claims the due time for it.
    """
    automation = automations.get(tx.db, automation_id)
    due = _due_time(tx, automation, terms, now)
    if due is None:
        return Claim(automation)
    if due.late and automation.missed_runs == "skip":
        times = "a due time" if due.missed == 1 else f"{due.missed} due times"
        reason = f"The server was off or asleep at {times}."
        return Claim(_pass_over(tx, automation, due, now, outcome="missed", reason=reason))
    obstacle = why_not_now(tx, automation, terms)
    if obstacle is not None:
        return Claim(_pass_over(tx, automation, due, now, outcome="skipped", reason=obstacle))
    catches_up = due.missed > 0 and automation.missed_runs == "run_once"
    automation, _, outcome = begin_run(
        tx,
        automation,
        terms,
        now,
        trigger="catch_up" if catches_up else "schedule",
        actor=automation_at(automation.id),
        due=due,
    )
    return Claim(automation, outcome.session.id)


def refuse(
    tx: Transaction,
    automation_id: int,
    terms: Terms,
    now: datetime,
    *,
    outcome: AutomationOutcome,
    reason: str,
) -> Claim:
    """Claim the due time for a run that cannot be made, and count it where it is a failure."""
    automation = automations.get(tx.db, automation_id)
    due = _due_time(tx, automation, terms, now)
    if due is None:
        return Claim(automation)
    automation = _pass_over(tx, automation, due, now, outcome=outcome, reason=reason)
    return Claim(count(tx, automation, outcome, reason=reason))


def run_by_hand(
    tx: Transaction, automation_id: int, terms: Terms, now: datetime, *, actor: str
) -> HandRun:
    """Run it now, whether it is enabled or not; its due times stay as they are.

    Raises:
        RecordNotFound: there is no such automation.
        Conflict: a session of it has not ended.
        PolicyDenied: the repository forbids the run.
    """
    automation = existing(tx.db, automation_id)
    live = live_session(tx, automation)
    if live is not None:
        raise Conflict(
            f"Session {live.id} of automation {automation_id} is still {live.status}.",
            sessionId=live.id,
            currentStatus=live.status,
        )
    automation, _, outcome = begin_run(tx, automation, terms, now, trigger="manual", actor=actor)
    return HandRun(
        automation=automation,
        task=outcome.task,
        session=outcome.session,
        policy=outcome.policy,
        blocked=outcome.blocked,
        approvals=outcome.approvals,
    )


def why_not_now(tx: Transaction, automation: Automation, terms: Terms) -> str | None:
    """Return why the automation's next run is skipped; None where it may begin."""
    live = live_session(tx, automation)
    if live is not None:
        is_ours = tasks.get(tx.db, live.task_id).automation_id == automation.id
        whose = "of the previous run" if is_ours else "in its thread"
        return f"Session {live.id} {whose} is still {live.status}."
    if automation.when_limited == "skip" and _limit_holds(tx, automation, terms):
        return "A limit of Codex is reached."
    return None


def _limit_holds(tx: Transaction, automation: Automation, terms: Terms) -> bool:
    """Return whether a run of the automation would wait for a limit of the agent's account."""
    before = _to_go_on_from(tx, automation) if RUNNERS[terms.runner].has_threads else None
    try:
        host = before.host if before else _copy_for(tx, automation, terms)[0].host
    except NowhereToRun:
        return False  # which is said as the run is made
    is_held = usage_limits.known(tx.db, host).held_since is not None
    return is_held and RUNNERS[terms.runner].is_real


def _copy_for(
    tx: Transaction, automation: Automation, terms: Terms
) -> tuple[Repository, dict[str, Any]]:
    """Return the copy in which a run in a new thread works, and what its session says of that.

    Raises:
        NowhereToRun: no host can be chosen.
    """
    own, wish = (
        repositories.get(tx.db, automation.repository_id),
        payload_of(automation).run_input.placement,
    )
    if wish is None:
        return own, {}
    choice = choose_copy(tx.db, own, wish, terms.places)
    return choice.repository, placed_fields(wish, choice)


def live_session(tx: Transaction, automation: Automation) -> Session | None:
    """Return what runs already: of the automation's last run, or in the thread that it goes on in.

    A session is in that thread where a person says something there, or another client of Codex.
    """
    if automation.last_session_id is None:
        return None
    last = sessions.get(tx.db, automation.last_session_id)
    if last.finished_at is None:
        return last
    live = sessions.find(tx.db, {"task_id": last.task_id, "finished_at": None})
    before = _to_go_on_from(tx, automation)
    if live is not None or before is None:
        return live
    same = {"codex_thread_id": before.codex_thread_id, "host": before.host}
    return sessions.find(tx.db, {**same, "finished_at": None})


def _to_go_on_from(tx: Transaction, automation: Automation) -> Session | None:
    """Return the session in whose thread the next run goes on; None where it has a new one."""
    if automation.thread == "new" or automation.last_session_id is None:
        return None
    last = sessions.get(tx.db, automation.last_session_id)
    is_kept = last.codex_thread_id is not None and RUNNERS[last.runner].has_threads
    return last if is_kept else None


def _thread_of(before: Session | None) -> dict[str, Any]:
    """Return the fields of a session that goes on in the thread of the one before."""
    if before is None:
        return {}
    return {"codex_thread_id": before.codex_thread_id, "previous_session_id": before.id}


def _place_of(before: Session | None, run: RunInput) -> dict[str, Any]:
    """Return the worktree in which a thread goes on, unless the run has a place of its own."""
    if before is None or before.worktree_path is None or before.worktree_reserved:
        return {}
    if run.worktree_path is not None or run.workplace == "main_checkout":
        return {}
    place = {"worktree_path": before.worktree_path, "branch_name": before.branch_name}
    return {**place, "workplace": None}


def _due_time(
    tx: Transaction, automation: Automation, terms: Terms, now: datetime
) -> _DueTime | None:
    if not automation.enabled or automation.next_run_at is None:
        return None
    first = from_timestamp(automation.next_run_at)
    if first > now:
        return None
    schedule, zone = plan_of(automation, terms)
    times = passed(schedule, zone, first, now, limit=COUNTED)
    # The clock may have been here before: what was claimed then is not claimed again.
    at = next(
        due for due in reversed(times) if due == first or not is_claimed(tx.db, automation.id, due)
    )
    late = now - at > GRACE
    following = next_unclaimed(tx.db, automation, terms, now)
    return _DueTime(
        at=at,
        missed=len(times) if late else len(times) - 1,
        late=late,
        following=None if following is None else to_timestamp(following),
    )


def begin_run(
    tx: Transaction,
    automation: Automation,
    terms: Terms,
    now: datetime,
    *,
    trigger: AutomationTrigger,
    actor: str,
    due: _DueTime | None = None,
    fields: Mapping[str, Any] | None = None,
    event: Event | None = None,
) -> tuple[Automation, AutomationRun, RunOutcome]:
    """Make the task and run it: one story, from the firing to the session's last event.

    `fields` are what a hook's delivery says, or the `event` by which it runs, for the fields of the
    prompt. Without them the prompt is as it stands: its braces may be those of a template that it
    speaks of. What an event leads to goes on with that event's story.
    """
    payload = payload_of(automation)
    due_at = None if due is None else to_timestamp(due.at)
    missed = 0 if due is None else due.missed
    origin = tx.origin if event is None else event.correlation_id
    correlation_id = origin or uuid.uuid4().hex
    event_id = None if event is None else event.id
    fired = tx.emit(
        AutomationFired(title=automation.title, trigger=trigger, due_at=due_at, missed=missed),
        actor=actor,
        repository_id=automation.repository_id,
        automation_id=automation.id,
        correlation_id=correlation_id,
        causation_id=event_id,
    )
    before = _to_go_on_from(tx, automation) if RUNNERS[terms.runner].has_threads else None
    placed: dict[str, Any] = {}
    if before is not None:
        repository_id = before.repository_id
    else:
        copy, placed = _copy_for(tx, automation, terms)
        repository_id = copy.id
    task = create_task(
        tx,
        CreateTask(
            repository_id=repository_id,
            title=payload.task_title or automation.title,
            prompt=payload.prompt if fields is None else filled(payload.prompt, fields),
            type=payload.task_type,
            priority=payload.priority,
            approval_required=payload.approval_required,
            on_interrupt=payload.on_interrupt,
            max_attempts=payload.max_attempts,
            turn_limit=payload.turn_limit,
            token_budget=payload.token_budget,
            placement=payload.run_input.placement,
            requested_by=actor,
        ),
        automation_id=automation.id,
        correlation_id=correlation_id,
        causation_id=fired,
    )
    outcome = outcome_of_run(
        tx,
        task.id,
        msgspec.structs.replace(
            payload.run_input, requested_by=actor, **_place_of(before, payload.run_input)
        ),
        runner=terms.runner,
        approval_seconds=terms.approval_seconds,
        **_thread_of(before),
        **placed,
    )
    fired_at = to_timestamp(now)
    run = automation_runs.insert(
        tx,
        automation_id=automation.id,
        trigger=trigger,
        due_at=due_at,
        fired_at=fired_at,
        missed=missed,
        outcome="started",
        task_id=task.id,
        session_id=outcome.session.id,
        event_id=event_id,
    )
    automation = automations.update(
        tx,
        automation.id,
        next_run_at=automation.next_run_at if due is None else due.following,
        last_run_at=fired_at,
        last_outcome="started",
        last_session_id=outcome.session.id,
    )
    return automation, run, outcome


def pass_over_run(
    tx: Transaction,
    automation: Automation,
    now: datetime,
    *,
    trigger: AutomationTrigger,
    outcome: AutomationOutcome,
    reason: str,
    due: _DueTime | None = None,
    event: Event | None = None,
    events_passed: int = 0,
) -> AutomationRun:
    """Note that there is no run, and say why; `event` is the last of those that are passed over."""
    due_at = None if due is None else to_timestamp(due.at)
    missed = events_passed if due is None else due.missed
    following = automation.next_run_at if due is None else due.following
    event_id = None if event is None else event.id
    run = automation_runs.insert(
        tx,
        automation_id=automation.id,
        trigger=trigger,
        due_at=due_at,
        fired_at=to_timestamp(now),
        missed=missed,
        outcome=outcome,
        reason=reason,
        finished_at=to_timestamp(now),
        event_id=event_id,
    )
    tx.emit(
        AutomationSkipped(
            title=automation.title,
            outcome=outcome,
            reason=reason,
            due_at=due_at,
            missed=missed,
            next_run_at=following,
        ),
        actor=automation_at(automation.id),
        repository_id=automation.repository_id,
        session_id=automation.last_session_id if outcome == "skipped" else None,
        automation_id=automation.id,
        correlation_id=None if event is None else event.correlation_id,
        causation_id=event_id,
    )
    automations.update(tx, automation.id, last_outcome=outcome, next_run_at=following)
    return run


def _pass_over(
    tx: Transaction,
    automation: Automation,
    due: _DueTime,
    now: datetime,
    *,
    outcome: AutomationOutcome,
    reason: str,
) -> Automation:
    """Claim the due time without a run, and say why."""
    trigger: AutomationTrigger = "schedule" if due.missed == 0 else "catch_up"
    pass_over_run(tx, automation, now, trigger=trigger, outcome=outcome, reason=reason, due=due)
    return automations.get(tx.db, automation.id)
