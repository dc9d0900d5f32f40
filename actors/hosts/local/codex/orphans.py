"""Processes that a former life has left behind: recorded, recognised, ended.

A server that is killed ends no child. Codex ends by itself when its input closes, but one that
hangs does not, and neither does a wrapper. So each child is recorded in a file with its process
id and start time, and marked in its environment with the life and the folder of the server that
started it. A later life finds what is left by both. A process id alone is never enough, since ids
are used again: its start time must be that of the record, or its mark must be of our folder.

Codex leaves something, too. Each file that it reads or writes for a patch is a helper's in a
sandbox of bubblewrap. Bubblewrap's inner process waits for a word of the outer one before it asks
to be killed with it, so one that is being set up when Codex is killed is nobody's child and waits
for ever. Its environment is empty but for `PATH`: no mark reaches it. But it is still in the
session that Codex was started in, and POSIX gives the id of a session to no other process while
one is left in it. Others may be left there, such as what a tool server or the user's own `notify`
has started to stay. Those are not Codex's, and are spared.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

import attrs
import msgspec
import psutil

from command_center.actors.hosts.local.codex.environment import THREAD, current_life, life_of

_SUFFIX = ".process.json"
_SANDBOX = "bwrap"
"""The program in which Codex runs its helpers on Linux, which has no name of Codex's."""
_CLOCK_SLACK = 2.0
"""Seconds by which the start time of one process may differ when read twice (clock steps)."""
_TERM_SECONDS = 2.0
_KILL_SECONDS = 2.0
_GLANCE_SECONDS = 0.02


class _Recorded(msgspec.Struct, frozen=True):
    pid: int
    started: float
    program: str
    life: str


@attrs.frozen
class ProcessRecord:
    """A file that says which child runs."""

    path: Path

    @classmethod
    def write(cls, folder: Path, pid: int, program: str) -> ProcessRecord:
        """Record a child that has just been started; raises `psutil.NoSuchProcess` if it ended."""
        recorded = _Recorded(pid, psutil.Process(pid).create_time(), program, current_life())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{pid}{_SUFFIX}"
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(recorded))
        partial.replace(path)
        return cls(path)

    def forget(self) -> None:
        """Delete the record of a child that has ended."""
        self.path.unlink(missing_ok=True)


def descendants_of(pid: int) -> list[psutil.Process]:
    """Return the processes that descend from a process and still belong to it."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def kill_all(processes: Iterable[psutil.Process]) -> None:
    """Kill those that still run; one whose id was used again is another process, and is spared."""
    killed = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
            killed.append(process)
    _still_alive(killed, _KILL_SECONDS)


def find_orphans(folder: Path, spared: Collection[str] = ()) -> list[psutil.Process]:
    """Find what former lives have left, children before those that started them.

    The children of this life are spared, and so is what belongs to one of the lives `spared`.
    """
    orphans: dict[int, psutil.Process] = {}
    spared = {current_life(), *spared}
    records = _foreign_records(folder)
    for process in [*_recorded(records), *_marked(folder, spared), *_helpers_of(records)]:
        for one in [*descendants_of(process.pid), process]:
            orphans[one.pid] = one
    return [*orphans.values()]


def kill_left(variable: str, mark: str, session: int) -> None:
    """Kill what a Codex that is gone has left.

    That is its own processes whose variable begins so, and the sandboxes in the session that it
    led: those of its commands are in sessions of their own.
    """
    kill_all(_of_codex(lambda environment: environment.get(variable, "").startswith(mark)))
    deadline = time.monotonic() + _KILL_SECONDS
    while (left := _left_as(_is_sandbox, session)) and time.monotonic() < deadline:
        kill_all(left)


def left_in(session: int) -> list[psutil.Process]:
    """Find what runs in a session whose leader has ended; nothing while one leads it.

    The commands of Codex are in sessions of their own. Windows has none.
    """
    if sys.platform == "win32":
        return []
    else:  # noqa: RET505 - mypy knows the platform only so
        with contextlib.suppress(psutil.Error, ValueError):
            if is_alive(psutil.Process(session)):
                return []
        found = []
        for one in psutil.pids():
            with contextlib.suppress(psutil.Error, OSError):
                if 0 < session == os.getsid(one) and is_alive(process := psutil.Process(one)):
                    found.append(process)
        return found


def end_orphans(folder: Path, spared: Collection[str] = ()) -> list[int]:
    """End what former lives have left, and answer the process ids. Blocks for some seconds.

    The children of this life are spared, so that it may be called at any time, and so is what
    belongs to one of the lives `spared`. That no other server lives on the same folder is for the
    caller to know.
    """
    records = _foreign_records(folder)
    orphans = find_orphans(folder, spared)
    for process in orphans:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    kill_all(_still_alive(orphans, _TERM_SECONDS))
    for path in records:
        path.unlink(missing_ok=True)
    return sorted(process.pid for process in orphans)


def end_commands(thread_id: str, seconds: float) -> list[int]:
    """End the commands of a thread that are no older than that, and answer the process ids.

    Their age is by the clock of this machine alone: that of who asks may be another one.

    A turn that is interrupted in the moment in which it starts a command loses it: it runs on, and
    Codex neither lists nor ends it. Blocks for some seconds at most. This process is spared, and
    what it runs in: it may be such a command itself.
    """
    here = psutil.Process()
    spared = {one.pid for one in (here, *here.parents())}
    since = time.time() - seconds
    lost = []
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            is_of_thread = process.environ().get(THREAD) == thread_id
            if is_of_thread and process.create_time() >= since - _CLOCK_SLACK:
                lost.append(process)
    kill_all(lost)
    return sorted(process.pid for process in lost)


def _still_alive(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for their ends; answers those that have not ended in time."""
    deadline = time.monotonic() + seconds
    alive = [process for process in processes if is_alive(process)]
    while alive and time.monotonic() < deadline:
        psutil.wait_procs(alive, timeout=_GLANCE_SECONDS)
        alive = [process for process in alive if is_alive(process)]
    return alive


def is_alive(process: psutil.Process) -> bool:
    """Return True if the process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _read(path: Path) -> _Recorded:
    """Return the record; one that can't be read names no process."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Recorded)
    except (msgspec.MsgspecError, OSError):
        return _Recorded(-1, 0, "", "")


def _foreign_records(folder: Path) -> list[Path]:
    """Return the records of other lives than this one."""
    ours = current_life()
    return [path for path in folder.glob(f"*{_SUFFIX}") if _read(path).life != ours]


def _recorded(records: Iterable[Path]) -> list[psutil.Process]:
    found = []
    for recorded in map(_read, records):
        with contextlib.suppress(psutil.Error, ValueError):
            process = psutil.Process(recorded.pid)
            if abs(process.create_time() - recorded.started) <= _CLOCK_SLACK:
                found.append(process)
    return found


def _helpers_of(records: Iterable[Path]) -> list[psutil.Process]:
    """Find the helpers that are left in the sessions of the recorded.

    The id may be another session's by now, with a Codex of the user's own in it, which is spared.
    """
    return [one for path in records for one in _left_as(_is_helper, _read(path).pid)]


def _left_as(is_wanted: Callable[[psutil.Process], bool], session: int) -> list[psutil.Process]:
    """Find what is wanted of a session whose leader has ended."""
    found = []
    for process in left_in(session):
        with contextlib.suppress(psutil.Error):
            if is_wanted(process):
                found.append(process)
    return found


def _marked(folder: Path, spared: Collection[str]) -> list[psutil.Process]:
    """Find processes of Codex with our mark, such as the child of a wrapper that was killed."""

    def is_former(environment: Mapping[str, str]) -> bool:
        life = life_of(environment, folder)
        return life is not None and life not in spared

    return list(_of_codex(is_former))


def _of_codex(is_wanted: Callable[[Mapping[str, str]], bool]) -> Iterator[psutil.Process]:
    """Find processes by their environment; of those, Codex's own, and no command's."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and is_wanted(process.environ()) and _is_codex(process):
                yield process


def _is_codex(process: psutil.Process) -> bool:
    return "codex" in process.name().lower() or _is_helper(process)


def _is_helper(process: psutil.Process) -> bool:
    """Return True for a sandbox in which Codex runs a helper, or tries whether there can be one."""
    return _is_sandbox(process) and any(
        "codex" in one for one in (*process.cmdline()[1:], process.exe())
    )


def _is_sandbox(process: psutil.Process) -> bool:
    return Path((process.cmdline() or [""])[0]).name == _SANDBOX
