"""Making a backup, also beside a server that runs and writes.

All work is done in a folder of the data folder that is locked while somebody is at it. To where the
backup goes, only its last form is written, in one file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec

from command_center.store import events, log_identity
from command_center.store.backups.contents import (
    DATABASE,
    MANIFEST,
    UPLOADS,
    BackedUpFile,
    Manifest,
    files_in,
)
from command_center.store.backups.encryption import encrypt
from command_center.store.backups.errors import BackupFailed
from command_center.store.backups.places import make_folder
from command_center.store.database.checksums import damaged_rows
from command_center.store.database.copies import copy_database
from command_center.store.database.opening import BACKUPS, open_for_reading
from command_center.store.database.sqlite_errors import FAULTS, words_of
from command_center.store.errors import DataFolderInUse, DataFolderUnusable
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.timestamps import now_timestamp

WORK: Final = ".making-"
"""The beginning of the names of folders in which backups are made."""

PIECE: Final = 1 << 20
COMPRESSION: Final = 6

MOST_DAMAGED: Final = 100
"""Damaged records that a backup names."""

ROOM: Final = 3
"""Room that must be left on the disk, as a multiple of the database's size."""


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
    settle: Callable[[], object] = lambda: None,
) -> Backup:
    """Write all that an installation has to keep to one file, for its owner alone.

    The file bears its name only once it is whole, checked and on the disk. It is of one moment:
    what is written meanwhile is not in it. Damaged records are in it as they are, and named. To be
    called in a thread.

    Args:
        folder: the data folder, of a server that may run.
        target: the file; one that is there is replaced.
        database: where the database is; in the data folder, unless given.
        passphrase: closes the file, where it is given.
        check: called again and again; what it raises ends the work without a trace.
        settle: called once the database was read; returns when what it has may be kept. What it
            raises ends the work, too.

    Raises:
        BackupFailed: there is no database, no room, or the system or SQLite refuses.
        EncryptionNotInstalled: a passphrase needs the extra `backup`.
    """
    database = database or folder / DATABASE
    if not database.is_file():
        raise BackupFailed(target, f"there is no database in {folder}.")
    try:
        make_folder(folder)
        clear_left_work(folder)
        if shutil.disk_usage(folder).free < ROOM * database.stat().st_size:
            raise BackupFailed(target, f"there is too little room left beside {folder}.")
        with tempfile.TemporaryDirectory(prefix=WORK, dir=folder / BACKUPS) as name:
            work = Path(name)
            with DataFolderLock(work):
                return _Making(folder, database, work, check, settle).make(target, passphrase)
    except (OSError, *FAULTS, DataFolderUnusable) as error:
        raise BackupFailed(target, f"the backup could not be made: {words_of(error)}.") from error


def clear_left_work(folder: Path) -> None:
    """Remove what was left by backups of a data folder that were cut off."""
    for left in (folder / BACKUPS).glob(f"{WORK}*"):
        with suppress(DataFolderInUse, DataFolderUnusable), DataFolderLock(left):
            shutil.rmtree(left, ignore_errors=True)


@attrs.frozen
class _Making:
    folder: Path
    database: Path
    work: Path
    check: Callable[[], object]
    settle: Callable[[], object]

    def make(self, target: Path, passphrase: str | None) -> Backup:
        """Have it made in the work folder, and write it to its place."""
        self._keep_files()
        with closing(open_for_reading(self.database)) as db:
            copy_database(db, self.work / DATABASE)
        self.settle()
        self._keep_files()  # those, too, that came with what the database has since
        whole = self.work / "whole"
        manifest = self._pack(whole)
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with new_private_file(partial) as file:
                if passphrase is None:
                    self._copy(whole, file)
                else:
                    encrypt(whole, file, passphrase, named=target)
                file.flush()
                os.fsync(file.fileno())
            size = partial.stat().st_size
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(target.parent)
        return Backup(target, size, manifest)

    def _keep_files(self) -> None:
        """Give the files a second name, so that who deletes one takes none from the backup."""
        (self.work / UPLOADS).mkdir(mode=0o700, exist_ok=True)
        for name, place in files_in(self.folder):
            kept = self.work / name
            if kept.exists():
                continue
            with suppress(FileNotFoundError):  # it was deleted in between
                try:
                    os.link(place, kept, follow_symlinks=False)
                except FileNotFoundError:
                    raise
                except (OSError, NotImplementedError):  # another file system, or one without links
                    shutil.copyfile(place, kept, follow_symlinks=False)

    def _pack(self, target: Path) -> Manifest:
        with (
            new_private_file(target) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
        ):
            names = [DATABASE, *sorted(name for name, _ in files_in(self.work))]
            packed = {name: self._add(archive, name) for name in names}
            manifest = self._manifest(packed)
            archive.writestr(_entry(MANIFEST), msgspec.json.encode(manifest))
        return manifest

    def _add(self, archive: zipfile.ZipFile, name: str) -> BackedUpFile:
        no_link: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(self.work / name, os.O_RDONLY | no_link)
        with (
            os.fdopen(descriptor, "rb") as file,
            archive.open(_entry(name), "w", force_zip64=True) as part,
        ):
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{name} is no regular file")
            return self._copy(file, part)

    def _copy(self, source: Path | IO[bytes], target: IO[bytes]) -> BackedUpFile:
        if isinstance(source, Path):
            with source.open("rb") as file:
                return self._copy(file, target)
        digest, size = hashlib.sha256(), 0
        while piece := source.read(PIECE):
            self.check()
            digest.update(piece)
            size += len(piece)
            target.write(piece)
        return BackedUpFile(size, digest.hexdigest())

    def _manifest(self, packed: dict[str, BackedUpFile]) -> Manifest:
        with closing(open_for_reading(self.work / DATABASE)) as db:
            return Manifest(
                version=version("command-center"),
                made_at=now_timestamp(),
                log_id=log_identity.log_id(db),
                last_event_id=events.last_id(db),
                damaged=list(islice(damaged_rows(db), MOST_DAMAGED)),
                files=packed,
            )


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    return entry
