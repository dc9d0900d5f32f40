"""The part of an update that touches what is there, and the way back.

It runs in the kept copy of the environment, in a session of its own, as
`python -P -m command_center.http.cli.update.switching DATA_FOLDER update`. So neither a terminal
that closes, nor Ctrl-C, nor the files that an installer replaces can stop it half-way. A server
must have ended before: its files and its page are never of two versions. Whatever fails, the
version of before is put back.

Its input tells by which passphrase the backup is closed, in a line that may be empty. On Windows it
has a window of its own, and waits until the command that began it has ended.

A cut of power may leave it undone. The record then says so, and a rollback mends it.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, Literal

import attrs

from command_center.actors.hosts.local.releases.record import UpdateRecord, python_in
from command_center.http.cli.service.manager import SERVER, ServiceFailed, ServiceManager
from command_center.http.cli.service.managers import manager_of
from command_center.http.cli.signals import ignoring_ends
from command_center.http.cli.update.folder import UpdateFolder, call, shown_words
from command_center.http.cli.update.health import await_version
from command_center.http.cli.update.in_use import IS_KEPT, await_unused
from command_center.http.cli.update.installers import InstallerCommand
from command_center.http.cli.update.telling import UpdateFailed, say
from command_center.store.backups.contents import DATABASE
from command_center.store.backups.errors import BackupFailed
from command_center.store.backups.making import make_backup
from command_center.store.backups.restoring import restore_backup
from command_center.store.database.opening import BACKUPS
from command_center.store.database.rehearsal import steps_beyond
from command_center.store.errors import (
    CannotOpenDatabase,
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderUnusable,
)
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.timestamps import from_timestamp

END_SECONDS: Final = 600.0
"""Seconds for which a server that no service starts is waited for."""

LOOK_SECONDS: Final = 0.2
HEALTH_SECONDS: Final = 180.0
"""Seconds in which a server must answer, beside those that its migrations took on the copy."""

QUIET_SECONDS: Final = 60.0
VERSION_SECONDS: Final = 60.0
FAILED: Final = 1
UNASKED: Final = "--yes"
"""Said to the part apart where nobody is asked anything."""

MADE_BACKUP: Final = "database-of-before.zip"
"""The backup that is made of the copy from before a migration, and removed after its use."""

_RESTORING: Final = (
    BackupFailed,
    CannotOpenDatabase,
    DatabaseClaimed,
    DataFolderInUse,
    DataFolderUnusable,
    sqlite3.Error,
    OSError,
)


@attrs.define
class _Seen:
    """The moment at which a server was seen last."""

    at: float


@attrs.frozen
class Switching:
    """Puts one version in the place of another, while no server runs.

    Attributes:
        folder: what the update keeps.
        manager: of services of this machine.
        end_seconds: for which a server without a service is waited for.
        health_seconds: in which the next one must answer.
        quiet_seconds: after which a server that has not taken the data folder has ended.
        passphrase: of the backup, where it is encrypted.
        keeps_files: the system keeps the files of programs that run.
    """

    folder: UpdateFolder
    manager: ServiceManager
    end_seconds: float = END_SECONDS
    health_seconds: float = HEALTH_SECONDS
    quiet_seconds: float = QUIET_SECONDS
    passphrase: str | None = None
    keeps_files: bool = IS_KEPT

    def update(self, record: UpdateRecord) -> UpdateRecord:
        """Switch to the new version, and take that back where it fails.

        Returns:
            The record, as it is written: `done` or `failed`, with how it ended.

        Raises:
            UpdateFailed: the server, or another program of it, does not end. Nothing was touched.
        """
        has_service = self._end_all(record)
        try:
            self._while_nobody_serves(lambda: self._install(record))
            if has_service:
                self._start(record, record.after)
        except (UpdateFailed, ServiceFailed, DataFolderInUse, DataFolderUnusable) as error:
            say(f"It failed: {error}")
            return self._take_back(record, str(error), has_service=has_service)
        told = f"{record.after} is installed" + (" and serves." if has_service else ".")
        return self.folder.write(record, state="done", message=told)

    def go_back(self, record: UpdateRecord) -> UpdateRecord:
        """Put the version of before back, with the database of then where it must be.

        Raises:
            UpdateFailed: the server, or another program of it, does not end, or something cannot
                be put back.
        """
        has_service = self._end_all(record)
        told = self._restore(record)
        if has_service:
            self._start_before(record)
        return self.folder.write(
            record, state="rolled-back", message=f"{record.before} is installed again.{told}"
        )

    def _install(self, record: UpdateRecord) -> None:
        say(f"Installing {record.after}: {shown_words(record.words)}")
        InstallerCommand(tuple(record.words)).run()
        program: list[str | Path] = [
            python_in(Path(record.prefix)),
            "-P",
            "-m",
            "command_center.http",
            "--version",
        ]
        said = call(program, {**os.environ}, seconds=VERSION_SECONDS).split()
        if not said or said[-1] != record.after:
            raise UpdateFailed(f"After it, the program is {' '.join(said)}, not {record.after}.")

    def _take_back(self, record: UpdateRecord, reason: str, *, has_service: bool) -> UpdateRecord:
        try:
            if has_service:
                self.manager.stop()
                self._await_end(self.end_seconds)
            told = self._restore(record)
            if has_service:
                self._start_before(record)
        except (UpdateFailed, ServiceFailed) as error:
            reason = f"{reason}\nIt could not be taken back: {error}"
            return self.folder.write(record, message=reason)
        end = f"{record.before} is as it was.{told}"
        return self.folder.write(record, state="failed", message=f"{reason}\n{end}")

    def _restore(self, record: UpdateRecord) -> str:
        """Put back the program, and the database where it has steps that it does not know."""
        say(f"Putting {record.before} back")
        self._await_unused(record)
        try:
            self._while_nobody_serves(lambda: self.folder.put_back(Path(record.prefix)))
            database = self.folder.data_dir / DATABASE
            if not database.is_file() or not steps_beyond(database, record.known):
                return ""
            return self._restore_database(record)
        except _RESTORING as error:
            raise UpdateFailed(str(error)) from error

    def _restore_database(self, record: UpdateRecord) -> str:
        backup = self._backup(record)
        if backup is None:
            return " The database is newer, and there is no backup of it."
        try:
            restored = restore_backup(
                backup, self.folder.data_dir, passphrase=self.passphrase, takes_damaged=True
            )
        finally:
            (self.folder.path / MADE_BACKUP).unlink(missing_ok=True)
        return (
            f" The database is as it was at event {restored.manifest.last_event_id};"
            f" the newer one is kept in {restored.replaced}."
        )

    def _backup(self, record: UpdateRecord) -> Path | None:
        """Return the newest backup that the version of before can read.

        The copy that the new version made before it migrated has all that the old one has written:
        the backup is of some moments earlier.
        """
        copy = migration_copy(self.folder.data_dir, record)
        if copy is None:
            return backup_of(record)
        backup = self.folder.path / MADE_BACKUP
        make_backup(self.folder.data_dir, backup, database=copy)
        return backup

    def _start(self, record: UpdateRecord, version: str) -> None:
        say(f"Starting {version}")
        self.manager.start()
        if record.health_url is None:
            return
        seconds = self.health_seconds + 3 * record.seconds
        ended = partial(self._has_ended, _Seen(time.monotonic()))
        if reason := await_version(record.health_url, version, seconds, has_ended=ended):
            raise UpdateFailed(f"{version} was started: {reason}.")

    def _has_ended(self, seen: _Seen) -> bool:
        """Return True once no server has had the data folder for a while."""
        if is_served(self.folder.data_dir):
            seen.at = time.monotonic()
        return time.monotonic() - seen.at > self.quiet_seconds

    def _start_before(self, record: UpdateRecord) -> None:
        try:
            self._start(record, record.before)
        except ServiceFailed as error:
            raise UpdateFailed(str(error)) from error

    def _end_all(self, record: UpdateRecord) -> bool:
        """End the server, and have each other program end; return True if a service ran."""
        has_service = self._end_server()
        try:
            self._await_unused(record)
        except UpdateFailed:
            if has_service:
                with suppress(ServiceFailed):
                    self.manager.start()
            raise
        return has_service

    def _await_unused(self, record: UpdateRecord) -> None:
        if self.keeps_files:
            await_unused(Path(record.prefix), self.end_seconds)

    def _end_server(self) -> bool:
        """End the server of the data folder; return True if it is a service that runs."""
        if not is_served(self.folder.data_dir):
            return False
        record = self.folder.record()
        if record is not None and is_service_of(self.manager, Path(record.prefix)):
            say("Stopping the service")
            try:
                self.manager.stop()
            except ServiceFailed as error:
                raise UpdateFailed(f"The service does not stop: {error}") from error
            if self._await_end(min(self.end_seconds, HEALTH_SECONDS)):
                return True
            with suppress(ServiceFailed):
                self.manager.start()
            raise UpdateFailed("The service was stopped, and a server runs here all the same.")
        say(
            "A server runs here that no service starts. Stop it now (Ctrl-C where it runs): this"
            f" waits for {self.end_seconds:.0f} s. Start it again afterwards: command-center serve"
        )
        if not self._await_end(self.end_seconds):
            raise UpdateFailed("The server still runs. Nothing was changed.")
        return False

    def _await_end(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while is_served(self.folder.data_dir):
            if time.monotonic() > deadline:
                return False
            time.sleep(LOOK_SECONDS)
        return True

    def _while_nobody_serves(self, act: Callable[[], None]) -> None:
        with DataFolderLock(self.folder.data_dir):
            act()


def is_served(data_dir: Path) -> bool:
    """Return True while a server, or another command, has the data folder."""
    try:
        DataFolderLock(data_dir).close()
    except DataFolderInUse:
        return True
    return False


def is_service_of(manager: ServiceManager, prefix: Path) -> bool:
    """Return True if the service that is installed starts the program of that environment."""
    program = manager.program()
    if program is None:
        return False
    return any(program.is_relative_to(place) for place in (prefix, prefix.resolve()))


def migration_copy(data_dir: Path, record: UpdateRecord) -> Path | None:
    """Return the copy that the new version made of the database before it migrated it."""
    begun = from_timestamp(record.begun_at)
    stem = Path(DATABASE).stem
    beyond = steps_beyond(data_dir / DATABASE, record.known)
    copy = data_dir / BACKUPS / f"{stem}-before-{min(beyond)}.db"
    if not copy.is_file() or datetime.fromtimestamp(copy.stat().st_mtime, UTC) < begun:
        return None
    return copy


def backup_of(record: UpdateRecord) -> Path | None:
    """Return the backup that was made before the update; None where there was nothing to keep."""
    return None if record.backup is None else Path(record.backup)


def main() -> None:
    """Do what is asked with the update that the data folder's record tells of."""
    data_dir = Path(sys.argv[1])
    act: Literal["update", "rollback"] = "update" if sys.argv[2] == "update" else "rollback"
    folder = UpdateFolder(data_dir)
    record = folder.record()
    if record is None:
        raise SystemExit(FAILED)
    passphrase = sys.stdin.readline().rstrip("\n") or None
    switching = Switching(folder, manager_of(data_dir, SERVER), passphrase=passphrase)
    with ignoring_ends(), _window(stays=UNASKED not in sys.argv[3:]):
        try:
            with folder.switching():
                record = switching.update(record) if act == "update" else switching.go_back(record)
        except UpdateFailed as error:
            # An update that is refused has changed nothing. A rollback can be tried again.
            state = "failed" if act == "update" else record.state
            record = folder.write(record, state=state, message=str(error))
            raise SystemExit(FAILED) from error
        finally:
            if IS_KEPT:  # nobody else can tell it: the command has ended
                say(record.message)
    raise SystemExit(0 if record.state in {"done", "rolled-back"} else FAILED)


@contextmanager
def _window(*, stays: bool) -> Iterator[None]:
    """Speak in the window that Windows gives, and leave it open until the user has read it.

    Nobody reads it where nobody was asked: then it closes, as an open one holds the next update up.
    """
    if not IS_KEPT:
        yield
        return
    with open("CONOUT$", "w", encoding="utf-8") as out, redirect_stderr(out):  # noqa: PTH123 - it is no file
        try:
            yield
        finally:
            if stays:
                say("Press Enter to close this window.")
                with open("CONIN$", encoding="utf-8") as keys:  # noqa: PTH123 - the same
                    keys.readline()


if __name__ == "__main__":
    main()
