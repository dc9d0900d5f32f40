"""Things longer than a message, kept in pieces with a digest: NATS's object store.

What is put here the programs of NATS can read, and the other way round. The format is that of
ADR-20 in https://github.com/nats-io/nats-architecture-and-design.
"""

import base64
import hashlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final

import msgspec
import structlog
import trio

from command_center.actors.nats.errors import JetStreamRefused, ObjectDamaged, WrongLastSequence
from command_center.actors.nats.follower import StreamFollower
from command_center.actors.nats.jetstream import (
    MESSAGE_NOT_FOUND,
    JetStream,
    StreamConfig,
    StreamMessage,
)
from command_center.actors.nats.wire import check_subject

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

CHUNK: Final = 128 * 1024
"""Bytes of a piece."""

_STALLED: Final = 10.0


class StoredObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object, as its bucket tells of it.

    Attributes:
        name: its name.
        bucket: where it is.
        nuid: the word in the subject of its pieces.
        size: bytes of it.
        chunks: the number of its pieces.
        digest: ``SHA-256=`` and the digest, in Base64 for addresses.
        deleted: it is there no more.
    """

    name: str
    bucket: str
    nuid: str
    size: int = 0
    chunks: int = 0
    digest: str = ""
    deleted: bool = False


class ObjectStore:
    """A bucket of objects in JetStream."""

    def __init__(self, jetstream: JetStream, bucket: str) -> None:
        self.bucket = check_subject(bucket)
        self._jetstream = jetstream
        self.stream = f"OBJ_{bucket}"

    async def create(self, *, num_replicas: int = 1, max_bytes: int = -1) -> None:
        """Make the bucket; one that is just so already is left as it is.

        Raises:
            JetStreamRefused: it cannot be, or is another already.
        """
        await self._jetstream.create_stream(
            StreamConfig(
                name=self.stream,
                subjects=(f"$O.{self.bucket}.C.>", f"$O.{self.bucket}.M.>"),
                num_replicas=num_replicas,
                max_bytes=max_bytes,
                discard="new",
                allow_direct=True,
                allow_rollup_hdrs=True,
            )
        )

    async def put(self, name: str, pieces: AsyncIterable[bytes]) -> StoredObject:
        """Keep an object under a name, in the place of the one that had it.

        Who reads meanwhile gets the old one or the new one. If this fails, the old one stays.

        Args:
            name: any text.
            pieces: its content, cut as you like; each is sent in pieces of ``CHUNK`` bytes.

        Raises:
            as ``JetStream.publish``.
        """
        before = await self.find(name)
        nuid = secrets.token_hex(11)
        subject = self._pieces_of(nuid)
        digest, size, chunks = hashlib.sha256(), 0, 0
        try:
            async for piece in pieces:
                for start in range(0, len(piece), CHUNK):
                    chunk = piece[start : start + CHUNK]
                    await self._jetstream.publish(subject, chunk, expect_stream=self.stream)
                    digest.update(chunk)
                    size, chunks = size + len(chunk), chunks + 1
            found = StoredObject(
                name=name,
                bucket=self.bucket,
                nuid=nuid,
                size=size,
                chunks=chunks,
                digest=_digest_text(digest.digest()),
            )
            await self._tell(found)
        except BaseException:
            # The pieces would lie there for ever; if even that fails, they do.
            with trio.move_on_after(self._jetstream.timeout, shield=True):
                await self._remove_pieces(nuid)
            raise
        if before is not None:
            await self._remove_pieces(before.nuid)
        return found

    async def get(self, name: str, take: Callable[[bytes], Awaitable[None]]) -> StoredObject | None:
        """Give an object's pieces in their order; return what it is, or None if there is none.

        What was taken is worth something only once this has returned.

        Raises:
            ObjectDamaged: a piece is missing, or the digest is another.
            as ``JetStream.last_message``.
        """
        found = await self.find(name)
        if found is None:
            return None
        pieces = StreamFollower(self._jetstream, self.stream, subject=self._pieces_of(found.nuid))
        digest, size = hashlib.sha256(), 0
        try:
            for _ in range(found.chunks):
                with trio.move_on_after(_STALLED) as patience:
                    piece = await pieces.receive()
                if patience.cancelled_caught:
                    raise ObjectDamaged(name, "a piece of it is missing")
                digest.update(piece.payload)
                size += len(piece.payload)
                await take(piece.payload)
        finally:
            pieces.close()
        if size != found.size or _digest_text(digest.digest()) != found.digest:
            raise ObjectDamaged(name, "its digest is another")
        return found

    async def renew(self, name: str) -> bool:
        """Tell of an object once more, so that no ``delete`` from before removes it.

        Return False if there is none.

        Raises:
            as ``JetStream.publish``.
        """
        while True:
            found, sequence = await self._found(name)
            if found is None:
                return False
            with suppress(WrongLastSequence):  # somebody was faster: it may be gone
                await self._tell(found, after=sequence)
                return True

    async def delete(
        self, name: str, *, confirm: Callable[[], Awaitable[None]] | None = None
    ) -> bool:
        """Remove an object; return False if there is none, or it was put or renewed meanwhile.

        Args:
            name: its name.
            confirm: called before anything goes; it raises where somebody else may need it by then.
                Whoever needs it after that puts or renews it, and it stays.

        Raises:
            as ``JetStream.publish``, and ``confirm``.
        """
        found, sequence = await self._found(name)
        if found is None:
            return False
        if confirm is not None:
            await confirm()
        gone = msgspec.structs.replace(found, deleted=True, size=0, chunks=0, digest="")
        try:
            await self._tell(gone, after=sequence)
        except WrongLastSequence:
            return False
        await self._remove_pieces(found.nuid)
        return True

    async def names(self) -> frozenset[str]:
        """Return the names of all objects.

        Raises:
            as ``JetStream.subjects_of``.
        """
        told = await self._jetstream.subjects_of(self.stream, f"$O.{self.bucket}.M.*")
        found = [await self._told(subject) for subject in told]
        return frozenset(each.name for each, _ in found if each is not None)

    async def changed(self) -> AsyncGenerator[str, None]:
        """Yield the name of each object that is there, and of each that is put or deleted then.

        What tells of none is left out.

        Raises:
            as ``StreamFollower.receive``.
        """
        told = StreamFollower(self._jetstream, self.stream, subject=f"$O.{self.bucket}.M.*")
        try:
            while True:
                message = await told.receive()
                try:
                    found = _decoded(message)
                except ObjectDamaged as error:
                    log.warning("nats.object_damaged", bucket=self.bucket, reason=str(error))
                else:
                    yield found.name
        finally:
            told.close()

    async def keep_only(
        self, names: Collection[str], *, confirm: Callable[[], Awaitable[None]] | None = None
    ) -> int:
        """Remove all other objects, and the pieces of those that were never whole; count them.

        Nobody may put anything meanwhile.

        Args:
            names: of the objects that stay.
            confirm: called when it is known what goes, before anything does; it raises where
                somebody else may have put something by then.

        Raises:
            as ``JetStream.subjects_of``, and ``confirm``.
        """
        kept = {self._subject_of(name) for name in names}
        for name in names:
            if (found := await self.find(name)) is not None:
                kept.add(self._pieces_of(found.nuid))
        all_there = await self._jetstream.subjects_of(self.stream, f"$O.{self.bucket}.>")
        strays = [subject for subject in all_there if subject not in kept]
        if strays and confirm is not None:
            await confirm()
        for subject in strays:
            await self._jetstream.purge_stream(self.stream, subject=subject)
        return len(strays)

    async def find(self, name: str) -> StoredObject | None:
        """Return what is told of an object; None if there is none.

        Raises:
            ObjectDamaged: what tells of it is none.
            as ``JetStream.last_message``.
        """
        found, _ = await self._found(name)
        return found

    async def _found(self, name: str) -> tuple[StoredObject | None, int]:
        return await self._told(self._subject_of(name))

    async def _told(self, subject: str) -> tuple[StoredObject | None, int]:
        """Return what the bucket tells under a subject, and the sequence of what tells it.

        None stands for an object that is not there, or not any more.
        """
        try:
            message = await self._jetstream.last_message(self.stream, subject)
        except JetStreamRefused as error:
            if error.err_code == MESSAGE_NOT_FOUND:
                return None, 0
            raise
        found = _decoded(message)
        return None if found.deleted else found, message.sequence

    async def _tell(self, found: StoredObject, *, after: int | None = None) -> None:
        """Publish what tells of an object; ``after`` is the sequence of what must be told now."""
        await self._jetstream.publish(
            self._subject_of(found.name),
            msgspec.json.encode(found),
            expect_stream=self.stream,
            expect_last_of_subject=after,
            headers={"Nats-Rollup": "sub"},
        )

    async def _remove_pieces(self, nuid: str) -> None:
        await self._jetstream.purge_stream(self.stream, subject=self._pieces_of(nuid))

    def _pieces_of(self, nuid: str) -> str:
        return f"$O.{self.bucket}.C.{nuid}"

    def _subject_of(self, name: str) -> str:
        encoded = base64.urlsafe_b64encode(name.encode()).decode()
        return f"$O.{self.bucket}.M.{encoded}"


def _decoded(message: StreamMessage) -> StoredObject:
    try:
        found = msgspec.json.decode(message.payload, type=StoredObject)
        check_subject(found.nuid)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ObjectDamaged(message.subject, "what tells of it is none") from error
    return found


def _digest_text(digest: bytes) -> str:
    return f"SHA-256={base64.urlsafe_b64encode(digest).decode()}"
