"""`/notify/tests`: sends a test to a place."""

from __future__ import annotations

from command_center.actors.channels.outbox import wake
from command_center.actors.contracts.notify import NotifyTarget, SendNotification
from command_center.actors.core.storage import Storage
from command_center.actors.notify.channel import OUTBOX, post_test
from command_center.actors.notify.settings import NotifyPlace, NotifySettings
from command_center.actors.rules.errors import NotFound
from command_center.runtime import Actor, Deferred, handles


class NotifyTests(Actor):
    """Sends tests."""

    def __init__(self, settings: NotifySettings, storage: Storage) -> None:
        """Know the places of `settings`."""
        self._targets = {target.id: target for target in settings.targets}
        self._storage = storage

    @handles(SendNotification)
    async def send(self, message: SendNotification) -> Deferred[NotifyTarget]:
        """Answer once the test is in the outbox."""
        target = self._targets.get(message.target_id)
        if target is None:
            raise NotFound("Notification target", message.target_id)
        return self.ctx.answer_later(self._send, target)

    async def _send(self, target: NotifyPlace) -> NotifyTarget:
        await self._storage.write(lambda tx: post_test(tx, target))
        wake(self.ctx.find, OUTBOX)
        return NotifyTarget(id=target.id, service=target.service, url=target.shown)
