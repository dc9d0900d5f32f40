"""`/push/subscriptions`: takes browsers in, and the decisions that are made on notifications."""

from __future__ import annotations

import trio
from sqlite_utils import Database

from command_center.actors.channels.addresses import problem_with
from command_center.actors.channels.outbox import wake
from command_center.actors.channels.quiet_hours import parse_quiet_hours
from command_center.actors.contracts.webpush import (
    NewPushSubscription,
    PatchSubscription,
    PushSubscriptionChanges,
    SpendCapability,
    Subscribe,
    TestPush,
    Unsubscribe,
)
from command_center.actors.core.storage import Storage
from command_center.actors.ledger import webpush as ledger
from command_center.actors.rules.errors import Conflict, Invalid
from command_center.actors.rules.schedule import find_zone
from command_center.actors.rules.schedule_errors import UnknownTimezone
from command_center.actors.webpush.capabilities import is_proven, message_named_in
from command_center.actors.webpush.channel import ASKING, OUTBOX, post_test
from command_center.actors.webpush.settings import PushSettings
from command_center.runtime import Actor, Deferred, handles
from command_center.store import (
    PushMessage,
    PushSubscription,
    Transaction,
    push_messages,
    push_subscriptions,
)


class Subscriptions(Actor):
    """Keeps the subscriptions of browsers."""

    def __init__(self, settings: PushSettings, storage: Storage) -> None:
        """Write to `storage`."""
        self._settings = settings
        self._storage = storage

    @handles(Subscribe)
    async def subscribe(self, message: Subscribe) -> Deferred[PushSubscription]:
        """Answer once it is committed."""
        wanted = message.wanted
        problem = problem_with(wanted.endpoint, allows_private=self._settings.allows_private)
        if problem is not None:
            raise Invalid.field("endpoint", problem)
        _check(wanted)
        return self.ctx.answer_later(self._subscribe, message)

    async def _subscribe(self, message: Subscribe) -> PushSubscription:
        if not await trio.to_thread.run_sync(_is_key, message.wanted.keys.p256dh):
            raise Invalid.field("keys.p256dh", "Expected a point of the curve P-256.")
        return await self._storage.write(
            lambda tx: ledger.subscribe(tx, message.wanted, message.device_id)
        )

    @handles(PatchSubscription)
    async def patch(self, message: PatchSubscription) -> Deferred[PushSubscription]:
        """Answer once it is committed."""
        _check(message.changes)
        return self.ctx.answer_later(
            self._storage.write,
            lambda tx: ledger.patch(
                tx, message.subscription_id, message.changes, message.device_id
            ),
        )

    @handles(Unsubscribe)
    async def unsubscribe(self, message: Unsubscribe) -> Deferred[PushSubscription]:
        """Answer once it is committed."""
        return self.ctx.answer_later(
            self._storage.write,
            lambda tx: ledger.unsubscribe(
                tx, message.subscription_id, message.device_id, actor=message.requested_by
            ),
        )

    @handles(TestPush)
    async def test(self, message: TestPush) -> Deferred[PushSubscription]:
        """Answer once the test is in the outbox."""
        return self.ctx.answer_later(self._test, message)

    async def _test(self, message: TestPush) -> PushSubscription:
        def unit(tx: Transaction) -> PushSubscription:
            found = ledger.of_device(tx.db, message.subscription_id, message.device_id)
            post_test(tx, found)
            return found

        found = await self._storage.write(unit)
        wake(self.ctx.find, OUTBOX)
        return found

    @handles(SpendCapability)
    async def spend(self, message: SpendCapability) -> Deferred[int]:
        """Answer with the approval that it decides, once its browser needs to be told no more."""
        return self.ctx.answer_later(
            self._storage.write,
            lambda tx: self._answered(tx, message.capability, message.device_id),
        )

    def _answered(self, tx: Transaction, capability: str, device_id: int | None) -> int:
        """Return the approval that a capability decides; its browser need not be told of that.

        Raises:
            Conflict: it is none of the device's.
        """
        asked = self._proven(tx.db, capability)
        subscription = (
            None if asked is None else push_subscriptions.find(tx.db, {"id": asked.subscription_id})
        )
        if (
            asked is None
            or asked.approval_id is None
            or subscription is None
            or subscription.device_id != device_id
        ):
            raise Conflict("This notification cannot decide. Open the page, and decide there.")
        about = {"subscription_id": subscription.id, "approval_id": asked.approval_id}
        for message in push_messages.every(tx.db, about):
            if message.purpose in ASKING and message.status in {"waiting", "sent"}:
                push_messages.update(tx, message.id, status="answered")
        return asked.approval_id

    def _proven(self, db: Database, capability: str) -> PushMessage | None:
        message_id = message_named_in(capability)
        if message_id is None:
            return None
        message = push_messages.find(db, {"id": message_id})
        if message is None or not message.content.get("canDecide"):
            return None
        return message if is_proven(self._settings.key, capability, message) else None


def _check(wanted: NewPushSubscription | PushSubscriptionChanges) -> None:
    """Refuse what no type says of preferences.

    Raises:
        Invalid: the quiet hours have no length, or there is no such time zone.
    """
    if isinstance(wanted.quiet_hours, str):
        try:
            parse_quiet_hours(wanted.quiet_hours)
        except ValueError:
            raise Invalid.field("quietHours", "Expected two times, as 22:00-07:00.") from None
    if isinstance(wanted.time_zone, str):
        try:
            find_zone(wanted.time_zone)
        except UnknownTimezone as error:
            raise Invalid.field("timeZone", str(error)) from None


def _is_key(p256dh: str) -> bool:
    from command_center.actors.webpush.encryption import public_key_from  # noqa: PLC0415 - nothing needs it before somebody subscribes

    try:
        public_key_from(p256dh)
    except ValueError:
        return False
    return True
