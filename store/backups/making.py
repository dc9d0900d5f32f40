"""Making a backup, also beside a server that runs and writes."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Final

import attrs
import msgspec
from sqlite_utils import Database

from command_center.store import events, log_identity
from command_center.store.backups.contents import (
    DATABASE,
    MANIFEST,
    BackedUpFile,
    Manifest,
    files_in,
)
from command_center.store.backups.encryption import encrypt
from command_center.store.backups.errors import BackupFailed
from command_center.store.database.copies import copy_database
from command_center.store.database.opening import open_for_reading
from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.timestamps import now_timestamp

COMPRESSION: Final = 6

WORK: Final = ".backup-"
"""The beginning of the names of folders in which backups are made."""

LEFT_SECONDS: Final = 3600.0
"""The age of such a folder whose backup was cut off, and which nobody needs any more."""


@attrs.frozen
class Backup:
    """A backup that was made: where it is, its length in bytes, and what it tells of itself."""

    path: Path
    size: int
    manifest: Manifest


def make_backup(
    folder: Path,
    target: Path,
    *,
    database: Path | None = None,
    passphrase: str | None = None,
    check: Callable[[], object] = lambda: None,
) -> Backup:
    """Write all that an installation has to keep to one file, for its owner alone.

    The file bears its name only once it is whole, checked and on the disk. It is of one moment:
    what is written meanwhile is not in it. To be called in a thread.

    Args:
        folder: the data folder, of a server that may run.
        target: the file; one that is there is replaced.
        database: where the database is; in the data folder, unless given.
        passphrase: closes the file, where it is given.
        check: called again and again; what it raises ends the work without a trace.

    Raises:
        BackupFailed: there is no database, or the system or SQLite refuses.
        EncryptionNotInstalled: a passphrase needs the extra `backup`.
    """
    database = database or folder / DATABASE
    if not database.is_file():
        raise BackupFailed(target, f"there is no database in {folder}.")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_left_work(target.parent)
        with tempfile.TemporaryDirectory(prefix=WORK, dir=target.parent) as name:
            return _Making(folder, database, Path(name), check).make(target, passphrase)
    except (OSError, sqlite3.Error) as error:
        raise BackupFailed(target, f"the backup could not be made: {error}.") from error


@attrs.frozen
class _Making:
    folder: Path
    database: Path
    work: Path
    check: Callable[[], object]

    def make(self, target: Path, passphrase: str | None) -> Backup:
        """Have it made in the work folder, and put it in its place."""
        self._keep_files()
        with closing(open_for_reading(self.database)) as db:
            copy_database(db, self.work / DATABASE)
        self._keep_files()  # those, too, that came with what the database has since
        whole = self.work / "whole"
        manifest = self._pack(whole)
        if passphrase is not None:
            encrypt(whole, self.work / "closed", passphrase)
            whole = self.work / "closed"
        with whole.open("rb+") as file:
            os.fsync(file.fileno())
        size = whole.stat().st_size
        whole.replace(target)
        sync_folder(target.parent)
        return Backup(target, size, manifest)

    def _keep_files(self) -> None:
        """Give the files a second name, so that who deletes one takes none from the backup."""
        for name in files_in(self.folder):
            kept = self.work / name
            kept.parent.mkdir(mode=0o700, exist_ok=True)
            if kept.exists():
                continue
            with suppress(FileNotFoundError):  # it was deleted in between
                try:
                    os.link(self.folder / name, kept)
                except FileNotFoundError:
                    raise
                except OSError:  # another file system, or one without links
                    shutil.copyfile(self.folder / name, kept)

    def _pack(self, target: Path) -> Manifest:
        with (
            new_private_file(target) as file,
            tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION) as archive,
        ):
            packed = {
                name: self._add(archive, name) for name in (DATABASE, *sorted(files_in(self.work)))
            }
            with closing(open_for_reading(self.work / DATABASE)) as db:
                manifest = _manifest_of(db, packed)
            told = msgspec.json.encode(manifest)
            archive.addfile(_entry(MANIFEST, len(told), manifest.made_at), BytesIO(told))
        return manifest

    def _add(self, archive: tarfile.TarFile, name: str) -> BackedUpFile:
        with (self.work / name).open("rb") as file:
            status = os.fstat(file.fileno())
            entry = _entry(name, status.st_size, None)
            entry.mtime = int(status.st_mtime)
            reader = _HashingReader(file.read, self.check)
            archive.addfile(entry, reader)
        return BackedUpFile(status.st_size, reader.digest.hexdigest())


class _HashingReader:
    """A file that is read once, with the hash of what was read."""

    def __init__(self, read: Callable[[int], bytes], check: Callable[[], object]) -> None:
        self._read = read
        self._check = check
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        self._check()
        piece = self._read(size)
        self.digest.update(piece)
        return piece


def _remove_left_work(folder: Path) -> None:
    for left in folder.glob(f"{WORK}*"):
        if time.time() - left.stat().st_mtime > LEFT_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _manifest_of(db: Database, packed: dict[str, BackedUpFile]) -> Manifest:
    return Manifest(
        version=version("command-center"),
        made_at=now_timestamp(),
        log_id=log_identity.log_id(db),
        last_event_id=events.last_id(db),
        files=packed,
    )


def _entry(name: str, size: int, made_at: str | None) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    if made_at is not None:
        entry.mtime = int(datetime.fromisoformat(made_at).timestamp())
    return entry
