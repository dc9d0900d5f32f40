"""Putting a backup in the place of what a data folder has.

Two folders in `backups` tell how far it is. In `.restoring` the backup is unpacked and looked
through; nothing else has been touched, and whoever comes next removes it. Its name becomes
`.restored` at one moment, when all is checked and what is there is kept: from then on the backup is
what holds. Whoever comes next, a start or another restore, puts in place what is not there yet.
Nothing of a backup is readable for a turn that goes on meanwhile: `backups` is hidden from runs,
and a new name beside it would not be.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
import zipfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec

from command_center.store import log_identity
from command_center.store.backups.contents import (
    DATABASE,
    MANIFEST,
    UPLOADS,
    BackedUpFile,
    Manifest,
    files_in,
    is_kept,
)
from command_center.store.backups.encryption import ENCRYPTED, decrypt, is_encrypted
from command_center.store.backups.errors import (
    BackupFailed,
    BadBackup,
    DamagedBackup,
    WrongPassphrase,
)
from command_center.store.backups.places import make_folder
from command_center.store.database.copies import files_beside
from command_center.store.database.opening import BACKUPS, check_database
from command_center.store.database.sqlite_errors import FAULTS, words_of
from command_center.store.errors import (
    CannotOpenDatabase,
    CorruptDatabase,
    DatabaseClaimed,
    DataFolderUnusable,
    ForeignDatabase,
    NewerSchema,
)
from command_center.store.ownership.claim import forget_claim, is_open_elsewhere
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.private_files import new_private_file, sync_folder
from command_center.store.timestamps import now_timestamp

PIECE: Final = 1 << 20
UNPACKED: Final = f"{BACKUPS}/.restoring"
READY: Final = f"{BACKUPS}/.restored"
FORMER: Final = {".restoring": UNPACKED, ".restored": READY}
"""The places of these folders in versions before this one: what those began is finished, too."""
MOST_MANIFEST_BYTES: Final = 64 << 20


@attrs.frozen
class RestoredBackup:
    """A backup that was put in place, and the folder of what was there before; None without any."""

    manifest: Manifest
    replaced: Path | None


def restore_backup(
    file: Path, folder: Path, *, passphrase: str | None = None, takes_damaged: bool = False
) -> RestoredBackup:
    """Put a backup in the place of what the data folder has, of a server that does not run.

    The backup is checked before anything is touched: all its files, the database's tables and each
    of its records. What is there is kept in `backups`. Whenever the work is cut off, all of what
    was there holds, or all of the backup. At the next start the log has another identity. To be
    called in a thread.

    Args:
        file: the backup.
        folder: the data folder.
        passphrase: opens the file, where it is encrypted.
        takes_damaged: also a backup that names damaged records.

    Raises:
        BadBackup: the file is no backup, is not whole, or is of a newer version.
        DamagedBackup: it has damaged records, which are not to be taken.
        WrongPassphrase: it is encrypted, and not by this passphrase.
        EncryptionNotInstalled: it is encrypted, which needs the extra `backup`.
        DataFolderInUse, DatabaseClaimed: a server runs there, or another program has the database.
        DataFolderUnusable: the data folder cannot be made, locked or written.
        BackupFailed: the system refuses.
    """
    with DataFolderLock(folder):
        finish_restore(folder)
        database = (folder / DATABASE).resolve()
        if database.exists() and is_open_elsewhere(database):
            raise DatabaseClaimed(folder / DATABASE, None)
        work = folder / UNPACKED
        try:
            try:
                make_folder(folder)
                work.mkdir(mode=0o700)
                manifest = _unpack(file, work, passphrase)
                _check(file, work / DATABASE, manifest, takes_damaged=takes_damaged)
                replaced = _keep(folder, database)
                work.rename(folder / READY)
            finally:
                _clear(work)
            sync_folder(folder / BACKUPS)
            finish_restore(folder)
        except (OSError, *FAULTS) as error:
            raise BackupFailed(file, f"it could not be put back: {words_of(error)}.") from error
    return RestoredBackup(manifest, replaced)


def finish_restore(folder: Path) -> None:
    """Finish what a restore of this data folder has begun; to be called by who has its lock.

    Raises:
        DataFolderUnusable: the system refuses. It can be tried again.
    """
    try:
        _finish(folder)
    except OSError as error:
        raise DataFolderUnusable(
            folder, f"what a restore has begun cannot be finished: {error}"
        ) from error


def _finish(folder: Path) -> None:
    for former, place in FORMER.items():
        if (folder / former).is_dir():
            make_folder(folder)
            _clear(folder / place)
            (folder / former).rename(folder / place)
    _clear(folder / UNPACKED)
    ready = folder / READY
    if not ready.is_dir():
        return
    for name, file in files_in(ready):
        _move(file, folder / name)
    if (ready / DATABASE).exists():
        database = (folder / DATABASE).resolve()
        for beside in files_beside(database):  # of the database that goes; they are kept
            beside.unlink(missing_ok=True)
        log_identity.mark_of(folder / DATABASE).unlink(missing_ok=True)
        sync_folder(database.parent)
        _move(ready / DATABASE, database)
    _clear(ready)


def _unpack(file: Path, work: Path, passphrase: str | None) -> Manifest:
    try:
        with zipfile.ZipFile(file) as archive:
            if not is_encrypted(archive):
                return _unpack_plain(archive, file, work)
            if passphrase is None:
                raise WrongPassphrase(file, ENCRYPTED)
            opened = work / "opened"
            _refuse_without_room(file, work, archive.infolist())
            decrypt(archive, opened, passphrase, named=file)
        with zipfile.ZipFile(opened) as archive:
            manifest = _unpack_plain(archive, file, work)
        opened.unlink()
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RecursionError,
        msgspec.MsgspecError,
        UnicodeError,
        KeyError,
    ) as error:
        raise BadBackup(file, f"this is not a whole backup ({error}).") from error
    return manifest


def _unpack_plain(archive: zipfile.ZipFile, named: Path, work: Path) -> Manifest:
    """Write the files of a backup to the work folder, and compare them with what it tells."""
    _refuse_without_room(named, work, archive.infolist())
    with archive.open(MANIFEST) as part:
        manifest = msgspec.json.decode(part.read(MOST_MANIFEST_BYTES), type=Manifest)
    names = archive.namelist()
    strange = next((name for name in names if name != MANIFEST and not is_kept(name)), None)
    if strange is not None:
        raise BadBackup(named, f"this is no backup (it has {strange!r}).")
    if sorted([*manifest.files, MANIFEST]) != sorted(names) or DATABASE not in manifest.files:
        raise BadBackup(named, "this is not a whole backup: its files are not those it tells of.")
    for name, told in manifest.files.items():
        with archive.open(name) as part:
            if told != _write(part, work / name):
                raise BadBackup(named, f"this is not a whole backup: {name} is damaged.")
    return manifest


def _refuse_without_room(named: Path, work: Path, entries: list[zipfile.ZipInfo]) -> None:
    needed = sum(entry.file_size for entry in entries)
    if needed > shutil.disk_usage(work).free:
        raise BackupFailed(named, f"it needs {needed:,} bytes, and there is too little room left.")


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


def _check(file: Path, database: Path, manifest: Manifest, *, takes_damaged: bool) -> None:
    if manifest.damaged and not takes_damaged:
        raise DamagedBackup(file, manifest.damaged)
    try:
        check_database(database, takes_damaged=takes_damaged)
        forget_claim(database)
    except (CorruptDatabase, CannotOpenDatabase) as error:
        raise BadBackup(file, f"its database cannot be used: {error.reason}.") from error
    except ForeignDatabase as error:
        raise BadBackup(file, "its database is not one of Command Center.") from error
    except NewerSchema as error:
        raise BadBackup(
            file, "it was made by a newer version. Update Command Center, then put it back."
        ) from error


def _keep(folder: Path, database: Path) -> Path | None:
    """Keep all that is there, and return where; None without a database.

    Everything stands in its place, too, until something else takes it.
    """
    if not database.exists():
        return None
    _take_log_in(database)
    kept = folder / BACKUPS / f"replaced-{now_timestamp().replace(':', '')}"
    kept.mkdir(mode=0o700)
    (kept / UPLOADS).mkdir(mode=0o700)
    beside = [(path.name, path) for path in files_beside(database) if path.exists()]
    for name, place in [*files_in(folder), *beside, (DATABASE, database)]:
        try:
            os.link(place, kept / name)
        except OSError:  # another file system, or one without links
            shutil.copy2(place, kept / name)
    sync_folder(kept)
    return kept


def _take_log_in(database: Path) -> None:
    """Have SQLite write its log into the file, so that the file alone is all of it.

    Nobody else has it open. A database that cannot be read is kept with its log.
    """
    with suppress(*FAULTS), closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _move(file: Path, place: Path) -> None:
    """Put a file in its place, also on another file system, whole or not at all."""
    place = place.resolve()
    if not place.parent.is_dir():
        place.parent.mkdir(mode=0o700)
    try:
        file.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = place.with_name(f"{place.name}.part")
        with new_private_file(part) as target, file.open("rb") as source:
            shutil.copyfileobj(source, target, PIECE)
            target.flush()
            os.fsync(target.fileno())
        part.replace(place)
        file.unlink()
    sync_folder(place.parent)


def _clear(work: Path) -> None:
    if work.is_symlink():
        work.unlink()
    elif work.exists():
        shutil.rmtree(work)
