"""/api/notify: the places beside browsers and Telegram at which people are told."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.center import Center
from command_center.actors.contracts.addresses import NOTIFY_TESTS
from command_center.actors.contracts.notify import NotifyTarget, NotifyTargets, SendNotification
from command_center.actors.notify.settings import NotifyPlace
from command_center.actors.rules.errors import Conflict
from command_center.http.wire.operation import Api
from command_center.store import notify_messages

api = Api[Center]("Notify")


@api.operation("GET", "/api/notify/targets", scope="admin")
async def list_notify_targets(center: Center) -> NotifyTargets:
    """List the places of CC_NOTIFY_URLS, and how each took its last message."""
    settings = center.settings.notify
    targets = () if settings is None else settings.targets
    return NotifyTargets(
        items=await center.storage.read(lambda db: [_shown(db, target) for target in targets])
    )


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
    if center.settings.notify is None:
        raise Conflict("Nobody is told by Apprise. Set CC_NOTIFY_URLS, and start the server again.")
    return await center.ask(NOTIFY_TESTS, SendNotification(target_id))


def _shown(db: Database, target: NotifyPlace) -> NotifyTarget:
    of_target = {"target": target.digest}
    sent = notify_messages.find(db, {**of_target, "status": "sent"}, newest_first=True)
    last = notify_messages.find(db, {**of_target, "status": "waiting"})
    if last is None:
        last = notify_messages.find(db, of_target, newest_first=True)
    return NotifyTarget(
        id=target.id,
        service=target.service,
        url=target.shown,
        last_sent_at=None if sent is None else sent.updated_at,
        error=None if last is None else last.error,
    )
