"""Apprise's places as a channel: what each notice says there, with a link that opens the page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from command_center.actors.channels.notices import Notice
from command_center.actors.channels.outbox import MessagesPosted, wake
from command_center.actors.channels.wording import Told, told_of
from command_center.actors.core.clock import later
from command_center.actors.ledger.notify import kinds_of
from command_center.actors.notify.settings import NotifyPlace, NotifySettings
from command_center.runtime import ActorRef, Address
from command_center.store import NotifyMessage, Transaction, notify_messages

OUTBOX: Address[MessagesPosted] = Address("/notify/outbox")
"""The actor that sends what is written here."""

NEWS_SECONDS: Final = timedelta(days=1).total_seconds()
"""Seconds for which something that happened is news."""

TEST_SECONDS: Final = 300.0
"""Seconds for which a test is one."""


class NotifyChannel:
    """Writes the messages that a notice leads to into the outbox."""

    mark = "notify"

    def __init__(self, settings: NotifySettings) -> None:
        """Tell the places of `settings`."""
        self._settings = settings

    def begin(self, tx: Transaction) -> None:
        """Do nothing: the places are those of the settings."""

    def wake(self, find: Callable[[str], ActorRef[Any] | None]) -> None:
        """Have what was written sent now."""
        wake(find, OUTBOX)

    def tell(self, tx: Transaction, notice: Notice) -> None:
        """Write the messages that the notice leads to."""
        told = told_of(tx.db, notice)
        if told is not None:
            for target in self._settings.targets:
                if told.kind in kinds_of(tx.db, target.digest):
                    self._post(tx, target, told)

    def _post(self, tx: Transaction, target: NotifyPlace, told: Told) -> None:
        ends_at = later(tx.now, NEWS_SECONDS)
        if told.expires_at is not None:
            ends_at = min(ends_at, told.expires_at)
        notify_messages.insert(
            tx,
            target=target.digest,
            purpose=told.kind,
            content={"title": told.title, "body": told.body},
            tag=told.where,
            approval_id=told.approval_id,
            ends_at=ends_at,
        )


def post_test(tx: Transaction, target: NotifyPlace) -> NotifyMessage:
    """Write a test for one place."""
    return notify_messages.insert(
        tx,
        target=target.digest,
        purpose="test",
        content={"title": "A test", "body": "Notifications of Command Center arrive here."},
        tag="/",
        ends_at=later(tx.now, TEST_SECONDS),
    )
