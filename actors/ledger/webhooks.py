"""Everything that is written of webhooks: each function is one unit of a transaction, or reads.

A webhook has a place in the event log. The next event to be sent is the first of its types after
that place, and the place moves on in the transaction that notes the delivery. So nothing is copied
out of the log, nothing is lost however long a webhook is paused, unless it is removed as old, and
to send events again is to set the place back.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.webhooks import (
    WebhookCreated,
    WebhookDeleted,
    WebhookPaused,
    WebhookReplayed,
    WebhookTested,
    WebhookUpdated,
)
from command_center.actors.contracts.webhooks import (
    ALL_TYPES,
    NewWebhook,
    ReplayFrom,
    WebhookChanges,
    origin_of,
)
from command_center.actors.rules.errors import Conflict
from command_center.store import (
    EventFilter,
    RecordNotFound,
    StoredEvent,
    Transaction,
    Webhook,
    WebhookDelivery,
    event_cut,
    events,
    webhook_deliveries,
    webhooks,
)
from command_center.store.queries.webhooks import (
    remove_old_deliveries,
    remove_webhook,
    webhooks_sent_by_hand,
)
from command_center.store.timestamps import from_timestamp

MOST: Final = 50
"""Webhooks that there may be."""

KEPT: Final = 1000
"""Deliveries of each that are kept."""


@attrs.frozen
class DueEvent:
    """An event that waits to be sent to a webhook; `delivery` is None before the first attempt."""

    webhook: Webhook
    event: StoredEvent
    delivery: WebhookDelivery | None = None

    @property
    def not_before(self) -> str | None:
        """Return the moment before which it is not tried."""
        return None if self.delivery is None else self.delivery.not_before

    @property
    def attempts(self) -> int:
        """Return how often it was tried."""
        return 0 if self.delivery is None else self.delivery.attempts

    @property
    def is_by_hand(self) -> bool:
        """Return True if somebody wanted it sent, out of the order of events."""
        return self.delivery is not None and self.delivery.is_by_hand


def create(tx: Transaction, wanted: NewWebhook, *, secret: str) -> Webhook:
    """Keep a webhook, which is sent what happens from now on, and tell of it.

    Raises:
        Conflict: there are too many.
    """
    if webhooks.count(tx.db, {}) >= MOST:
        raise Conflict(f"There are {MOST} webhooks already. Remove one first.")
    made = webhooks.insert(
        tx,
        url=wanted.url,
        types=sorted(set(wanted.types)),
        secret=secret,
        position=events.last_id(tx.db),
    )
    told = WebhookCreated(id=made.id, origin=origin_of(made.url), types=made.types)
    tx.emit(told, actor=wanted.requested_by)
    return made


def patch(tx: Transaction, webhook_id: int, changes: WebhookChanges) -> Webhook:
    """Change what differs, and tell of it if anything does; what waits is tried at once.

    Other types count from now on: what waits under those before is sent first, and of the new ones
    nothing older.

    Raises:
        RecordNotFound: there is no such webhook.
    """
    before = webhooks.get(tx.db, webhook_id)
    given = {
        name: getattr(changes, name)
        for name in ("url", "types", "secret", "status")
        if not isinstance(getattr(changes, name), msgspec.UnsetType)
    }
    if "types" in given:
        given["types"] = sorted(set(given["types"]))
    changed: dict[str, Any] = {n: v for n, v in given.items() if getattr(before, n) != v}
    if not changed:
        return before
    names = sorted(changed)
    if "types" in changed:
        changed["position"] = _just_before(tx.db, before)
    if "status" in changed:
        changed |= {"paused_reason": None, "failing_since": None}
    _hurry(tx, webhook_id)
    after = webhooks.update(tx, webhook_id, **changed)
    told = WebhookUpdated(id=webhook_id, origin=origin_of(after.url), changed=names)
    tx.emit(told, actor=changes.requested_by)
    return after


def delete(tx: Transaction, webhook_id: int, *, actor: str) -> Webhook:
    """Remove a webhook with its deliveries, and tell of it; the webhook as it was.

    Raises:
        RecordNotFound: there is no such webhook.
    """
    found = webhooks.get(tx.db, webhook_id)
    remove_webhook(tx, webhook_id)
    tx.emit(WebhookDeleted(id=webhook_id, origin=origin_of(found.url)), actor=actor)
    return found


def replay(tx: Transaction, webhook_id: int, wanted: ReplayFrom) -> Webhook:
    """Set the place of a webhook in the log, and tell of it.

    Raises:
        RecordNotFound: there is no such webhook.
        Conflict: the log has not come that far.
    """
    webhooks.require(tx.db, webhook_id)
    last, first = events.last_id(tx.db), event_cut.removed_up_to(tx.db) + 1
    if wanted.after > last:
        raise Conflict(f"The last event is {last}.", lastId=last)
    if wanted.after < first - 1:
        raise Conflict(f"The oldest event that is kept is {first}.", oldestId=first)
    for delivery in webhook_deliveries.every(
        tx.db, {"webhook_id": webhook_id, "status": "waiting", "is_by_hand": False}
    ):
        webhook_deliveries.update(tx, delivery.id, status="passed_over", not_before=None)
    set_back = webhooks.update(tx, webhook_id, position=wanted.after, failing_since=None)
    tx.emit(WebhookReplayed(id=webhook_id, after=wanted.after), actor=wanted.requested_by)
    return set_back


def send_test(tx: Transaction, webhook_id: int, *, actor: str) -> WebhookDelivery:
    """Write a test for a webhook, which is an event of the log.

    Raises:
        RecordNotFound: there is no such webhook.
    """
    webhooks.require(tx.db, webhook_id)
    told = WebhookTested(id=webhook_id)
    event_id = tx.emit(told, actor=actor)
    return _by_hand(tx, webhook_id, event_id, "webhook.tested")


def resend(tx: Transaction, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Have the event of a delivery sent once more.

    Raises:
        RecordNotFound: the webhook has no such delivery.
    """
    webhooks.require(tx.db, webhook_id)
    found = webhook_deliveries.get(tx.db, delivery_id)
    if found.webhook_id != webhook_id:
        raise RecordNotFound(webhook_deliveries.kind, delivery_id)
    if found.event_id <= event_cut.removed_up_to(tx.db):
        raise Conflict(f"Event {found.event_id} was removed, as it is old.")
    return _by_hand(tx, webhook_id, found.event_id, found.type)


def wanted_by_any(db: Database) -> EventFilter | None:
    """Return the filter of all that is to be sent anywhere; None for nothing."""
    active = webhooks.sound(db, {"status": "active"})[0]
    if not active:
        return None
    if any(ALL_TYPES in webhook.types for webhook in active):
        return EventFilter()
    return EventFilter(types=tuple({kind for webhook in active for kind in webhook.types}))


def waiting(db: Database) -> list[int]:
    """Return the webhooks for which something waits."""
    active = webhooks.sound(db, {"status": "active"})[0]
    behind = [webhook.id for webhook in active if _next_event(db, webhook) is not None]
    return [*dict.fromkeys((*webhooks_sent_by_hand(db), *behind))]


def first_waiting(db: Database) -> int | None:
    """Return the first event that waits to be sent anywhere; None where none does."""
    by_hand = webhook_deliveries.sound(db, {"status": "waiting", "is_by_hand": True})[0]
    active = webhooks.sound(db, {"status": "active"})[0]
    due = [event for webhook in active if (event := _next_event(db, webhook)) is not None]
    return min((*(one.event_id for one in by_hand), *(event.id for event in due)), default=None)


def first_unread(db: Database, webhook: Webhook) -> int | None:
    """Return the next event of a webhook, paused or not; None where there is none yet."""
    event = _next_event(db, webhook)
    return None if event is None else event.id


def next_letter(db: Database, webhook_id: int) -> DueEvent | None:
    """Return what is to be sent to a webhook next: what was sent by hand, else the next event."""
    webhook = webhooks.find(db, {"id": webhook_id})
    if webhook is None:
        return None
    about: dict[str, Any] = {"webhook_id": webhook_id, "status": "waiting"}
    by_hand = webhook_deliveries.find(db, {**about, "is_by_hand": True})
    if by_hand is not None:
        found, _ = events.after(db, by_hand.event_id - 1, limit=1)
        return DueEvent(webhook, found[0], by_hand)
    event = _next_event(db, webhook) if webhook.status == "active" else None
    if event is None:
        return None
    about_event = {**about, "event_id": event.id, "is_by_hand": False}
    return DueEvent(webhook, event, webhook_deliveries.find(db, about_event))


def note_delivered(tx: Transaction, letter: DueEvent, *, status: int, milliseconds: int) -> None:
    """Note that a webhook has an event; its place moves on behind it."""
    now = webhooks.find(tx.db, {"id": letter.webhook.id})
    if now is None:
        return
    _note(tx, letter, status="delivered", response_status=status, milliseconds=milliseconds)
    changes: dict[str, Any] = {
        "last_delivered_at": tx.now,
        "error": None,
        "failing_since": None,
    }
    if not letter.is_by_hand and now.position == letter.webhook.position:  # else it was replayed
        changes["position"] = letter.event.id
    webhooks.update(tx, now.id, **changes)
    remove_old_deliveries(tx, now.id, KEPT)


def note_failed(
    tx: Transaction,
    letter: DueEvent,
    *,
    reason: str,
    status: int | None,
    milliseconds: int,
    not_before: str,
    pause_seconds: float,
) -> None:
    """Note that an attempt failed; pause a webhook that has failed for `pause_seconds`."""
    now = webhooks.find(tx.db, {"id": letter.webhook.id})
    if now is None:
        return
    outcome: dict[str, Any] = {"status": "waiting", "not_before": not_before}
    if letter.is_by_hand or now.position != letter.webhook.position:
        outcome = {"status": "failed" if letter.is_by_hand else "passed_over"}
    _note(
        tx,
        letter,
        **outcome,
        response_status=status,
        milliseconds=milliseconds,
        error=reason,
    )
    if letter.is_by_hand:
        webhooks.update(tx, now.id, error=reason)
        return
    since = now.failing_since or tx.now
    webhooks.update(tx, now.id, error=reason, failing_since=since)
    failing = (datetime.now(UTC) - from_timestamp(since)).total_seconds()
    if failing >= pause_seconds and now.status == "active":
        webhooks.update(tx, now.id, status="paused", paused_reason=reason)
        told = WebhookPaused(
            id=now.id, origin=origin_of(now.url), reason=reason, failing_since=since
        )
        tx.emit(told, actor="webhooks")


def _note(tx: Transaction, letter: DueEvent, **outcome: Any) -> None:
    outcome = {
        "error": None,
        "not_before": None,
        **outcome,
        "attempts": letter.attempts + 1,
    }
    if letter.delivery is not None:
        webhook_deliveries.update(tx, letter.delivery.id, **outcome)
        return
    webhook_deliveries.insert(
        tx,
        webhook_id=letter.webhook.id,
        event_id=letter.event.id,
        type=letter.event.type,
        **outcome,
    )


def _by_hand(tx: Transaction, webhook_id: int, event_id: int, kind: str) -> WebhookDelivery:
    return webhook_deliveries.insert(
        tx, webhook_id=webhook_id, event_id=event_id, type=kind, is_by_hand=True
    )


def _hurry(tx: Transaction, webhook_id: int) -> None:
    for delivery in webhook_deliveries.every(
        tx.db, {"webhook_id": webhook_id, "status": "waiting"}
    ):
        webhook_deliveries.update(tx, delivery.id, not_before=None)


def _next_event(db: Database, webhook: Webhook) -> StoredEvent | None:
    found, _ = events.after(db, webhook.position, limit=1, wanted=_wanted_by(webhook))
    return found[0] if found else None


def _just_before(db: Database, webhook: Webhook) -> int:
    """Return the place before the next event of a webhook; the log's end where none waits."""
    waits = _next_event(db, webhook)
    return events.last_id(db) if waits is None else waits.id - 1


def _wanted_by(webhook: Webhook) -> EventFilter:
    types = () if ALL_TYPES in webhook.types else tuple(webhook.types)
    return EventFilter(types=types)
