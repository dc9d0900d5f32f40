"""Making, changing and taking away automations, each as one unit of a transaction.

Whatever is kept has been checked before, down to the run that it will ask for: a payload that its
repository forbids is refused while somebody is there to read why, and not at night.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.automations import (
    AutomationChanges,
    AutomationPayload,
    CreateAutomation,
    check_fields,
)
from command_center.actors.contracts.events.automations import (
    AutomationCreated,
    AutomationDeleted,
    AutomationUpdated,
)
from command_center.actors.contracts.events.catalogue import BEGINNING
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.ledger.placing import RunPlaces
from command_center.actors.ledger.templates import filled
from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.event_triggers import OnEvent
from command_center.actors.rules.policy import PolicyDenied, evaluate
from command_center.actors.rules.schedule import Once, Schedule, find_zone, parse
from command_center.actors.rules.schedule_errors import InvalidSchedule, UnknownTimezone
from command_center.store import (
    Automation,
    EventData,
    RecordNotFound,
    Repository,
    Task,
    Transaction,
    automation_runs,
    automations,
    events,
    from_timestamp,
    repositories,
    to_timestamp,
)
from command_center.store.records import AutomationThread, Runner


@attrs.frozen(kw_only=True)
class Terms:
    """Terms that hold for all automations here."""

    places: RunPlaces
    runner: Runner
    approval_seconds: float
    zone: ZoneInfo
    """Of automations that name none."""


def existing(db: Database, automation_id: int) -> Automation:
    """Return the automation, if it was not deleted.

    Raises:
        RecordNotFound: it was, or never was there.
    """
    automation = automations.get(db, automation_id)
    if automation.deleted_at is not None:
        raise RecordNotFound("Automation", automation_id)
    return automation


def enabled(db: Database) -> list[Automation]:
    """Return all that are to fire."""
    return automations.every(db, {"enabled": True, "deleted_at": None})


def payload_of(automation: Automation) -> AutomationPayload:
    """Return what it makes, as it was checked when it was kept."""
    return msgspec.convert(automation.payload, AutomationPayload)


def plan_of(automation: Automation, terms: Terms) -> tuple[Schedule, ZoneInfo]:
    """Return its schedule and the zone whose clocks it follows."""
    zone = terms.zone if automation.timezone is None else find_zone(automation.timezone)
    return parse(automation.schedule_expr), zone


def read_schedule(expression: str) -> Schedule:
    """Return the schedule; a wrong one is refused in words for whoever wrote it."""
    try:
        schedule = parse(expression)
    except InvalidSchedule as invalid:
        raise Invalid.field("scheduleExpr", str(invalid)) from invalid
    if isinstance(schedule, OnEvent):
        for kind in schedule.types:
            if kind not in BEGINNING:
                raise Invalid.field("scheduleExpr", _no_event(kind))
    return schedule


def _no_event(kind: str) -> str:
    near = difflib.get_close_matches(kind, BEGINNING, n=3)
    listed = " /docs/events.html#types lists them all."
    meant = f" Did you mean {' or '.join(near)}?" if near else listed
    return f"No run begins by an event {kind!r} of a repository.{meant}"


def read_zone(name: str | None, terms: Terms) -> ZoneInfo:
    """Return the zone, or the one of automations that name none."""
    try:
        return terms.zone if name is None else find_zone(name)
    except UnknownTimezone as unknown:
        raise Invalid.field("timezone", str(unknown)) from unknown


def create_automation(
    tx: Transaction, wanted: CreateAutomation, terms: Terms, now: datetime
) -> Automation:
    """Keep an automation and its first due time, and tell of it.

    Raises:
        Invalid: a field is no schedule, zone, template or text; it is named.
        RecordNotFound: there is no such repository.
        PolicyDenied: it is enabled, and the repository forbids its runs.
    """
    title, expression, payload = filled(wanted)
    check_fields(title=title, payload=payload)
    schedule, zone = read_schedule(expression), read_zone(wanted.timezone, terms)
    _check_thread(wanted.thread, payload, terms)
    repository = repositories.get(tx.db, wanted.repository_id)
    _refuse_past(schedule, zone, now)
    if wanted.enabled:
        _check_policy(tx, repository, title, payload)
    automation = automations.insert(
        tx,
        repository_id=repository.id,
        title=title,
        schedule_expr=expression.strip(),
        timezone=wanted.timezone,
        enabled=wanted.enabled,
        missed_runs=wanted.missed_runs,
        when_limited=wanted.when_limited,
        payload=payload.stored(),
        next_run_at=_stamp(schedule.after(now, zone)) if wanted.enabled else None,
        thread=wanted.thread,
        last_event_id=_follow_from(tx, schedule),
        requested_by=wanted.requested_by,
    )
    _tell(
        tx,
        automation,
        AutomationCreated(
            title=automation.title,
            schedule_expr=automation.schedule_expr,
            enabled=automation.enabled,
            next_run_at=automation.next_run_at,
            template=wanted.template,
        ),
        actor=wanted.requested_by,
    )
    return automation


def patch_automation(
    tx: Transaction, automation_id: int, changes: AutomationChanges, terms: Terms, now: datetime
) -> Automation:
    """Change an automation, and tell what changed. Enabling it forgets its failures.

    Raises:
        RecordNotFound: there is no such automation.
        Invalid, PolicyDenied: as `create_automation`.
    """
    automation = existing(tx.db, automation_id)
    check_fields(title=changes.title, payload=changes.payload)
    given = {
        name: value
        for name in changes.__struct_fields__
        if name != "requested_by" and (value := getattr(changes, name)) is not msgspec.UNSET
    }
    if isinstance(changes.payload, AutomationPayload):
        given["payload"] = changes.payload.stored()
    is_zone_given = not isinstance(changes.timezone, msgspec.UnsetType)
    if is_zone_given or isinstance(changes.schedule_expr, str):
        zone = read_zone(given.get("timezone", automation.timezone), terms)
        if isinstance(changes.schedule_expr, str):
            _refuse_past(read_schedule(changes.schedule_expr), zone, now)
            given["schedule_expr"] = changes.schedule_expr.strip()
    changed = {name: value for name, value in given.items() if getattr(automation, name) != value}
    if not changed:
        return automation
    after = msgspec.structs.replace(automation, **changed)
    if after.enabled and changed.keys() & {"enabled", "payload"}:
        repository = repositories.get(tx.db, after.repository_id)
        _check_policy(tx, repository, after.title, payload_of(after))
    if changed.keys() & {"thread", "payload"}:
        _check_thread(after.thread, payload_of(after), terms)
    more = _due_anew(tx, after, changed, terms, now)
    automation = automations.update(tx, automation_id, **changed, **more)
    _tell(
        tx,
        automation,
        AutomationUpdated(
            changed=sorted(_camel(name) for name in changed),
            enabled=automation.enabled,
            next_run_at=automation.next_run_at,
        ),
        actor=changes.requested_by,
    )
    return automation


def delete_automation(tx: Transaction, automation_id: int, *, actor: str) -> Automation:
    """Take it away for good. What it made stays, and so does a session that runs.

    Raises:
        RecordNotFound: there is no such automation.
    """
    existing(tx.db, automation_id)
    automation = automations.update(
        tx, automation_id, enabled=False, next_run_at=None, deleted_at=tx.now
    )
    _tell(tx, automation, AutomationDeleted(title=automation.title), actor=actor)
    return automation


def rearm(tx: Transaction, automation_id: int, terms: Terms, now: datetime) -> Automation:
    """Set the next due time anew where the clock, or the zone, was changed under it.

    One that has come stays, to be claimed. One that was claimed is never next again, so a clock
    that shows an hour twice does not fire it twice.
    """
    automation = automations.get(tx.db, automation_id)
    if not automation.enabled or not is_astray(automation, terms, now):
        return automation
    following = _stamp(next_unclaimed(tx.db, automation, terms, now))
    if following == automation.next_run_at:
        return automation
    return automations.update(tx, automation_id, next_run_at=following)


def next_unclaimed(
    db: Database, automation: Automation, terms: Terms, now: datetime
) -> datetime | None:
    """Return the first due time after now that was not claimed."""
    schedule, zone = plan_of(automation, terms)
    due = schedule.after(now, zone)
    while due is not None and is_claimed(db, automation.id, due):
        due = schedule.after(due, zone)
    return due


def is_claimed(db: Database, automation_id: int, due: datetime) -> bool:
    """Tell whether the due time has had its run, or was skipped."""
    due_at = to_timestamp(due)
    return automation_runs.find(db, {"automation_id": automation_id, "due_at": due_at}) is not None


def may_be_astray(automation: Automation, terms: Terms, now: datetime) -> bool:
    """Tell whether the automation has to look at the clock; one that cannot be read has not."""
    try:
        return is_astray(automation, terms, now)
    except (InvalidSchedule, UnknownTimezone):
        return False


def is_astray(automation: Automation, terms: Terms, now: datetime) -> bool:
    """Tell whether the due time that is next lies ahead, and is not the first that does."""
    if automation.next_run_at is None:
        return True
    known = from_timestamp(automation.next_run_at)
    if known <= now:
        return False
    schedule, zone = plan_of(automation, terms)
    return schedule.after(now, zone) != known


def _refuse_past(schedule: Schedule, zone: ZoneInfo, now: datetime) -> None:
    if isinstance(schedule, Once) and schedule.after(now, zone) is None:
        raise Invalid.field("scheduleExpr", "This moment is past. Expected one that lies ahead.")


def _due_anew(
    tx: Transaction, after: Automation, changed: Collection[str], terms: Terms, now: datetime
) -> dict[str, Any]:
    """Return the fields that follow from a change of when it is due, or of whether it is on."""
    more: dict[str, Any] = {}
    if "enabled" in changed:
        more = {"paused_reason": None, "next_run_at": None}
        if after.enabled:
            more["consecutive_failures"] = 0
    if not after.enabled:
        return more
    if not {"enabled", "schedule_expr", "timezone"}.isdisjoint(changed):
        more["next_run_at"] = _stamp(next_unclaimed(tx.db, after, terms, now))
    if not {"enabled", "schedule_expr"}.isdisjoint(changed):
        more["last_event_id"] = _follow_from(tx, plan_of(after, terms)[0])
    return more


def _follow_from(tx: Transaction, schedule: Schedule) -> int | None:
    """Return the last event of the log, behind which one that runs by events begins to look."""
    return events.last_id(tx.db) if isinstance(schedule, OnEvent) else None


def _check_thread(thread: AutomationThread, payload: AutomationPayload, terms: Terms) -> None:
    """Refuse to go on in a thread where there is none, or where each run has its own."""
    if thread == "new":
        return
    if payload.task_type == "review_task":
        raise Invalid.field("thread", "Each review has a thread of its own. Expected new.")
    if not RUNNERS[terms.runner].has_threads:
        raise Invalid.field(
            "thread",
            f"This needs CC_CODEX_RUNNER_MODE=app-server; the runner here is {terms.runner}.",
        )


def _check_policy(
    tx: Transaction, repository: Repository, title: str, payload: AutomationPayload
) -> None:
    """Refuse what the repository forbids; what needs an approval will ask for it at each run."""
    task = Task(
        id=0,
        created_at=tx.now,
        updated_at=tx.now,
        repository_id=repository.id,
        type=payload.task_type,
        title=payload.task_title or title,
        prompt=payload.prompt,
        approval_required=payload.approval_required,
        requested_by="api",
        correlation_id="",
    )
    try:
        result = evaluate(repository, task, payload.run_input)
    except Invalid as invalid:
        raise invalid.below("payload.runInput") from invalid
    if result.decision == "deny":
        raise PolicyDenied(result)


def _tell(tx: Transaction, automation: Automation, event: EventData, *, actor: str) -> None:
    tx.emit(
        event,
        actor=actor,
        repository_id=automation.repository_id,
        automation_id=automation.id,
    )


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else to_timestamp(moment)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
