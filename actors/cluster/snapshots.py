"""Snapshots: a leader keeps whole databases in the object store, so that the stream stays short."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
import trio

from command_center.actors.cluster.base_store import BaseStore
from command_center.actors.cluster.leadership import Leadership
from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.signs import BASE, BaseSign, SignCipher
from command_center.actors.cluster.stream_log import UNKNOWN
from command_center.actors.nats.errors import JetStreamRefused, ObjectDamaged
from command_center.actors.nats.jetstream import JetStream
from command_center.runtime.threads import Threads
from command_center.store import NotReplicated
from command_center.store.replication.centre_folder import CentreFolder
from command_center.store.replication.database_copy import remove_copy

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

COPYING: Final = Threads("copy of the database", at_once=1)
"""Takes pieces, and makes a copy a database."""


class StreamSnapshots:
    """The snapshots of a cluster, as a centre keeps them that leads.

    Args:
        settings: the centre's.
        jetstream: where the stream and the snapshots are.
        signs: seals what tells of a snapshot.
    """

    def __init__(self, settings: ClusterSettings, jetstream: JetStream, signs: SignCipher) -> None:
        self._settings = settings
        self._jetstream = jetstream
        self._signs = signs
        self._bases = BaseStore(jetstream, settings.stream, settings.key)
        self._folder = CentreFolder(settings.data_dir, settings.database)

    async def last(self) -> BaseSign:
        """Return what tells of the last one.

        Raises:
            UnreadableSign: it was closed with another key.
            as ``JetStream.last_message``.
        """
        settings = self._settings
        message = await self._jetstream.last_message(settings.stream, settings.subject(BASE))
        return self._signs.unseal(message.payload, BaseSign)

    async def keep(self, leadership: Leadership, confirm: Callable[[], Awaitable[None]]) -> None:
        """Keep a new one whenever the stream has grown, and trim what no copy needs then.

        It never returns.

        Args:
            leadership: this centre's.
            confirm: returns if this centre leads, and raises NotReplicated if not.
        """
        settings = self._settings
        before: int | None = None
        is_swept = False
        while True:
            await trio.sleep(settings.look_seconds)
            try:
                size = (await self._jetstream.stream_info(settings.stream)).state.bytes
                before = min(size, settings.snapshot_bytes) if before is None else before
                if not is_swept:
                    await self._bases.keep_only((await self.last()).object, confirm=confirm)
                    is_swept = True
                if size - before >= settings.snapshot_bytes and leadership.is_writing:
                    await self._keep(leadership, confirm)
                    before = (await self._jetstream.stream_info(settings.stream)).state.bytes
            except (
                *UNKNOWN,
                JetStreamRefused,
                NotReplicated,
                ObjectDamaged,
                OSError,
                sqlite3.Error,
            ) as error:
                log.warning("cluster.not_trimmed", reason=str(error))

    async def _keep(self, leadership: Leadership, confirm: Callable[[], Awaitable[None]]) -> None:
        """Keep the database as it is, say so in the stream, and remove what is before the last one.

        What is between the last one and this stays: a standby that was away for a while goes on.
        """
        settings, file = self._settings, self._folder.copy.with_name("base.sqlite3")
        last = await self.last()
        await COPYING.run(remove_copy, file)
        place = await leadership.write_base(file)
        base = msgspec.structs.replace(
            last,
            object=f"base-{leadership.epoch}-{place.commit}",
            sequence=place.sequence,
            commit=place.commit,
            page_size=place.page_size,
            schema=settings.schema,
            epoch=leadership.epoch,
        )
        await self._bases.put(base.object, file)
        await COPYING.run(remove_copy, file)
        await leadership.log.publish(self._signs.seal(base), subject=settings.subject(BASE))
        # A leader that was frozen meanwhile removes nothing: another one has put its own by then.
        await self._bases.keep_only(base.object, confirm=confirm)
        await self._jetstream.purge_stream(settings.stream, up_to=last.sequence)
        log.info("cluster.snapshot", object=base.object, commit=base.commit)
