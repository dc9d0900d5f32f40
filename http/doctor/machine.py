"""Checks of the machine: room on the disk and how fast it keeps, the clock and its zone."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from command_center.actors.automations.clock import machine_zone
from command_center.http.doctor.check import Subject, Symptom, error, warning
from command_center.http.doctor.child import said_by
from command_center.store.backups.contents import DATABASE
from command_center.store.database.opening import look_through
from command_center.store.errors import (
    CannotOpenDatabase,
    CorruptDatabase,
    ForeignDatabase,
    NewerSchema,
)
from command_center.store.timestamps import from_timestamp

LITTLE: Final = 1 << 30
"""Bytes of room below which it is told of."""

TOO_LITTLE: Final = 100 << 20
"""Bytes of room below which runs and the log are about to fail."""

FLUSHES: Final = 15
SLOW_SECONDS: Final = 0.05
"""Seconds of a flush from which on the server feels slow: each act waits for one."""

_TIME: Final = "%Y-%m-%d %H:%M"

AHEAD: Final = timedelta(minutes=2)
"""Time by which the last event may lie ahead: clocks are corrected by a little now and then."""


def disk(subject: Subject) -> Sequence[Symptom]:
    """Look how much room the data folder's disk has, and how fast it keeps what is written."""
    folder = existing(subject.settings.data_dir)
    if not folder.is_dir():
        return [Symptom("There is no data folder whose disk could be looked at.")]
    room = shutil.disk_usage(folder).free
    free = f"{size(room)} are free on the disk of {folder}"
    mend = (
        "Make room there, or set CC_DATA_DIR to a larger disk. Worktrees of sessions that are done "
        f"are most of it: see du -sh {shlex.quote(str(subject.settings.data_dir))}/*."
    )
    if room < TOO_LITTLE:
        return [error(f"Only {free}.", mend)]
    try:
        seconds = flush_seconds(folder)
    except OSError as failure:
        place = "See what keeps it from being written, or set CC_DATA_DIR to another folder."
        is_full = failure.errno in {errno.ENOSPC, errno.EDQUOT}
        said = f"{folder} cannot be written: {failure.strerror}."
        return [error(said, mend if is_full else place)]
    told = f"{free}; a flush takes {seconds * 1000:.1f} ms"
    if seconds > SLOW_SECONDS:
        slow = "Set CC_DATA_DIR to a local disk: no network drive, memory card or USB stick."
        return [warning(f"The disk is slow: {told}.", slow)]
    if room < LITTLE:
        return [warning(f"Only {told}.", mend)]
    return [Symptom(f"{told}.")]


def flush_seconds(folder: Path) -> float:
    """Return the seconds that the disk usually takes to keep a page, by a file that is gone then.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    taken = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110 - what cannot be entered is not there


def clock(subject: Subject) -> Sequence[Symptom]:
    """Look whether the clock is right, as far as the machine can tell, and its zone known."""
    now = datetime.now(UTC)
    set_clock = "Set the clock, and have it kept: timedatectl set-ntp true (Linux)."
    seen = []
    last = _last_event(subject.settings.data_dir / DATABASE)
    if last is not None and last - now > AHEAD:
        apart = f"it is {now:{_TIME}} UTC, and the last event is of {last:{_TIME}}"
        seen.append(error(f"The clock goes wrong, or went so: {apart}.", set_clock))
    said = said_by(["timedatectl", "show", "--property=NTPSynchronized", "--value"], subject)
    if said is not None and said.code == 0 and said.first_line == "no":
        seen.append(warning("Nothing keeps the clock of this machine right.", set_clock))
    zone = subject.settings.timezone
    if zone is None and (zone := machine_zone().key) in {"UTC", "Etc/UTC"}:
        seen.append(
            Symptom(
                "Schedules without a zone of their own follow UTC, as this machine does.",
                "Another one: CC_TIMEZONE=Europe/Berlin, or timedatectl set-timezone.",
            )
        )
    return seen or [Symptom(f"The clock says {now:{_TIME}} UTC; schedules follow {zone}.")]


def _last_event(database: Path) -> datetime | None:
    """Return the time of the last event; None where none can be read, which another check tells."""
    with contextlib.suppress(
        CannotOpenDatabase, CorruptDatabase, ForeignDatabase, NewerSchema, PermissionError
    ):
        if database.exists() and (told := look_through(database, seconds=0).last_event_at):
            return from_timestamp(told)
    return None


def size(count: float) -> str:
    """Return a number of bytes in words."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:  # noqa: PLR2004 - what a thousand is
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
