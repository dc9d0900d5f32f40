"""/api/push: browsers that are told with the page closed, and what they decide."""

from __future__ import annotations

import msgspec
import trio
from quart import request

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import APPROVALS, PUSH_SUBSCRIPTIONS
from command_center.actors.contracts.approvals import Resolution, ResolveApproval
from command_center.actors.contracts.webpush import (
    NewPushSubscription,
    PatchSubscription,
    PushDecision,
    PushSubscriptionChanges,
    SpendCapability,
    Subscribe,
    SubscribedBrowser,
    TestPush,
    Unsubscribe,
)
from command_center.actors.ledger.webpush import of_device
from command_center.actors.rules.errors import Conflict
from command_center.actors.webpush.settings import PushSettings
from command_center.http.routes.repos import RequesterQuery
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import PageQuery
from command_center.http.wire.operation import Api
from command_center.store import Approval, Page, push_subscriptions

api = Api[Center]("Push")


class PushKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The public key that a browser subscribes with, in base64url."""

    key: str


def _push(center: Center) -> PushSettings:
    """Return the settings of push.

    Raises:
        Conflict: the server was installed without it.
    """
    if center.settings.webpush is None:
        raise Conflict(
            "This server was installed without Web Push. "
            'Install "command-center[push]", and start it again.'
        )
    return center.settings.webpush


@api.operation("GET", "/api/push/key", refuses=(409,))
async def get_push_key(center: Center) -> PushKey:
    """Show the key that a browser subscribes with."""
    settings = _push(center)
    return PushKey(key=await trio.to_thread.run_sync(_public_key, settings.key))


@api.operation("GET", "/api/push/subscriptions")
async def list_push_subscriptions(center: Center, query: PageQuery) -> Page[SubscribedBrowser]:
    """List the browsers of the device that are told; all of them for who needs to be none."""
    device_id = caller_of(request.scope).device_id
    where = {} if device_id is None else {"device_id": device_id}
    page = await center.storage.read_long(
        lambda db: push_subscriptions.page(db, where, limit=query.limit, cursor=query.cursor)
    )
    return Page(
        items=[*map(SubscribedBrowser.of, page.items)],
        next_cursor=page.next_cursor,
        damaged=page.damaged,
    )


@api.operation(
    "POST",
    "/api/push/subscriptions",
    answers=201,
    refuses=(409,),
    location="/api/push/subscriptions/{id}",
    is_done_once=False,
    scope="read",
)
async def create_push_subscription(center: Center, body: NewPushSubscription) -> SubscribedBrowser:
    """Tell a browser from now on; one that is told already keeps its preferences."""
    _push(center)
    message = Subscribe(body, caller_of(request.scope).device_id)
    return SubscribedBrowser.of(await center.ask(PUSH_SUBSCRIPTIONS, message))


@api.operation("GET", "/api/push/subscriptions/<id:subscription_id>")
async def get_push_subscription(center: Center, subscription_id: int) -> SubscribedBrowser:
    """Show a browser that is told."""
    device_id = caller_of(request.scope).device_id
    return SubscribedBrowser.of(
        await center.storage.read(lambda db: of_device(db, subscription_id, device_id))
    )


@api.operation(
    "PATCH", "/api/push/subscriptions/<id:subscription_id>", refuses=(409,), scope="read"
)
async def patch_push_subscription(
    center: Center, subscription_id: int, body: PushSubscriptionChanges
) -> SubscribedBrowser:
    """Change what a browser is told, and when without a sound."""
    _push(center)
    message = PatchSubscription(subscription_id, body, caller_of(request.scope).device_id)
    return SubscribedBrowser.of(await center.ask(PUSH_SUBSCRIPTIONS, message))


@api.operation(
    "DELETE", "/api/push/subscriptions/<id:subscription_id>", refuses=(409,), scope="read"
)
async def delete_push_subscription(
    center: Center, subscription_id: int, query: RequesterQuery
) -> SubscribedBrowser:
    """Tell a browser no more."""
    _push(center)
    device_id = caller_of(request.scope).device_id
    message = Unsubscribe(subscription_id, device_id, query.requested_by)
    return SubscribedBrowser.of(await center.ask(PUSH_SUBSCRIPTIONS, message))


@api.operation(
    "POST",
    "/api/push/subscriptions/<id:subscription_id>/test",
    answers=202,
    refuses=(409,),
    is_done_once=False,
    scope="read",
)
async def send_test_push(center: Center, subscription_id: int) -> SubscribedBrowser:
    """Send a test to a browser."""
    _push(center)
    message = TestPush(subscription_id, caller_of(request.scope).device_id)
    return SubscribedBrowser.of(await center.ask(PUSH_SUBSCRIPTIONS, message))


@api.operation("POST", "/api/push/decisions", refuses=(409,), is_done_once=False, scope="approve")
async def decide_by_push(center: Center, body: PushDecision) -> Approval:
    """Decide on the approval that a notification showed."""
    _push(center)
    capability = SpendCapability(body.capability, caller_of(request.scope).device_id)
    approval_id = await center.ask(PUSH_SUBSCRIPTIONS, capability)
    resolution = Resolution(status=body.status, resolved_by=body.resolved_by)
    return await center.ask(APPROVALS, ResolveApproval(approval_id, resolution))


def _public_key(key: bytes) -> str:
    from command_center.actors.webpush.encryption import application_server_key  # noqa: PLC0415 - nothing else here needs the library

    return application_server_key(key)
