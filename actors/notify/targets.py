"""`/notify/targets`: keeps what each place is told, and sends it a test."""

from __future__ import annotations

from sqlite_utils import Database

from command_center.actors.channels.outbox import wake
from command_center.actors.contracts.notify import (
    NotifyTarget,
    PatchNotifyTarget,
    SendNotification,
)
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.notify import choose_kinds, kinds_of
from command_center.actors.notify.channel import OUTBOX, post_test
from command_center.actors.notify.settings import NotifyPlace, NotifySettings
from command_center.actors.rules.errors import NotFound
from command_center.runtime import Actor, Deferred, handles
from command_center.store import notify_messages


class Targets(Actor):
    """Keeps what the places are told."""

    def __init__(self, settings: NotifySettings, storage: Storage) -> None:
        """Know the places of `settings`."""
        self._targets = {target.id: target for target in settings.targets}
        self._storage = storage

    @handles(PatchNotifyTarget)
    async def patch(self, message: PatchNotifyTarget) -> Deferred[NotifyTarget]:
        """Change what a place is told."""
        return self.ctx.answer_later(self._patch, message)

    async def _patch(self, message: PatchNotifyTarget) -> NotifyTarget:
        target = self._get(message.target_id)
        changes = message.changes
        await self._storage.write(
            lambda tx: choose_kinds(
                tx,
                target.digest,
                changes.kinds,
                target_id=target.id,
                service=target.service,
                actor=changes.requested_by,
            )
        )
        return await self._storage.read(lambda db: shown(db, target))

    @handles(SendNotification)
    async def send(self, message: SendNotification) -> Deferred[NotifyTarget]:
        """Answer once a test is in the outbox."""
        return self.ctx.answer_later(self._send, message)

    async def _send(self, message: SendNotification) -> NotifyTarget:
        target = self._get(message.target_id)
        await self._storage.write(lambda tx: post_test(tx, target))
        wake(self.ctx.find, OUTBOX)
        return await self._storage.read(lambda db: shown(db, target))

    def _get(self, target_id: int) -> NotifyPlace:
        """Return a place.

        Raises:
            NotFound: there is none of that id.
        """
        target = self._targets.get(target_id)
        if target is None:
            raise NotFound("Notification target", target_id)
        return target


def shown(db: Database, target: NotifyPlace) -> NotifyTarget:
    """Return what is shown of a place: what it is told, and how it took its last message."""
    of_target = {"target": target.digest}
    sent = notify_messages.find(db, {**of_target, "status": "sent"}, newest_first=True)
    last = notify_messages.find(db, {**of_target, "status": "waiting"})
    if last is None:
        last = notify_messages.find(db, of_target, newest_first=True)
    return NotifyTarget(
        id=target.id,
        service=target.service,
        url=target.shown,
        kinds=kinds_of(db, target.digest),
        last_sent_at=None if sent is None else sent.updated_at,
        error=None if last is None else last.error,
    )
