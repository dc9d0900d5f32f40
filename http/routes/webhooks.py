"""/api/webhooks: addresses that events are sent to."""

from __future__ import annotations

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import WEBHOOKS
from command_center.actors.contracts.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    MadeWebhook,
    NewWebhook,
    PatchWebhook,
    ReplayFrom,
    ReplayWebhook,
    ResendDelivery,
    ShownWebhook,
    TestWebhook,
    WebhookChanges,
)
from command_center.http.routes.repos import Requester, RequesterQuery
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Page, WebhookDelivery, webhook_deliveries, webhooks

api = Api[Center]("Webhooks")


@api.operation("GET", "/api/webhooks", scope="admin")
async def list_webhooks(center: Center, query: PageQuery) -> Page[ShownWebhook]:
    """List the webhooks."""
    page = await center.storage.read_long(
        lambda db: webhooks.page(db, {}, limit=query.limit, cursor=query.cursor)
    )
    return Page(
        items=[*map(ShownWebhook.of, page.items)],
        next_cursor=page.next_cursor,
        damaged=page.damaged,
    )


@api.operation(
    "POST",
    "/api/webhooks",
    answers=201,
    refuses=(409,),
    location="/api/webhooks/{id}",
    scope="admin",
    is_done_once=False,
)
async def create_webhook(center: Center, body: NewWebhook) -> MadeWebhook:
    """Send events to an address from now on, and show the secret this once."""
    made = await center.ask(WEBHOOKS, CreateWebhook(body))
    return MadeWebhook(**msgspec.structs.asdict(made))


@api.operation("GET", "/api/webhooks/<id:webhook_id>", scope="admin")
async def get_webhook(center: Center, webhook_id: int) -> ShownWebhook:
    """Show a webhook."""
    return ShownWebhook.of(await center.storage.read(lambda db: webhooks.get(db, webhook_id)))


@api.operation("PATCH", "/api/webhooks/<id:webhook_id>", scope="admin")
async def patch_webhook(center: Center, webhook_id: int, body: WebhookChanges) -> ShownWebhook:
    """Change a webhook, pause it, or resume it with what it missed."""
    return ShownWebhook.of(await center.ask(WEBHOOKS, PatchWebhook(webhook_id, body)))


@api.operation("DELETE", "/api/webhooks/<id:webhook_id>", scope="admin")
async def delete_webhook(center: Center, webhook_id: int, query: RequesterQuery) -> ShownWebhook:
    """Send nothing there any more."""
    message = DeleteWebhook(webhook_id, query.requested_by)
    return ShownWebhook.of(await center.ask(WEBHOOKS, message))


@api.operation("POST", "/api/webhooks/<id:webhook_id>/replay", refuses=(409,), scope="admin")
async def replay_webhook(center: Center, webhook_id: int, body: ReplayFrom) -> ShownWebhook:
    """Send the events after one, again if they were sent before."""
    return ShownWebhook.of(await center.ask(WEBHOOKS, ReplayWebhook(webhook_id, body)))


@api.operation("POST", "/api/webhooks/<id:webhook_id>/test", answers=202, scope="admin")
async def send_test_delivery(center: Center, webhook_id: int, body: Requester) -> WebhookDelivery:
    """Send a test there."""
    return await center.ask(WEBHOOKS, TestWebhook(webhook_id, body.requested_by))


@api.operation("GET", "/api/webhooks/<id:webhook_id>/deliveries", scope="admin")
async def list_webhook_deliveries(
    center: Center, webhook_id: int, query: PageQuery
) -> Page[WebhookDelivery]:
    """List what was sent to a webhook, the newest first."""
    await center.storage.read(lambda db: webhooks.require(db, webhook_id))
    return await center.storage.read_long(
        lambda db: webhook_deliveries.page(
            db,
            {"webhook_id": webhook_id},
            limit=query.limit,
            cursor=query.cursor,
            newest_first=True,
        )
    )


@api.operation(
    "POST",
    "/api/webhooks/<id:webhook_id>/deliveries/<id:delivery_id>/resend",
    answers=202,
    scope="admin",
)
async def resend_webhook_delivery(
    center: Center, webhook_id: int, delivery_id: int
) -> WebhookDelivery:
    """Send an event there once more, out of the order of events."""
    return await center.ask(WEBHOOKS, ResendDelivery(webhook_id, delivery_id))
