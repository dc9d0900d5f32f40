"""`/uploads`: keeps files by their hash, and deletes those that nothing needs any more.

A file is on the disk before its row is committed, and is taken away after its row is. So a row
always has its file, and after a crash in between a file without a row is left, which the next sweep
takes away. One lock orders the two: a sweep never meets a file whose row is about to come. Nothing
is swept while a row is damaged, which may be the one that has the file.

In a cluster a file is shared with the other centres, too, before its row is committed. Each life
brings what is missing here, and shares what the others have not: files of before the cluster.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Final, TypeVar

import structlog
import trio

from command_center.actors.contracts.uploads import DeleteUpload, KeepUpload, ReadUpload
from command_center.actors.core.shared_files import SharedFiles
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.uploads import are_sound as uploads_are_sound
from command_center.actors.ledger.uploads import (
    delete_upload,
    keep_upload,
    prune_uploads,
    unneeded_uploads,
)
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.uploads import check_upload
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import Upload, uploads
from command_center.store.queries.attachments import files_of_uploads
from command_center.store.uploaded_files import UploadedFiles

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

T = TypeVar("T")

PRUNE_SECONDS: Final = 3600.0
"""Seconds between two looks for what nothing needs."""

PRUNED_AT_ONCE: Final = 100
"""Uploads that are deleted in one unit of writing, for which others wait."""

LOOKED_UP: Final = 500
"""Uploads, or files, that are in memory at once while all of them are gone through."""

BRING_SECONDS: Final = 5.0
"""Seconds for which a start waits for files that are not here; then they come meanwhile."""

_AGAIN: Final = 5.0

CHECKED_AT_ONCE: Final = 2
"""Files that are looked through at the same time."""


class Uploads(Actor):
    """Keeps uploads, and what the store knows of them."""

    def __init__(
        self, storage: Storage, files: UploadedFiles, shared: SharedFiles | None = None
    ) -> None:
        """Keep the uploads themselves among `files`, and among those of the other centres."""
        self._shared = shared
        self._storage = storage
        self._files = files
        self._writing = trio.Lock()
        self._checking = trio.CapacityLimiter(CHECKED_AT_ONCE)

    async def on_start(self) -> None:
        """Look for what nothing needs, now and every hour; bring what is not here before."""
        if self._shared is not None:
            with trio.move_on_after(BRING_SECONDS) as patience:
                await self._bring(self._shared)
            if patience.cancelled_caught:
                self.ctx.start_task(self._bring, self._shared)
        self.ctx.start_task(self._prune)

    @handles(KeepUpload)
    async def keep(self, message: KeepUpload) -> Deferred[Upload]:
        """Answer once the file is on the disk and its row committed."""
        return self.ctx.answer_later(self._keep, message)

    async def _keep(self, message: KeepUpload) -> Upload:
        checked = await trio.to_thread.run_sync(
            check_upload, message.content, message.name, limiter=self._checking
        )
        async with self._writing:
            try:
                await trio.to_thread.run_sync(self._files.keep, checked.file, checked.content)
            except OSError as error:
                place, reason = self._files.folder, error.strerror or error
                raise Unavailable(f"The file could not be kept in {place}: {reason}.") from error
            if self._shared is not None:
                await self._shared.put(checked.file, checked.content)
            try:
                return await self._storage.write(
                    lambda tx: keep_upload(tx, checked, actor=message.requested_by)
                )
            except Conflict:  # there is no room, so there is no row that has the file
                await self._remove([checked.file])
                raise

    @handles(ReadUpload)
    async def read(self, message: ReadUpload) -> Deferred[bytes]:
        """Answer with what is on the disk."""
        return self.ctx.answer_later(self._read, message)

    async def _read(self, message: ReadUpload) -> bytes:
        upload = await self._storage.read(lambda db: uploads.get(db, message.upload_id))
        if self._shared is not None:
            await self._bring_file(self._shared, upload.file)
        try:
            return await trio.to_thread.run_sync(self._files.read, upload.file)
        except OSError as error:
            raise Conflict(
                f"The file of upload {upload.id} cannot be read: {error.strerror}."
            ) from error

    @handles(DeleteUpload)
    async def delete(self, message: DeleteUpload) -> Deferred[Upload]:
        """Answer once its row and its file are gone."""
        return self.ctx.answer_later(self._delete, message)

    async def _delete(self, message: DeleteUpload) -> Upload:
        async with self._writing:
            upload = await self._storage.write(
                lambda tx: delete_upload(tx, message.upload_id, actor=message.requested_by)
            )
            await self._remove([upload.file])
            return upload

    async def _bring(self, shared: SharedFiles) -> None:
        """Have all files here and at the other centres, again and again until it is so."""
        while True:
            try:
                await self._bring_all(shared)
            except (Refusal, OSError) as error:
                log.warning("uploads.not_shared", reason=str(error))
                await trio.sleep(_AGAIN)
            else:
                return

    async def _bring_all(self, shared: SharedFiles) -> None:
        there = await shared.names()
        cursor: str | None = None
        while True:
            page = await self._storage.read_long(
                partial(uploads.page, where={}, limit=LOOKED_UP, cursor=cursor)
            )
            for upload in page.items:
                await self._bring_file(shared, upload.file)
                if upload.file not in there:
                    await self._share(shared, upload.file)
            cursor = page.next_cursor
            if cursor is None:
                return

    async def _bring_file(self, shared: SharedFiles, name: str) -> None:
        if not await trio.to_thread.run_sync(self._files.has, name):
            content = await shared.get(name)
            if content is not None:
                async with self._writing:  # a sweep would take away what is half there
                    await trio.to_thread.run_sync(self._files.keep, name, content)

    async def _share(self, shared: SharedFiles, name: str) -> None:
        if await trio.to_thread.run_sync(self._files.has, name):
            await shared.put(name, await trio.to_thread.run_sync(self._files.read, name))
        else:
            log.error("upload.lost", file=name)

    async def _prune(self) -> None:
        while True:
            try:
                await self._sweep()
            except (Refusal, OSError) as error:
                log.warning("uploads.unswept", reason=str(error))
            await trio.sleep(PRUNE_SECONDS)

    async def _sweep(self) -> None:
        """Delete what nothing needs in steps, between which others write; then the strays."""
        are_sound = await self._storage.read_long(uploads_are_sound)
        unneeded = await self._storage.read_long(unneeded_uploads)
        for some in _parts_of(unneeded, PRUNED_AT_ONCE):
            async with self._writing:
                pruned = await self._storage.write(partial(prune_uploads, ids=some))
                if are_sound:
                    await self._remove(pruned)
        async with self._writing:
            # A row may have been damaged since: its file would be a stray.
            if not await self._storage.read_long(uploads_are_sound):
                return
            there = await trio.to_thread.run_sync(self._files.names)
            for names in _parts_of(there, LOOKED_UP):
                known = await self._storage.read_long(partial(files_of_uploads, names=names))
                await self._remove([name for name in names if name not in known])

    async def _remove(self, names: Collection[str]) -> None:
        left = await trio.to_thread.run_sync(self._files.remove, names)
        for name, reason in left.items():
            log.warning("upload.left", file=name, reason=reason)
        if self._shared is not None:
            for name in names:
                try:
                    await self._shared.delete(name)
                except Unavailable as error:
                    log.warning("upload.left", file=name, reason=str(error))


def _parts_of(whole: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for begin in range(0, len(whole), size):
        yield whole[begin : begin + size]
