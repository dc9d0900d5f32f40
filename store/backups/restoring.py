"""Putting a backup in the place of what a data folder has."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tarfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec

from command_center.store import log_identity
from command_center.store.backups.contents import (
    DATABASE,
    KEPT,
    MANIFEST,
    BackedUpFile,
    Manifest,
    is_kept,
)
from command_center.store.backups.encryption import decrypt, is_encrypted
from command_center.store.backups.errors import BackupFailed, BadBackup, WrongPassphrase
from command_center.store.database.copies import files_beside
from command_center.store.database.opening import BACKUPS, check_database
from command_center.store.ownership.claim import refuse_while_held
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.timestamps import now_timestamp

PIECE: Final = 1 << 20
WORK: Final = ".restoring"
MOST_MANIFEST_BYTES: Final = 64 << 20


@attrs.frozen
class RestoredBackup:
    """A backup that was put in place, and the folder of what was there before; None without any."""

    manifest: Manifest
    replaced: Path | None


def restore_backup(file: Path, folder: Path, *, passphrase: str | None = None) -> RestoredBackup:
    """Put a backup in the place of what the data folder has, of a server that does not run.

    The backup is checked before anything is touched: all its files, the database's schema and each
    of its records. What is there is kept in `backups`. The database changes from one state to the
    other at once, whenever the work is cut off. At the next start the log has another identity. To
    be called in a thread.

    Raises:
        BadBackup: the file is no backup, or is not whole.
        WrongPassphrase: it is encrypted, and not by this passphrase.
        EncryptionNotInstalled: it is encrypted, which needs the extra `backup`.
        CorruptDatabase, ForeignDatabase, NewerSchema: of the backup's database.
        DataFolderInUse, DatabaseClaimed: a server runs there.
        DataFolderUnusable: the data folder cannot be made or locked.
        BackupFailed: the system refuses.
    """
    with DataFolderLock(folder) as lock:
        refuse_while_held(folder / DATABASE, lock)
        work = folder / WORK
        try:
            _clear(work)
            work.mkdir(mode=0o700)
            manifest = _unpack(_opened(file, work, passphrase), file, work)
            check_database(work / DATABASE)
            replaced = _keep(folder)
            _put_in_place(work, folder, manifest)
        except (OSError, sqlite3.Error) as error:
            raise BackupFailed(file, f"it could not be put back: {error}.") from error
        finally:
            _clear(work)
    return RestoredBackup(manifest, replaced)


def _opened(file: Path, work: Path, passphrase: str | None) -> Path:
    if not is_encrypted(file):
        return file
    if passphrase is None:
        raise WrongPassphrase(file, "this backup is encrypted: give its passphrase.")
    opened = work / "opened"
    decrypt(file, opened, passphrase)
    return opened


def _unpack(archive_file: Path, named: Path, work: Path) -> Manifest:
    """Write the files of a backup to the work folder, and compare them with what it tells."""
    found: dict[str, BackedUpFile] = {}
    manifest: Manifest | None = None
    try:
        with tarfile.open(archive_file, "r|gz") as archive:
            for entry in archive:
                part = archive.extractfile(entry) if entry.isfile() else None
                if part is not None and entry.name == MANIFEST:
                    told = part.read(MOST_MANIFEST_BYTES)
                    manifest = msgspec.json.decode(told, type=Manifest)
                elif part is not None and is_kept(entry.name) and entry.name not in found:
                    found[entry.name] = _write(part, work / entry.name)
                else:
                    raise BadBackup(named, f"this is no backup (it has {entry.name!r}).")
    except (tarfile.TarError, zlib.error, EOFError, msgspec.MsgspecError, UnicodeError) as error:
        raise BadBackup(named, f"this is not a whole backup ({error}).") from error
    if manifest is None or found != manifest.files or DATABASE not in found:
        raise BadBackup(named, "this is not a whole backup: its files are not those it tells of.")
    return manifest


def _write(part: IO[bytes], target: Path) -> BackedUpFile:
    target.parent.mkdir(mode=0o700, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with new_private_file(target) as file:
        while piece := part.read(PIECE):
            digest.update(piece)
            size += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return BackedUpFile(size, digest.hexdigest())


def _keep(folder: Path) -> Path | None:
    """Keep the database and the secrets that are there, and return where; None without any.

    The database stands in its place, too, until another takes it.
    """
    database = folder / DATABASE
    if not database.exists():
        return None
    _take_log_in(database)
    kept = folder / BACKUPS / f"replaced-{now_timestamp().replace(':', '')}"
    kept.mkdir(mode=0o700, parents=True)
    for name in KEPT:
        if (folder / name).is_file():
            shutil.copy2(folder / name, kept / name)
    try:
        os.link(database, kept / DATABASE)
    except OSError:  # a file system without links
        shutil.copy2(database, kept / DATABASE)
    for path in files_beside(database):  # of a database that could not be read
        with suppress(FileNotFoundError):
            path.replace(kept / path.name)
    sync_folder(kept)
    return kept


def _take_log_in(database: Path) -> None:
    """Have SQLite write its log into the file, so that the file alone is all of it."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _put_in_place(work: Path, folder: Path, manifest: Manifest) -> None:
    """Put each file in its place, the database last."""
    for name in sorted(manifest.files, key=lambda name: name == DATABASE):
        place = folder / name
        if not place.parent.is_dir():
            place.parent.mkdir(mode=0o700)
        if name == DATABASE:
            log_identity.mark_of(place).unlink(missing_ok=True)
            sync_folder(folder)
        (work / name).replace(place)
        sync_folder(place.parent)


def _clear(work: Path) -> None:
    if work.exists():
        shutil.rmtree(work)
