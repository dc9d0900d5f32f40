"""Whole databases in the object store of the cluster, sealed with the centres' key."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import structlog
import trio

from command_center.actors.nats.jetstream import JetStream
from command_center.actors.nats.objects import ObjectStore
from command_center.store.replication.encryption import PieceCipher
from command_center.store.replication.sealed_file import UnsealedFile, seal_file

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class BaseStore:
    """The whole databases that a cluster keeps, with which copies begin.

    Args:
        jetstream: where they are.
        stream: the name of the cluster's stream, which the bucket has, too.
        key: the centres' key.
    """

    def __init__(self, jetstream: JetStream, stream: str, key: bytes) -> None:
        self._objects = ObjectStore(jetstream, stream)
        self._stream = stream
        self._key = key

    async def create(self, *, replicas: int) -> None:
        """Make the place for them, unless it is there.

        Raises:
            JetStreamRefused: it cannot be.
        """
        await self._objects.create(num_replicas=replicas)

    async def put(self, name: str, file: Path) -> None:
        """Keep a file that nobody writes to.

        Raises:
            OSError: it cannot be read.
            as ``ObjectStore.put``.
        """
        await self._objects.put(name, self._sealed(name, file))

    async def get(self, name: str, target: Path) -> bool:
        """Write what was kept to a new file, flushed; return False if there is none.

        Raises:
            DamagedPiece: it was sealed with another key, or is not whole.
            OSError: the file cannot be written.
            as ``ObjectStore.get``.
        """
        file = await trio.to_thread.run_sync(UnsealedFile, target, self._cipher(name))

        async def take(data: bytes) -> None:
            await trio.to_thread.run_sync(file.take, data)

        try:
            found = await self._objects.get(name, take)
            if found is not None:
                await trio.to_thread.run_sync(file.finish)
        finally:
            file.close()
        return found is not None

    async def delete(self, name: str) -> None:
        """Remove one; one that is not there is no error."""
        await self._objects.delete(name)

    async def keep_only(self, name: str, *, confirm: Callable[[], Awaitable[None]]) -> None:
        """Remove all but one; also what a leader left that was killed while it put one.

        The leader alone may call it, while it puts none.

        Args:
            name: of the one that stays.
            confirm: returns if this centre still leads. So one that was frozen meanwhile does not
                remove what another leader has put.

        Raises:
            as ``ObjectStore.keep_only``.
        """
        removed = await self._objects.keep_only([name], confirm=confirm)
        if removed:
            log.info("cluster.bases_removed", kept=name, removed=removed)

    def _cipher(self, name: str) -> PieceCipher:
        return PieceCipher(self._key, f"{self._stream} {name}")

    async def _sealed(self, name: str, file: Path) -> AsyncIterator[bytes]:
        records = seal_file(file, self._cipher(name))
        while (record := await trio.to_thread.run_sync(next, records, None)) is not None:
            yield record
