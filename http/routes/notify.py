"""/api/notify: the places beside browsers and Telegram at which people are told."""

from __future__ import annotations

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import NOTIFY_TARGETS
from command_center.actors.contracts.notify import (
    NotifyTarget,
    NotifyTargetChanges,
    NotifyTargets,
    PatchNotifyTarget,
    SendNotification,
)
from command_center.actors.notify.targets import shown
from command_center.actors.rules.errors import Conflict
from command_center.http.wire.operation import Api

api = Api[Center]("Notify")


@api.operation("GET", "/api/notify/targets", scope="admin")
async def list_notify_targets(center: Center) -> NotifyTargets:
    """List the places of CC_NOTIFY_URLS, what each is told, and how it took its last message."""
    settings = center.settings.notify
    targets = () if settings is None else settings.targets
    return NotifyTargets(
        items=await center.storage.read(lambda db: [shown(db, target) for target in targets])
    )


@api.operation("PATCH", "/api/notify/targets/<id:target_id>", refuses=(409,), scope="admin")
async def patch_notify_target(
    center: Center, target_id: int, body: NotifyTargetChanges
) -> NotifyTarget:
    """Change what a place is told."""
    _check(center)
    return await center.ask(NOTIFY_TARGETS, PatchNotifyTarget(target_id, body))


@api.operation(
    "POST",
    "/api/notify/targets/<id:target_id>/test",
    answers=202,
    refuses=(409,),
    is_done_once=False,
    scope="admin",
)
async def send_test_notification(center: Center, target_id: int) -> NotifyTarget:
    """Send a test to a place."""
    _check(center)
    return await center.ask(NOTIFY_TARGETS, SendNotification(target_id))


def _check(center: Center) -> None:
    """Refuse where no places are set.

    Raises:
        Conflict: there are none.
    """
    if center.settings.notify is None:
        raise Conflict("Nobody is told by Apprise. Set CC_NOTIFY_URLS, and start the server again.")
