"""Uploads in the object store of the cluster, sealed with the centres' key.

The leader puts each there before it is acknowledged. A standby brings what is new to its own
folder, and removes what was removed, so that it has all when it leads. It believes the NATS servers
nothing: a name that is none of an upload's is left out, and so is a file that is damaged.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Final

import structlog
import trio

from command_center.actors.cluster.settings import ClusterSettings
from command_center.actors.cluster.stream_log import UNKNOWN
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsClosed,
    NatsRefused,
    ObjectDamaged,
)
from command_center.actors.nats.jetstream import STREAM_NOT_FOUND, JetStream
from command_center.actors.nats.objects import ObjectStore
from command_center.actors.rules.errors import Unavailable
from command_center.actors.rules.uploads import UPLOAD_BYTES
from command_center.store import NotReplicated
from command_center.store.replication.encryption import OVERHEAD, PieceCipher
from command_center.store.replication.errors import DamagedPiece
from command_center.store.uploaded_files import UploadedFiles

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_AGAIN: Final = 1.0
_NAME: Final = re.compile(r"[0-9A-Za-z]{1,64}(\.[0-9A-Za-z]{1,10})?")
_DAMAGED: Final = (ObjectDamaged, DamagedPiece)
_FAULTS: Final = (
    *UNKNOWN,
    NatsClosed,
    NatsRefused,
    JetStreamRefused,
    NotReplicated,
    *_DAMAGED,
)


class FileStore:
    """The uploads that the centres of a cluster share.

    Attributes:
        confirm: returns if this centre leads, and raises NotReplicated if not; None before it has.
    """

    def __init__(self, jetstream: JetStream, settings: ClusterSettings) -> None:
        self._bucket = f"{settings.stream}-files"
        self._objects = ObjectStore(jetstream, self._bucket)
        self._jetstream = jetstream
        self._key = settings.key
        self._files = UploadedFiles(settings.uploads)
        self.confirm: Callable[[], Awaitable[None]] | None = None

    async def create(self, *, replicas: int) -> None:
        """Make the place for them, unless there is one.

        Raises:
            JetStreamRefused: it cannot be made.
            as ``JetStream.stream_info``.
        """
        try:
            await self._jetstream.stream_info(self._objects.stream)
        except JetStreamRefused as error:
            if error.err_code != STREAM_NOT_FOUND:
                raise
            await self._objects.create(num_replicas=replicas)

    async def put(self, name: str, content: bytes) -> None:
        """Keep a file, unless it is there. No deletion by a leader of before takes it away then.

        Raises:
            Unavailable: the NATS servers do not take it.
        """
        with _told():
            if not await self._objects.renew(name):
                sealed = await trio.to_thread.run_sync(self._cipher(name).seal, content)
                await self._objects.put(name, _whole(sealed))

    async def get(self, name: str) -> bytes | None:
        """Return what a file has; None if there is none that is whole.

        Raises:
            Unavailable: the NATS servers do not give it.
        """
        with _told():
            try:
                return await self._get(name)
            except _DAMAGED as error:
                log.warning("cluster.file_damaged", file=name, reason=str(error))
                return None

    async def names(self) -> frozenset[str]:
        """Return the names of all.

        Raises:
            Unavailable: the NATS servers do not tell.
        """
        with _told():
            return await self._objects.names()

    async def delete(self, name: str) -> None:
        """Remove a file; one that is not there is no error.

        A leader that was frozen meanwhile, and leads no more, removes nothing: the next one may
        have it from somebody again.

        Raises:
            Unavailable: the NATS servers do not take that, or another centre leads.
        """
        with _told():
            await self._objects.delete(name, confirm=self.confirm)

    async def follow(self) -> None:
        """Have this centre's folder be what is shared; return never."""
        while True:
            try:
                async with aclosing(self._objects.changed()) as names:
                    async for name in names:
                        try:
                            await self._bring(name)
                        except _DAMAGED as error:  # the others come all the same
                            log.warning("cluster.file_damaged", file=name, reason=str(error))
            except (*_FAULTS, OSError) as error:
                log.warning("cluster.files_not_followed", reason=str(error))
            await trio.sleep(_AGAIN)
            await self._jetstream.client.wait_connected()

    async def _bring(self, name: str) -> None:
        if _NAME.fullmatch(name) is None:  # it would lead out of the folder
            log.warning("cluster.file_misnamed", file=name)
        elif await self._objects.find(name) is None:
            await trio.to_thread.run_sync(self._files.remove, [name])
        elif not await trio.to_thread.run_sync(self._files.has, name):
            content = await self._get(name)
            if content is not None:
                await trio.to_thread.run_sync(self._files.keep, name, content)

    async def _get(self, name: str) -> bytes | None:
        sealed = bytearray()

        async def take(piece: bytes) -> None:
            if len(sealed) + len(piece) > UPLOAD_BYTES + OVERHEAD:
                raise ObjectDamaged(name, "it is longer than any upload")
            sealed.extend(piece)

        if await self._objects.get(name, take) is None:
            return None
        return await trio.to_thread.run_sync(self._cipher(name).unseal, bytes(sealed))

    def _cipher(self, name: str) -> PieceCipher:
        return PieceCipher(self._key, f"{self._bucket} {name}")


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content


@contextmanager
def _told() -> Iterator[None]:
    """Tell what goes wrong as what a client can try again."""
    try:
        yield
    except _FAULTS as error:
        raise Unavailable(
            f"The file cannot be shared with the other centres: {error}", retry_after=1.0
        ) from error
