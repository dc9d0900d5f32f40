"""Exactly once per event: what is followed of the log, and the run, are one transaction.

The row of an automation that runs by events names the last event that it has acted on. To act on
the next one that is meant is to make its run, or to say why there is none, and to move the row on.
So a crash comes before all of it or after, and what was told while nobody followed is found then.

**No circle.** An event that the automation's own runs led to, by whatever way its causes tell of,
begins none. What no causes tell of is bounded by `MOST_AN_HOUR`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from command_center.actors.contracts.addresses import automation_at
from command_center.actors.contracts.events.catalogue import BEGINNING
from command_center.actors.ledger.automations import Terms, plan_of
from command_center.actors.ledger.firing import (
    GRACE,
    Claim,
    begin_run,
    pass_over_run,
    why_not_now,
)
from command_center.actors.ledger.outcomes import count
from command_center.actors.rules.event_triggers import OnEvent
from command_center.store import (
    Automation,
    AutomationOutcome,
    Event,
    EventFilter,
    Transaction,
    automations,
    events,
    from_timestamp,
    to_timestamp,
)
from command_center.store.queries.automation_runs import begun_since
from command_center.store.queries.causes import was_led_to_by

MOST_AN_HOUR: Final = 20
"""Runs that events begin of one automation within an hour."""

PAGE: Final = 200
"""Events that are looked at in one transaction."""

STRIDE: Final = 1000
"""Events without one that is meant after which the place in the log is kept all the same."""


def wanted_by(automation: Automation, trigger: OnEvent) -> EventFilter:
    """Return the filter of the events that an automation follows."""
    return EventFilter(types=trigger.types, repository_id=automation.repository_id)


def claim_event(tx: Transaction, automation_id: int, terms: Terms, now: datetime) -> Claim:
    """Act on the next event that is to begin a run, if there is one.

    Raises:
        RecordNotFound, Conflict, PolicyDenied, Invalid: the run cannot be made. Nothing was
            written; `refuse_event` claims the event for it.
    """
    automation, event, has_more = _next(tx, automation_id, terms)
    if event is None:
        return Claim(automation, has_more=has_more)
    outcome: AutomationOutcome = "skipped"
    reason = None
    if automation.missed_runs == "skip" and now - from_timestamp(event.ts) > GRACE:
        outcome = "missed"
        reason = f"The server was off or asleep when event {event.id} ({event.type}) came."
    reason = reason or why_not_now(tx, automation, terms) or _why_too_many(tx, automation, now)
    if reason is not None:
        automation = _pass_over(tx, automation, event, now, outcome=outcome, reason=reason)
        return Claim(automation, has_more=True)
    automation, _, begun = begin_run(
        tx,
        automation,
        terms,
        now,
        trigger="event",
        actor=automation_at(automation.id),
        fields=msgspec.to_builtins(event),
        event=event,
    )
    return Claim(_followed(tx, automation, event.id), begun.session.id, has_more=True)


def refuse_event(
    tx: Transaction,
    automation_id: int,
    terms: Terms,
    now: datetime,
    *,
    outcome: AutomationOutcome,
    reason: str,
) -> Claim:
    """Claim the next event for a run that cannot be made, and count it where it is a failure."""
    automation, event, has_more = _next(tx, automation_id, terms)
    if event is None:
        return Claim(automation, has_more=has_more)
    automation = _pass_over(tx, automation, event, now, outcome=outcome, reason=reason)
    return Claim(count(tx, automation, outcome, reason=reason), has_more=True)


def _next(
    tx: Transaction, automation_id: int, terms: Terms
) -> tuple[Automation, Event | None, bool]:
    """Return the first event that is to be acted on, or else how far the log is followed now."""
    automation = automations.get(tx.db, automation_id)
    trigger, _ = plan_of(automation, terms)
    last = automation.last_event_id
    if not automation.enabled or last is None or not isinstance(trigger, OnEvent):
        return automation, None, False
    wanted = wanted_by(automation, trigger)
    found, following = events.after(tx.db, last, limit=PAGE, wanted=wanted)
    for stored in found:
        event = msgspec.json.decode(stored.body, type=Event)
        may_begin = stored.type in trigger.types and stored.type in BEGINNING
        is_meant = may_begin and trigger.meets(msgspec.to_builtins(event))
        if is_meant and not was_led_to_by(tx.db, event.id, automation_id):
            return automation, event, True
    end = found[-1].id if following is not None else events.last_id(tx.db)
    if found or end - last >= STRIDE:
        automation = _followed(tx, automation, end)
    return automation, None, following is not None


def _followed(tx: Transaction, automation: Automation, event_id: int) -> Automation:
    return automations.update(tx, automation.id, last_event_id=event_id)


def _why_too_many(tx: Transaction, automation: Automation, now: datetime) -> str | None:
    """Return why no more runs begin by events within this hour."""
    begun = begun_since(tx.db, automation.id, "event", to_timestamp(now - timedelta(hours=1)))
    if begun < MOST_AN_HOUR:
        return None
    return f"Events have begun {begun} runs within an hour, and no more than that may."


def _pass_over(
    tx: Transaction,
    automation: Automation,
    event: Event,
    now: datetime,
    *,
    outcome: AutomationOutcome,
    reason: str,
) -> Automation:
    """Claim the event without a run, and say why."""
    pass_over_run(tx, automation, now, trigger="event", outcome=outcome, reason=reason, event=event)
    return _followed(tx, automation, event.id)
