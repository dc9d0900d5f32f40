"""Carries messages to the push services of browsers.

What a push service answers tells whether it has the message, may have it later, or knows the
browser no more (RFC 8030). What is no news any more when its turn comes is not sent.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
import trio
from sqlite_utils import Database

from command_center.actors.channels.errors import AddressNotAllowed, Unreachable
from command_center.actors.channels.notices import read
from command_center.actors.channels.ports import DeliveryOutcome
from command_center.actors.core.clock import later, seconds_until
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import webpush as ledger
from command_center.actors.webpush.capabilities import capability_of
from command_center.actors.webpush.channel import ASKING
from command_center.actors.webpush.settings import PushSettings
from command_center.store import (
    PushMessage,
    PushSubscription,
    Transaction,
    approvals,
    push_messages,
    push_subscriptions,
)
from command_center.store.queries.webpush import remove_old, subscriptions_waiting
from command_center.store.timestamps import now_timestamp, to_timestamp

if TYPE_CHECKING:
    from command_center.actors.channels.posting import Answer
    from command_center.actors.webpush.sender import Sender

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

KEPT_DAYS: Final = 30
"""Days for which messages that were sent or failed are kept."""

_GONE: Final = frozenset({404, 410})
_LATER: Final = frozenset({408, 425, 429})
_SERVER: Final = 500
_REDIRECTS: Final = 300
_OK: Final = 200


class PushCarrier:
    """Leaves what waits for the browsers at their push services."""

    def __init__(self, settings: PushSettings, storage: Storage) -> None:
        """Send as `settings` have it what `storage` holds."""
        self._settings = settings
        self._storage = storage
        self._sender: Sender | None = None
        self._making = trio.Lock()

    def recipients(self, db: Database) -> list[int]:
        """Return the subscriptions for which a message waits."""
        return subscriptions_waiting(db)

    def next(self, db: Database, recipient: int) -> PushMessage | None:
        """Return the oldest message that waits for a subscription."""
        return push_messages.find(db, {"subscription_id": recipient, "status": "waiting"})

    async def pace(self, _recipient: int) -> None:
        """Let others have a turn; a push service that wants a pause says so."""
        await trio.lowlevel.checkpoint()

    def forget_old(self, tx: Transaction) -> None:
        """Remove the messages that are long done with."""
        remove_old(tx, before=to_timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS)))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._sender is not None:
            await self._sender.aclose()

    async def deliver(self, message: PushMessage) -> DeliveryOutcome:
        """Send the message, if it still is news.

        Where it fails for a reason that passes it waits for as long as the push service says, or
        for a time that doubles. Where the push service knows the browser no more, its subscription
        ends.
        """
        subscription = await self._storage.read(lambda db: receiver_of(db, message))
        if subscription is None:
            return DeliveryOutcome(lambda tx: _settle(tx, message, "failed", error=_OLD))
        payload = msgspec.json.encode(self._payload(message))
        try:
            sender = await self._get_sender()
            answer = await sender.send(
                subscription,
                payload,
                ttl=max(0, math.floor(seconds_until(message.ends_at))),
                urgency=urgency_of(message),
                topic=topic_of(message),
            )
        except AddressNotAllowed as error:
            return _ended(subscription, "refused", str(error))
        except Unreachable as error:
            return self._postponed(message, None, str(error))
        return self._judged(subscription, message, answer)

    def _judged(
        self, subscription: PushSubscription, message: PushMessage, answer: Answer
    ) -> DeliveryOutcome:
        status = answer.status
        said = f"The push service answered {status}."
        if _OK <= status < _REDIRECTS:
            return DeliveryOutcome(
                lambda tx: _settle(tx, message, "sent", error=None), is_sent=True
            )
        if status in _GONE:
            return _ended(subscription, "gone", said)
        if status in _LATER or status >= _SERVER:
            return self._postponed(message, answer.retry_after, said)
        log.warning("push.message.failed", message=message.id, reason=said)
        return DeliveryOutcome(
            lambda tx: _settle(tx, message, "failed", error=said), is_failed=True, problem=said
        )

    def _postponed(
        self, message: PushMessage, seconds: float | None, reason: str
    ) -> DeliveryOutcome:
        if seconds is None:
            seconds = self._settings.backoff.delay(message.attempts + 1)
        pause = seconds
        log.warning("push.message.postponed", message=message.id, seconds=pause, reason=reason)

        def write(tx: Transaction) -> None:
            _settle(tx, message, "waiting", error=reason, not_before=later(now_timestamp(), pause))

        return DeliveryOutcome(write, problem=reason)

    def _payload(self, message: PushMessage) -> dict[str, Any]:
        """Return what the service worker of the page is told."""
        content = message.content
        payload: dict[str, Any] = {
            "title": content["title"],
            "body": content["body"],
            "where": message.tag,
            "silent": content["silent"],
        }
        if message.purpose == "settled":
            payload["settled"] = True
        if content.get("canDecide"):
            payload["capability"] = capability_of(self._settings.key, message)
        return payload

    async def _get_sender(self) -> Sender:
        async with self._making:
            if self._sender is None:
                self._sender = await trio.to_thread.run_sync(_make_sender, self._settings)
        return self._sender


def _make_sender(settings: PushSettings) -> Sender:
    from command_center.actors.webpush.sender import Sender  # noqa: PLC0415 - nothing needs it before the first message

    return Sender(settings)


def receiver_of(db: Database, message: PushMessage) -> PushSubscription | None:
    """Return who is to get a message; None where nobody is, or where it is no news any more."""
    subscription = push_subscriptions.find(db, {"id": message.subscription_id})
    if subscription is None or not ledger.may_be_told(db, subscription):
        return None
    if seconds_until(message.ends_at) <= 0:
        return None
    if message.purpose in ASKING:
        approval = read(db, approvals, message.approval_id)
        return subscription if approval is not None and approval.status == "pending" else None
    if message.purpose == "settled":
        about = {"subscription_id": subscription.id, "approval_id": message.approval_id}
        asked = push_messages.every(db, {**about, "status": "sent"})
        return subscription if any(one.purpose in ASKING for one in asked) else None
    return subscription


def urgency_of(message: PushMessage) -> str:
    """Return how much a browser that saves power should care (RFC 8030, 5.3)."""
    if message.purpose in ASKING or message.purpose == "test":
        return "normal" if message.content["silent"] else "high"
    return "low" if message.content["silent"] else "normal"


def topic_of(message: PushMessage) -> str:
    """Return the topic of a message: of one browser's that are about the same, the last counts."""
    digest = hashlib.sha256(f"{message.subscription_id} {message.tag}".encode()).hexdigest()
    return digest[:32]


def _settle(
    tx: Transaction,
    message: PushMessage,
    status: str,
    *,
    error: str | None,
    not_before: str | None = None,
) -> None:
    """Record what came of a message, unless its browser decided or ended meanwhile."""
    found = push_messages.find(tx.db, {"id": message.id})
    if found is None or found.status != "waiting":
        return
    push_messages.update(
        tx,
        message.id,
        status=status,
        attempts=message.attempts + int(error is not _OLD),
        not_before=not_before,
        error=error,
    )
    if error is not _OLD:
        told = {"last_sent_at": tx.now} if status == "sent" else {}
        push_subscriptions.update(tx, message.subscription_id, error=error, **told)


_OLD: Final = "It was no news any more."


def _ended(subscription: PushSubscription, why: ledger.Why, problem: str) -> DeliveryOutcome:
    log.warning("push.subscription.ended", subscription=subscription.id, reason=problem)

    def write(tx: Transaction) -> None:
        if push_subscriptions.find(tx.db, {"id": subscription.id}) is not None:
            ledger.end(tx, subscription, why, actor="push")

    return DeliveryOutcome(write, is_failed=True, problem=problem)
