"""Files in use: Windows lets nobody replace those of a program that runs.

So an update waits until all programs of the environment have ended, its own command among them, and
tries a rename again that a scanner of the system holds up for a moment.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import psutil

from command_center.http.cli.update.telling import UpdateFailed, say

IS_KEPT: Final = sys.platform == "win32"
"""The system keeps the files of a program that runs."""

QUIET_SECONDS: Final = 5.0
"""Seconds for which nothing is said: the command that began the update ends within them."""

LOOK_SECONDS: Final = 0.2
RETRY_SECONDS: Final = 20.0
STUB: Final = "command-center"
"""The name of what uv and pipx put on the PATH: it starts the program, and waits for its end."""

_T = TypeVar("_T")


def await_unused(prefix: Path, seconds: float) -> None:
    """Wait until no program of the environment runs, and tell the user which do.

    Raises:
        UpdateFailed: some still run after these seconds.
    """
    begun, told = time.monotonic(), ""
    seen: set[psutil.Process] = set()
    while True:
        seen = {one for one in seen if one.is_running()} | {*programs_of(prefix)}
        if not seen:
            return
        named = ", ".join(sorted(f"{_name(one)} (process {one.pid})" for one in seen))
        waited = time.monotonic() - begun
        if waited > seconds:
            raise UpdateFailed(f"Its files are in use by {named}. End that, and try again.")
        if waited > QUIET_SECONDS and named != told:
            say(f"Its files are in use by {named}. End that: this waits for {seconds:.0f} s.")
            told = named
        time.sleep(LOOK_SECONDS)


def programs_of(prefix: Path) -> Iterator[psutil.Process]:
    """Yield the processes whose program lies in the environment, and what waits for them."""
    place = prefix.resolve()
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if not Path(process.exe()).is_relative_to(place):
                continue
            yield process
            parent = process.parent()
            if parent is not None and Path(parent.name()).stem == STUB:
                yield parent


def patiently(act: Callable[[], _T], *, seconds: float = RETRY_SECONDS) -> _T:
    """Do it, and do it again for some seconds while the system says that a file is in use.

    Raises:
        OSError: it is so after these seconds, or something else is wrong.
    """
    deadline = time.monotonic() + (seconds if IS_KEPT else 0.0)
    while True:
        try:
            return act()
        except PermissionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(LOOK_SECONDS)


def _name(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return str(process.name())
    return "a program"
