"""Exactly once per event: what is followed of the log, and the run, are one transaction.

The row of an automation that runs by events names the last event that it has acted on. To act on
the next one that is meant is to make its run, or to say why there is none, and to move the row on.
So a crash comes before all of it or after, and what was told while nobody followed is found then.

**No circle.** An event that the automation's own runs led to, by whatever way its causes tell of,
begins none. What no causes tell of is bounded by `MOST_AN_HOUR`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, takewhile
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
from command_center.actors.ledger.outcomes import FAILED, count
from command_center.actors.rules.event_triggers import OnEvent
from command_center.store import (
    Automation,
    AutomationOutcome,
    Event,
    EventFilter,
    StoredEvent,
    Transaction,
    automation_runs,
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

_MISSED: Final = (
    "The server was off or asleep when it came, or other events of this automation came first."
)

STRIDE: Final = 1000
"""Events without one that is meant after which the place in the log is kept all the same."""


def wanted_by(automation: Automation, trigger: OnEvent) -> EventFilter:
    """Return the filter of the events that an automation follows."""
    return EventFilter(types=trigger.types, repository_id=automation.repository_id)


def claim_event(tx: Transaction, automation_id: int, terms: Terms, now: datetime) -> Claim:
    """Act on the next event that is to begin a run, if there is one.

    Where it begins none, neither do those behind it that are known by then: they are passed over
    with it, a page at most.

    Raises:
        RecordNotFound, Conflict, PolicyDenied, Invalid: the run cannot be made. Nothing was
            written; `refuse_event` claims the event for it.
    """
    automation, meant, has_more = _next(tx, automation_id, terms)
    event = next(meant, None)
    if event is None:
        return Claim(automation, has_more=has_more)

    def is_missed(event: Event) -> bool:
        return automation.missed_runs == "skip" and now - from_timestamp(event.ts) > GRACE

    if is_missed(event):
        passed = [event, *takewhile(is_missed, meant)]
        automation = _pass_over(tx, automation, passed, now, outcome="missed", reason=_MISSED)
        return Claim(automation, has_more=True)
    reason = why_not_now(tx, automation, terms) or _why_too_many(tx, automation, now)
    if reason is not None:
        passed = [event, *meant]
        automation = _pass_over(tx, automation, passed, now, outcome="skipped", reason=reason)
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
    """Claim the next event for a run that cannot be made, and count it where it is a failure.

    What is `skipped` has the events behind it passed over, too.
    """
    automation, meant, has_more = _next(tx, automation_id, terms)
    event = next(meant, None)
    if event is None:
        return Claim(automation, has_more=has_more)
    passed = [event, *meant] if outcome == "skipped" else [event]
    automation = _pass_over(tx, automation, passed, now, outcome=outcome, reason=reason)
    return Claim(count(tx, automation, outcome, reason=reason), has_more=True)


def _next(
    tx: Transaction, automation_id: int, terms: Terms
) -> tuple[Automation, Iterator[Event], bool]:
    """Return the events of the next page that are to be acted on, one by one, and if more follow.

    Where there is none, how far the log is followed is kept.
    """
    automation = automations.get(tx.db, automation_id)
    trigger, _ = plan_of(automation, terms)
    last = automation.last_event_id
    if not automation.enabled or last is None or not isinstance(trigger, OnEvent):
        return automation, iter(()), False
    wanted = wanted_by(automation, trigger)
    found, following = events.after(tx.db, last, limit=PAGE, wanted=wanted)
    meant = _meant(tx, automation, trigger, found)
    first = next(meant, None)
    if first is not None:
        return automation, chain((first,), meant), True
    end = found[-1].id if following is not None else events.last_id(tx.db)
    if found or end - last >= STRIDE:
        automation = _followed(tx, automation, end)
    return automation, iter(()), following is not None


def _meant(
    tx: Transaction, automation: Automation, trigger: OnEvent, found: Sequence[StoredEvent]
) -> Iterator[Event]:
    """Return those of the events by which a run is to begin."""
    for stored in found:
        if stored.type not in trigger.types or stored.type not in BEGINNING:
            continue
        event = msgspec.json.decode(stored.body, type=Event)
        is_meant = trigger.meets(msgspec.to_builtins(event))
        if is_meant and not was_led_to_by(tx.db, event.id, automation.id):
            yield event


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
    passed: Sequence[Event],
    now: datetime,
    *,
    outcome: AutomationOutcome,
    reason: str,
) -> Automation:
    """Claim the events without a run, and say why.

    What is passed over for one reason has one row, however many come, and is told of once.
    """
    last = passed[-1]
    before = automation_runs.find(tx.db, {"automation_id": automation.id}, newest_first=True)
    is_same = before is not None and (before.trigger, before.outcome, before.reason) == (
        "event",
        outcome,
        reason,
    )
    if before is not None and is_same and outcome not in FAILED:
        automation_runs.update(
            tx,
            before.id,
            missed=before.missed + len(passed),
            event_id=last.id,
            finished_at=to_timestamp(now),
        )
    else:
        pass_over_run(
            tx,
            automation,
            now,
            trigger="event",
            outcome=outcome,
            reason=reason,
            event=last,
            events_passed=len(passed),
        )
    return _followed(tx, automation, last.id)
