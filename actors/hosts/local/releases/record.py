"""The record of an update in a data folder, and the places of what it keeps."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from command_center.actors.hosts.local.releases.last_look import FOLDER
from command_center.store.errors import DataFolderInUse
from command_center.store.ownership.lock import DataFolderLock

RECORD: Final = "update.json"
KEPT: Final = "before"
"""The copy of the environment from before the update."""

AT_WORK: Final = "at-work"
"""The folder that is locked while a version is switched."""


class UpdateRecord(msgspec.Struct, kw_only=True, frozen=True, rename="camel"):
    """An update, as the next command finds it.

    Attributes:
        state: `switching` is one at work, or one that was cut off; `failed` one that was taken back
            by itself, or that changed nothing.
        before: the version of before.
        after: the version that was wanted.
        begun_at: when, as a timestamp.
        prefix: the environment in which the program lies.
        known: the steps of the schema that the version of before knows.
        backup: the backup that was made; None where there was no database yet.
        last_event_id: the last event that the backup has.
        words: the installer's command.
        health_url: where the server is asked; None where its port is not known beforehand.
        seconds: how long the migrations took on the copy.
        message: how it ended.
    """

    state: Literal["switching", "done", "failed", "rolled-back"]
    before: str
    after: str
    begun_at: str
    prefix: str
    known: list[str]
    backup: str | None
    last_event_id: int
    words: list[str]
    health_url: str | None
    seconds: float
    message: str = ""


def read_record(data_dir: Path) -> UpdateRecord | None:
    """Return the last update; None before the first, or where nobody can read it."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((data_dir / FOLDER / RECORD).read_bytes(), type=UpdateRecord)
    return None


def python_in(prefix: Path) -> Path:
    """Return the Python of an environment."""
    return prefix / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def kept_python(data_dir: Path) -> Path:
    """Return the Python of the environment that an update keeps."""
    return python_in(data_dir / FOLDER / KEPT)


def is_at_work(data_dir: Path) -> bool:
    """Return True while somebody switches versions there."""
    try:
        DataFolderLock(data_dir / FOLDER / AT_WORK).close()
    except DataFolderInUse:
        return True
    return False
