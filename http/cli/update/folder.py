"""The folder `updates` of a data folder: what an update knows, and the program of before.

`before` is a copy of the environment in which the program lies. A copied environment works at
another place by `python -m`, and it is put back by two renames. So no network and no installer is
needed to go back, and what the installer had written down is as it was, too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import msgspec

from command_center.actors.hosts.local.releases.index_settings import without_secrets
from command_center.actors.hosts.local.releases.last_look import FOLDER
from command_center.actors.hosts.local.releases.record import (
    AT_WORK,
    KEPT,
    RECORD,
    UpdateRecord,
    read_record,
)
from command_center.http.cli.update.in_use import patiently
from command_center.http.cli.update.telling import UpdateFailed
from command_center.store.ownership.lock import DataFolderLock
from command_center.store.private_files import new_private_file, sync_folder

ROOM: Final = 2
"""Room that must be left, as a multiple of what is to be copied."""

MOST_SAID: Final = 4000
"""Letters of an installer's words that are told: the last ones."""


@attrs.frozen
class UpdateFolder:
    """Keeps what an update needs."""

    data_dir: Path

    @property
    def path(self) -> Path:
        """Return the folder itself."""
        return self.data_dir / FOLDER

    @property
    def kept(self) -> Path:
        """Return the copy of the environment of before."""
        return self.path / KEPT

    @property
    def aside(self) -> Path:
        """Return the folder in which the new version is tried."""
        return self.path / "trial"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else update here meanwhile.

        Raises:
            DataFolderInUse: an update is at work.
            DataFolderUnusable: the folder cannot be used.
        """
        with DataFolderLock(self.path):
            self.switching().close()
            yield

    def switching(self) -> DataFolderLock:
        """Return the lock of who switches, which goes on when who has begun it is gone.

        Raises:
            DataFolderInUse: somebody switches.
            DataFolderUnusable: the folder cannot be used.
        """
        return DataFolderLock(self.path / AT_WORK)

    def record(self) -> UpdateRecord | None:
        """Return the last update; None before the first, or where nobody can read it."""
        return read_record(self.data_dir)

    def write(self, record: UpdateRecord, **changes: Any) -> UpdateRecord:
        """Put the record on the disk, whole or not at all."""
        changed = msgspec.structs.replace(record, **changes)
        part = self.path / f"{RECORD}.part"
        with new_private_file(part) as file:
            file.write(msgspec.json.encode(changed))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path / RECORD)
        sync_folder(self.path)
        return changed

    def keep(self, prefix: Path) -> None:
        """Copy the environment, for the way back.

        The record of the update before goes first: its copy makes room for this one.

        Raises:
            UpdateFailed: there is too little room.
            OSError: the system refuses.
        """
        (self.path / RECORD).unlink(missing_ok=True)
        sync_folder(self.path)
        clear(self.kept)
        size = sum(file.lstat().st_size for file in prefix.rglob("*"))
        if shutil.disk_usage(self.path).free < ROOM * size:
            raise UpdateFailed(f"There is too little room for a copy of {prefix} ({size:,} bytes).")
        part = self.kept.with_suffix(".part")
        clear(part)
        try:
            _copy(prefix, part)
            patiently(lambda: part.rename(self.kept))
            sync_folder(self.path)
        finally:
            clear(part)

    def put_back(self, prefix: Path) -> None:
        """Put the kept environment in the place of what is there, which may be half of one.

        It is copied beside its place first. A cut between the two renames leaves none there: the
        kept one can do it again.

        Raises:
            OSError: the system refuses.
        """
        fresh = prefix.with_name(f".{prefix.name}.back")
        old = prefix.with_name(f".{prefix.name}.gone")
        clear(fresh)
        try:
            _copy(self.kept, fresh)
            clear(old)
            if prefix.exists():
                patiently(lambda: prefix.rename(old))
            patiently(lambda: fresh.rename(prefix))
            sync_folder(prefix.parent)
        finally:
            clear(fresh)
        clear(old)


def _copy(source: Path, target: Path) -> None:
    """Copy a folder, and have the copy on the disk before anything is said of it."""
    shutil.copytree(source, target, symlinks=True)
    if sys.platform != "win32":
        os.sync()


def clear(path: Path) -> None:
    """Remove a folder with all that it has; without one, do nothing."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        patiently(lambda: shutil.rmtree(path))


def shown_words(words: Sequence[str | Path]) -> str:
    """Return a command to be shown, without the passwords of the indexes that it names."""
    return without_secrets(" ".join(map(str, words)))


def call(
    words: Sequence[str | Path],
    variables: dict[str, str],
    *,
    seconds: float,
    cwd: Path | None = None,
) -> str:
    """Run a program to its end, and return what it says.

    Raises:
        UpdateFailed: it is not there, takes too long, or fails; with its last words, and without
            the passwords of URLs.
    """
    shown = shown_words(words)
    try:
        done = subprocess.run(  # noqa: S603 - an installer, or a Python of ours
            [*map(str, words)],
            check=False,
            cwd=cwd,
            encoding="utf-8",
            env={**variables},
            errors="replace",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UpdateFailed(without_secrets(f"{shown}: {error}")) from error
    if done.returncode != 0:
        said = without_secrets(done.stdout)[-MOST_SAID:].strip()
        raise UpdateFailed(f"{shown}\n{said}")
    return done.stdout
