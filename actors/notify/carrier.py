"""Has Apprise leave messages at its places, in a thread for each.

Apprise says only that a place has taken a message or has not: what it has not is tried again as
long as it is news. What was settled meanwhile is not asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
import trio
from sqlite_utils import Database

from command_center.actors.channels.notices import read
from command_center.actors.channels.ports import DeliveryOutcome
from command_center.actors.core.clock import later, seconds_until
from command_center.actors.core.storage import Storage
from command_center.actors.notify.places import leave
from command_center.actors.notify.settings import NotifyPlace, NotifySettings
from command_center.store import NotifyMessage, Transaction, approvals, notify_messages
from command_center.store.queries.notify import remove_old_messages, targets_waiting
from command_center.store.timestamps import now_timestamp, to_timestamp

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KEPT_DAYS: Final = 30
"""Days for which messages that were sent or failed are kept."""


class NotifyCarrier:
    """Leaves what waits for the places there."""

    def __init__(self, settings: NotifySettings, storage: Storage) -> None:
        """Send as `settings` have it what `storage` holds."""
        self._settings = settings
        self._storage = storage
        self._targets = {target.id: target for target in settings.targets}
        # One that hangs keeps its thread, and no other's.
        self._threads = {target.id: trio.CapacityLimiter(1) for target in settings.targets}

    def recipients(self, db: Database) -> list[int]:
        """Return the places for which a message waits."""
        waiting = targets_waiting(db)
        return [target.id for target in self._settings.targets if target.digest in waiting]

    def next(self, db: Database, recipient: int) -> NotifyMessage | None:
        """Return the oldest message that waits for a place."""
        digest = self._targets[recipient].digest
        return notify_messages.find(db, {"target": digest, "status": "waiting"})

    async def pace(self, _recipient: int) -> None:
        """Let others have a turn."""
        await trio.lowlevel.checkpoint()

    def forget_old(self, tx: Transaction) -> None:
        """Remove the messages that are long done with."""
        before = to_timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
        remove_old_messages(tx, before=before, now=tx.now)

    async def aclose(self) -> None:
        """Do nothing: no connection is kept."""

    async def deliver(self, message: NotifyMessage) -> DeliveryOutcome:
        """Leave a message, if it still is news."""
        if not await self._storage.read(lambda db: _is_news(db, message)):
            return _outcome(message, "failed", "It was no news any more.")
        target = next(one for one in self._settings.targets if one.digest == message.target)
        problem = await self._leave(target, message)
        if problem is None:
            return _outcome(message, "sent", None)
        wait = self._settings.backoff.delay(message.attempts + 1)
        log.warning("notify.message.postponed", service=target.service, reason=problem)
        return _outcome(message, "waiting", problem, later(now_timestamp(), wait))

    async def _leave(self, target: NotifyPlace, message: NotifyMessage) -> str | None:
        link = f"{self._settings.page}/#{message.tag}"
        body = "\n".join(text for text in (message.content["body"], link) if text)
        with trio.move_on_after(self._settings.call_seconds):
            is_taken = await trio.to_thread.run_sync(
                leave,
                target.url,
                message.content["title"],
                body,
                abandon_on_cancel=True,
                limiter=self._threads[target.id],
            )
            return None if is_taken else f"{target.service} did not take it."
        return f"{target.service} did not answer within {self._settings.call_seconds:g} seconds."


def _is_news(db: Database, message: NotifyMessage) -> bool:
    if seconds_until(message.ends_at) <= 0:
        return False
    if message.approval_id is None:
        return True
    approval = read(db, approvals, message.approval_id)
    return approval is not None and approval.status == "pending"


def _outcome(
    message: NotifyMessage, status: str, problem: str | None, not_before: str | None = None
) -> DeliveryOutcome:
    def write(tx: Transaction) -> None:
        notify_messages.update(
            tx,
            message.id,
            status=status,
            attempts=message.attempts + 1,
            not_before=not_before,
            error=problem,
        )

    return DeliveryOutcome(
        write, is_sent=status == "sent", is_failed=status == "failed", problem=problem
    )
