"""`/webhooks/registry`: keeps the webhooks, and has what happens sent to them."""

from __future__ import annotations

import trio

from command_center.actors.channels.addresses import problem_with
from command_center.actors.channels.outbox import MessagesPosted, wake
from command_center.actors.contracts.events.catalogue import EVENTS
from command_center.actors.contracts.events.sessions import LiveEventData
from command_center.actors.contracts.webhooks import (
    ALL_TYPES,
    CreateWebhook,
    DeleteWebhook,
    NewWebhook,
    PatchWebhook,
    ReplayWebhook,
    ResendDelivery,
    TestWebhook,
    WebhookChanges,
)
from command_center.actors.core.events import Fanout
from command_center.actors.core.storage import Storage
from command_center.actors.core.writer import Unit
from command_center.actors.ledger import webhooks as ledger
from command_center.actors.rules.errors import Invalid
from command_center.actors.webhooks.settings import WebhookSettings
from command_center.actors.webhooks.signing import key_of, make_secret
from command_center.runtime import Actor, Address, Deferred, handles
from command_center.store import Webhook, WebhookDelivery

OUTBOX: Address[MessagesPosted] = Address("/webhooks/outbox")
"""The actor that sends."""


class Webhooks(Actor):
    """Keeps the webhooks."""

    def __init__(self, settings: WebhookSettings, storage: Storage, fanout: Fanout) -> None:
        """Write to `storage`; `fanout` says when there is something to send."""
        self._settings = settings
        self._storage = storage
        self._fanout = fanout
        self._watching = trio.CancelScope()

    async def on_start(self) -> None:
        """Watch for what is to be sent."""
        self.ctx.start_task(self._watch)

    @handles(CreateWebhook)
    async def create(self, message: CreateWebhook) -> Deferred[Webhook]:
        """Answer once it is committed."""
        wanted = message.wanted
        self._check(wanted)
        secret = wanted.secret or make_secret()
        return self.ctx.answer_later(
            self._changed, lambda tx: ledger.create(tx, wanted, secret=secret)
        )

    @handles(PatchWebhook)
    async def patch(self, message: PatchWebhook) -> Deferred[Webhook]:
        """Answer once it is committed."""
        self._check(message.changes)
        return self.ctx.answer_later(
            self._changed, lambda tx: ledger.patch(tx, message.webhook_id, message.changes)
        )

    @handles(DeleteWebhook)
    async def delete(self, message: DeleteWebhook) -> Deferred[Webhook]:
        """Answer once it is committed."""
        return self.ctx.answer_later(
            self._changed,
            lambda tx: ledger.delete(tx, message.webhook_id, actor=message.requested_by),
        )

    @handles(ReplayWebhook)
    async def replay(self, message: ReplayWebhook) -> Deferred[Webhook]:
        """Answer once it is committed."""
        return self.ctx.answer_later(
            self._changed, lambda tx: ledger.replay(tx, message.webhook_id, message.wanted)
        )

    @handles(TestWebhook)
    async def test(self, message: TestWebhook) -> Deferred[WebhookDelivery]:
        """Answer once the test is committed."""
        return self.ctx.answer_later(
            self._posted,
            lambda tx: ledger.send_test(tx, message.webhook_id, actor=message.requested_by),
        )

    @handles(ResendDelivery)
    async def resend(self, message: ResendDelivery) -> Deferred[WebhookDelivery]:
        """Answer once it is committed."""
        return self.ctx.answer_later(
            self._posted, lambda tx: ledger.resend(tx, message.webhook_id, message.delivery_id)
        )

    async def _changed(self, unit: Unit[Webhook]) -> Webhook:
        changed: Webhook = await self._storage.write(unit)
        self._watching.cancel()
        return changed

    async def _posted(self, unit: Unit[WebhookDelivery]) -> WebhookDelivery:
        posted: WebhookDelivery = await self._storage.write(unit)
        wake(self.ctx.find, OUTBOX)
        return posted

    async def _watch(self) -> None:
        """Have the outbox look whenever something wanted happens; begin anew where others are."""
        while True:
            with trio.CancelScope() as self._watching:
                wanted = await self._storage.read(ledger.wanted_by_any)
                wake(self.ctx.find, OUTBOX)
                if wanted is None:
                    await trio.sleep_forever()
                with self._fanout.subscribe(wanted) as news:
                    wake(self.ctx.find, OUTBOX)
                    while await news.take():
                        wake(self.ctx.find, OUTBOX)
                    if news.closed == "shutdown":
                        return

    def _check(self, wanted: NewWebhook | WebhookChanges) -> None:
        """Refuse what no type says.

        Raises:
            Invalid: messages may not go there, there is no such event, or the secret is no key.
        """
        if isinstance(wanted.url, str):
            problem = problem_with(wanted.url, allows_private=self._settings.allows_private)
            if problem is not None:
                raise Invalid.field("url", problem)
        if isinstance(wanted.types, list):
            for kind in wanted.types:
                known = EVENTS.get(kind)
                if kind != ALL_TYPES and known is None:
                    raise Invalid.field("types", f"There is no event {kind!r}.")
                if known is not None and issubclass(known, LiveEventData):
                    raise Invalid.field("types", f"{kind} is only live, and cannot be sent.")
        if isinstance(wanted.secret, str):
            try:
                key_of(wanted.secret)
            except ValueError:
                raise Invalid.field("secret", "Expected base64 behind whsec_.") from None
