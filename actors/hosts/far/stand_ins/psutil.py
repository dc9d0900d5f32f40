"""The processes of Linux, by `/proc`: what is used of psutil where it cannot be had."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

STATUS_ZOMBIE: Final = "Z"
_LOOK_SECONDS: Final = 0.01


class _Error(Exception):
    """A process cannot be looked at."""


class NoSuchProcess(_Error):
    """The process has ended."""


class AccessDenied(_Error):
    """The process is another user's."""


class _Process:
    """A process; one whose id was used again is another one."""

    info: dict[str, Any]

    def __init__(self, pid: int | None = None) -> None:
        """Look at the process of that id, or at this one; raises `NoSuchProcess`."""
        self.pid = os.getpid() if pid is None else pid
        if self.pid < 0:
            raise ValueError("no process id")
        self._began = self._stat()[21]

    def create_time(self) -> float:
        """Return when it began, in seconds since 1970."""
        return _booted() + int(self._began) / _ticks()

    def is_running(self) -> bool:
        """Return whether it is there still."""
        try:
            return self._stat()[21] == self._began
        except NoSuchProcess:
            return False

    def status(self) -> str:
        """Return its state as Linux writes it."""
        return self._stat()[2]

    def ppid(self) -> int:
        """Return the id of its parent."""
        return int(self._stat()[3])

    def name(self) -> str:
        """Return its name."""
        return self._stat()[1]

    def cmdline(self) -> list[str]:
        """Return its program and arguments."""
        return self._read("cmdline").decode(errors="surrogateescape").split("\0")[:-1]

    def exe(self) -> str:
        """Return the path of its program; empty where it has none any more."""
        self._stat()  # or say that it is gone
        try:
            return str(Path("/proc", str(self.pid), "exe").readlink())
        except PermissionError:
            raise AccessDenied(self.pid) from None
        except OSError:
            return ""

    def environ(self) -> dict[str, str]:
        """Return its environment."""
        text = self._read("environ").decode(errors="surrogateescape")
        return dict(pair.split("=", 1) for pair in text.split("\0") if "=" in pair)

    def parents(self) -> list[_Process]:
        """Return its parent, that one's parent, and so on."""
        found: list[_Process] = []
        pid = self.ppid()
        while pid:
            found.append(_Process(pid))
            pid = found[-1].ppid()
        return found

    def children(self, *, recursive: bool) -> list[_Process]:
        """Return those that it has started, and with `recursive` those that they have."""
        below: dict[int, list[_Process]] = {}
        for process in process_iter(["ppid"]):
            below.setdefault(process.info["ppid"], []).append(process)
        found = list(below.get(self.pid, ()))
        for process in found if recursive else ():
            found.extend(below.get(process.pid, ()))
        return found

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        if sys.platform != "win32":
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self.is_running():
            raise NoSuchProcess(self.pid)
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            raise NoSuchProcess(self.pid) from None
        except PermissionError:
            raise AccessDenied(self.pid) from None

    def _stat(self) -> Sequence[str]:
        """Return the fields of its line in `/proc`, of which the name may have blanks."""
        text = self._read("stat").decode(errors="replace")
        begin, end = text.find("("), text.rfind(")")
        return (text[:begin].strip(), text[begin + 1 : end], *text[end + 1 :].split())

    def _read(self, name: str) -> bytes:
        try:
            return Path("/proc", str(self.pid), name).read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            raise NoSuchProcess(self.pid) from None
        except PermissionError:
            raise AccessDenied(self.pid) from None


def pids() -> list[int]:
    """Return the ids of all processes."""
    return sorted(int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal())


def process_iter(attrs: Iterable[str] = ()) -> Iterator[_Process]:
    """Go through all processes, each with the attributes asked for as its `info`."""
    for pid in pids():
        try:
            process = _Process(pid)
            process.info = {one: getattr(process, one)() for one in attrs}
        except _Error:
            continue
        yield process


def wait_procs(processes: Iterable[_Process], *, timeout: float) -> None:
    """Wait until they have ended, for `timeout` seconds at most."""
    deadline = time.monotonic() + timeout
    left = list(processes)
    while left and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
        left = [process for process in left if process.is_running()]


def getloadavg() -> tuple[float, float, float]:
    """Return how many processes wanted a processor in the last 1, 5 and 15 minutes."""
    if sys.platform == "win32":
        return (0.0, 0.0, 0.0)
    else:  # noqa: RET505 - mypy knows the platform only so
        return os.getloadavg()


def _ticks() -> int:
    """Return how many units of its clock Linux counts in a second."""
    if sys.platform == "win32":
        return 1
    else:  # noqa: RET505 - mypy knows the platform only so
        return os.sysconf("SC_CLK_TCK")


def _booted() -> float:
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    raise _Error("no time of boot")


Error = _Error
Process = _Process
