"""Followers of the log: automations, webhooks and channels, and where they have come to in it.

What they are still to act on is not removed as old. What comes into the log by an import is history
that they are not to act on, and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlite_utils import Database

from command_center.actors.ledger import webhooks as ledger
from command_center.actors.ledger.event_firing import wanted_by
from command_center.actors.rules.event_triggers import OnEvent
from command_center.actors.rules.schedule import parse
from command_center.actors.rules.schedule_errors import InvalidSchedule
from command_center.store import Automation, automations, events, webhooks
from command_center.store.queries.log_places import move_on

CHANNELS: Final = ("events", "notify", "webpush")
"""The marks of channels in the log; another mark is Telegram's own."""


def first_unread(db: Database) -> int | None:
    """Return the first event that a webhook or an automation is still to act on, if any is."""
    ids = [unread for one in _following(db) if (unread := _unread(db, one)) is not None]
    waiting = ledger.first_waiting(db)
    return min(ids if waiting is None else [*ids, waiting], default=None)


def pass_over(db: Database, after: int) -> list[str]:
    """Have nobody act on what comes after an event; return who is still to act on one before."""
    hooks, following = webhooks.sound(db, {})[0], [*_following(db)]
    unread = {f"webhook {one.id}": ledger.first_unread(db, one) for one in hooks}
    unread |= {f"automation {one.id}": _unread(db, one) for one in following}
    move_on(
        db,
        events.last_id(db),
        webhooks=[one.id for one in hooks],
        automations=[one.id for one in following],
        channels=CHANNELS,
    )
    return [name for name, first in unread.items() if first is not None and first <= after]


def _following(db: Database) -> Iterator[Automation]:
    for automation in automations.sound(db, {"enabled": True})[0]:
        if automation.last_event_id is not None:
            yield automation


def _unread(db: Database, automation: Automation) -> int | None:
    """Return the first event of the types that an automation follows, behind its place."""
    try:
        trigger = parse(automation.schedule_expr)
    except InvalidSchedule:
        return None
    if not isinstance(trigger, OnEvent):
        return None
    wanted = wanted_by(automation, trigger)
    found, _ = events.after(db, automation.last_event_id or 0, limit=1, wanted=wanted)
    return found[0].id if found else None
