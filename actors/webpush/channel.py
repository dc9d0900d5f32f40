"""Web Push as a channel: what each notice says, to which browsers, and with which buttons."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from command_center.actors.channels import wording
from command_center.actors.channels.notices import ApprovalSettledBySomebody, Notice
from command_center.actors.channels.outbox import MessagesPosted, wake
from command_center.actors.channels.quiet_hours import is_quiet
from command_center.actors.channels.wording import Told
from command_center.actors.core.clock import later
from command_center.actors.ledger.webpush import listeners, may_decide
from command_center.actors.rules.schedule import find_zone
from command_center.actors.rules.schedule_errors import UnknownTimezone
from command_center.runtime import ActorRef, Address
from command_center.store import (
    Approval,
    PushMessage,
    PushSubscription,
    Transaction,
    push_messages,
)
from command_center.store.timestamps import from_timestamp

OUTBOX: Address[MessagesPosted] = Address("/webpush/outbox")
"""The actor that sends what is written here."""

NEWS_SECONDS: Final = timedelta(days=1).total_seconds()
"""Seconds for which something that happened is news."""

LONGEST_SECONDS: Final = timedelta(days=28).total_seconds()
"""The most seconds that a push service is asked to keep a message for."""

TEST_SECONDS: Final = 300.0
"""Seconds for which a test is one."""

ASKING: Final = frozenset({"approvals", "questions", "warnings"})
"""The purposes of messages that ask for a decision."""


class PushChannel:
    """Writes the messages that a notice leads to into the outbox of Web Push."""

    mark = "webpush"

    def __init__(self, timezone: str | None) -> None:
        """Tell the browsers that are subscribed; `timezone` is for quiet hours that name none."""
        self._zone = None if timezone is None else ZoneInfo(timezone)

    def begin(self, tx: Transaction) -> None:
        """Do nothing: who is told is found with each notice."""

    def wake(self, find: Callable[[str], ActorRef[Any] | None]) -> None:
        """Have what was written sent now."""
        wake(find, OUTBOX)

    def tell(self, tx: Transaction, notice: Notice) -> None:
        """Write the messages that the notice leads to."""
        if isinstance(notice, ApprovalSettledBySomebody):
            withdraw(tx, notice.approval)
            return
        told = wording.told_of(tx.db, notice)
        if told is not None:
            self._post(tx, told)

    def _post(self, tx: Transaction, told: Told) -> None:
        ends_at = later(tx.now, LONGEST_SECONDS if told.kind in ASKING else NEWS_SECONDS)
        if told.expires_at is not None:
            ends_at = min(ends_at, told.expires_at)
        for subscription in listeners(tx.db, told.kind):
            can_decide = told.can_decide and may_decide(tx.db, subscription)
            push_messages.insert(
                tx,
                subscription_id=subscription.id,
                purpose=told.kind,
                content={
                    "title": told.title,
                    "body": told.body,
                    "silent": self._is_quiet(tx, subscription),
                    "canDecide": can_decide,
                },
                tag=told.where,
                approval_id=told.approval_id,
                ends_at=ends_at,
            )

    def _is_quiet(self, tx: Transaction, subscription: PushSubscription) -> bool:
        zone: tzinfo | None = self._zone
        if subscription.time_zone is not None:
            with contextlib.suppress(UnknownTimezone):  # it was one when it was stored
                zone = find_zone(subscription.time_zone)
        return is_quiet(subscription.quiet_hours, from_timestamp(tx.now), zone)


def withdraw(tx: Transaction, approval: Approval) -> None:
    """Have each browser that was asked take the question away, but the one that decided on it."""
    title, body = wording.settled(approval)
    asked = push_messages.every(tx.db, {"approval_id": approval.id})
    for subscription_id in dict.fromkeys(
        message.subscription_id
        for message in asked
        if message.purpose in ASKING and message.status in {"waiting", "sent"}
    ):
        push_messages.insert(
            tx,
            subscription_id=subscription_id,
            purpose="settled",
            content={"title": title, "body": body, "silent": True},
            tag=wording.place_of(approval.id),
            approval_id=approval.id,
            ends_at=later(tx.now, NEWS_SECONDS),
        )


def post_test(tx: Transaction, subscription: PushSubscription) -> PushMessage:
    """Write a test for one browser."""
    return push_messages.insert(
        tx,
        subscription_id=subscription.id,
        purpose="test",
        content={"title": "A test", "body": "Notifications reach this browser.", "silent": False},
        tag="/notifications",
        ends_at=later(tx.now, TEST_SECONDS),
    )
