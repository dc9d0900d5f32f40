"""`/uploads`: keeps files by their hash, and deletes those that nothing needs any more.

A file is on the disk before its row is committed, and is taken away after its row is. So a row
always has its file, and after a crash in between a file without a row is left, which the next sweep
takes away. One lock orders the two: a sweep never meets a file whose row is about to come. Nothing
is swept while a row is damaged, which may be the one that has the file.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

import structlog
import trio

from command_center.actors.contracts.uploads import DeleteUpload, KeepUpload, ReadUpload
from command_center.actors.core.storage import Storage
from command_center.actors.ledger.uploads import delete_upload, keep_upload, prune_uploads
from command_center.actors.rules.errors import Conflict, Unavailable
from command_center.actors.rules.uploads import Checked, check_upload
from command_center.runtime import Actor, Deferred, Refusal, handles
from command_center.store import Upload, uploads

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PRUNE_SECONDS: Final = 3600.0
"""Seconds between two looks for what nothing needs."""

CHECKED_AT_ONCE: Final = 2
"""Files that are looked through at the same time."""


class Uploads(Actor):
    """Keeps uploads in `folder`."""

    def __init__(self, storage: Storage, folder: Path) -> None:
        """Make the folder when the first file comes."""
        self._storage = storage
        self._folder = folder
        self._writing = trio.Lock()
        self._checking = trio.CapacityLimiter(CHECKED_AT_ONCE)

    async def on_start(self) -> None:
        """Look for what nothing needs, now and every hour."""
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
                await trio.to_thread.run_sync(_write, self._folder, checked)
            except OSError as error:
                raise Unavailable(
                    f"The file could not be kept in {self._folder}: {error.strerror or error}."
                ) from error
            try:
                return await self._storage.write(
                    lambda tx: keep_upload(tx, checked, actor=message.requested_by)
                )
            except Conflict:  # there is no room, so there is no row that has the file
                await trio.to_thread.run_sync(_remove, self._folder, [checked.file])
                raise

    @handles(ReadUpload)
    async def read(self, message: ReadUpload) -> Deferred[bytes]:
        """Answer with what is on the disk."""
        return self.ctx.answer_later(self._read, message)

    async def _read(self, message: ReadUpload) -> bytes:
        upload = await self._storage.read(lambda db: uploads.get(db, message.upload_id))
        try:
            return await trio.Path(self._folder / upload.file).read_bytes()
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
            await trio.to_thread.run_sync(_remove, self._folder, [upload.file])
            return upload

    async def _prune(self) -> None:
        while True:
            try:
                await self._sweep()
            except (Refusal, OSError) as error:
                log.warning("uploads.unswept", reason=str(error))
            await trio.sleep(PRUNE_SECONDS)

    async def _sweep(self) -> None:
        async with self._writing:
            kept = await self._storage.write(prune_uploads)
            if kept is not None:
                left = await trio.to_thread.run_sync(_strays, self._folder, kept)
                await trio.to_thread.run_sync(_remove, self._folder, left)


def _write(folder: Path, checked: Checked) -> None:
    """Put the file in its place, whole or not at all, for this user alone; a power cut keeps it."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync(folder.parent)
    place = folder / checked.file
    if not place.exists():
        part = folder / f"{checked.file}.part"
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(checked.content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    _sync(folder)  # also of one that is there, perhaps of a life that ended before it came to this


def _sync(folder: Path) -> None:
    """Have the names in the folder on the disk; Windows opens no folder for this."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _strays(folder: Path, kept: Collection[str]) -> list[str]:
    """Return the files in the folder that no row has."""
    if not folder.is_dir():
        return []
    return sorted({entry.name for entry in folder.iterdir()} - set(kept))


def _remove(folder: Path, files: Collection[str]) -> None:
    for name in files:
        try:
            (folder / name).unlink(missing_ok=True)
        except OSError as error:
            log.warning("upload.left", file=name, reason=error.strerror)
