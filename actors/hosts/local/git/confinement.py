"""Limits that the system sets on a git process: what it writes, starts, reaches and takes.

This is the second line. The first is that git is told nothing of what a repository wants it to run
(see `shadow`); but git writes into folders that an agent may turn into links meanwhile, and git
has had faults. On Linux with Landlock (5.13, on in all common distributions), a git process

- writes beneath the folders that its command is for and nowhere else, whatever links lead there:
  the folders are opened first, and what counts is what was opened;
- starts no program but git's own;
- with Linux 6.7, opens no TCP connection, and with 6.12, signals no process of others.

Beside that, Linux bounds the memory that it takes for itself. The rules are laid on a thread made
for the one process, as they cannot be taken off again; a child starts with the rules of the thread
that starts it.

Elsewhere nothing of this holds, and `Confinement.found` says so.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

import attrs

MEMORY: Final = 512 * 1024 * 1024
"""Bytes of memory of its own that a git process may take; files that it maps do not count."""

NICER: Final = 5
"""Steps of niceness that a git process has beyond the server's own."""

_ELF = struct.Struct("<32xQ14xHH")
"""Offset of the table of a 64-bit program's segments, the size of an entry, their number."""
_SEGMENT = struct.Struct("<I4xQ16xQ")
"""The kind of a segment, where it is in the file, and its size there."""
_INTERPRETER = 3
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVILEGES = 38
_VERSION = 1
_BENEATH = 1

_EXECUTE, _WRITE, _TRUNCATE = 1 << 0, 1 << 1, 1 << 14
_CHANGES: Final = sum(1 << bit for bit in range(4, 13))
"""REMOVE_DIR to MAKE_SYM: what changes a folder."""
_REFER = 1 << 13
_FILE = _EXECUTE | _WRITE | _TRUNCATE
"""Rights that can be granted on a file; the others are about folders."""


@attrs.frozen
class Grant:
    """Folders beneath which may be written, and programs that may be started."""

    write: tuple[Path, ...] = ()
    start: tuple[Path, ...] = ()


@attrs.frozen
class ConfinementSupport:
    """Abilities of the system; `version` is Landlock's, 0 if it has none."""

    version: int

    @classmethod
    def found(cls) -> ConfinementSupport:
        """Ask the system."""
        version = 0
        if sys.platform == "linux":
            version = max(0, _syscall(_CREATE, None, 0, _VERSION))
        return cls(version)

    def start(
        self, grant: Grant, popen: Callable[[], subprocess.Popen[bytes]]
    ) -> subprocess.Popen[bytes]:
        """Start a process on a thread of its own that has these rules.

        Raises:
            OSError: it cannot be started, or not be confined.
        """
        outcome: list[subprocess.Popen[bytes] | BaseException] = []

        def work() -> None:
            try:
                self._confine(grant)
                outcome.append(popen())
            except BaseException as error:  # noqa: BLE001 - the edge of a thread
                outcome.append(error)

        thread = threading.Thread(target=work, name="git-start")
        thread.start()
        thread.join()
        (result,) = outcome
        if isinstance(result, BaseException):
            raise result
        return result

    def _confine(self, grant: Grant) -> None:
        """Lay the rules on this thread."""
        handled = _WRITE | _CHANGES
        if grant.start:
            handled |= _EXECUTE
        if self.version >= 2:  # noqa: PLR2004 - as in Landlock's own documents, here and below
            handled |= _REFER
        if self.version >= 3:  # noqa: PLR2004
            handled |= _TRUNCATE
        network = 0b11 if self.version >= 4 else 0  # noqa: PLR2004
        scoped = 0b11 if self.version >= 6 else 0  # noqa: PLR2004
        attributes = struct.pack("=QQQ", handled, network, scoped)
        size = 24 if scoped else 16 if network else 8
        ruleset = _checked(_syscall(_CREATE, attributes, size, 0))
        try:
            for folder in grant.write:
                _allow(ruleset, folder, handled & ~_EXECUTE)
            _allow(ruleset, Path(os.devnull), handled & ~_EXECUTE)
            for program in grant.start:
                _allow(ruleset, program, _EXECUTE)
            _checked(_library().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
            _checked(_syscall(_RESTRICT, ruleset, 0))
        finally:
            os.close(ruleset)


def limit_process(process: int) -> None:
    """Bound the memory that a process, and what it starts, takes for itself, and have it be nice.

    Only Linux can bound the memory. The processor is left to the server where both want it: Linux
    may weigh whole sessions, of which each of these processes leads one (`sched(7)`, autogroup).
    """
    if sys.platform == "linux":
        import resource  # noqa: PLC0415 - Windows has none

        with suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        with suppress(OSError):
            Path(f"/proc/{process}/autogroup").write_text(f"{NICER}", encoding="ascii")
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            nice = os.getpriority(os.PRIO_PROCESS, 0) + NICER
            os.setpriority(os.PRIO_PROCESS, process, nice)


def programs(executable: Path, folder: Path) -> tuple[Path, ...]:
    """Name what has to be started so that git works, or nothing where that cannot be known.

    Args:
        executable: git.
        folder: where the programs are that git brings along (`git --exec-path`).
    """
    with executable.open("rb") as file:
        head = file.read(_ELF.size)
        if len(head) < _ELF.size or not head.startswith(b"\x7fELF\x02\x01"):
            return ()  # a script, which starts other programs before it comes to git
        offset, size, count = _ELF.unpack(head)
        for number in range(count):
            file.seek(offset + number * size)
            kind, start, length = _SEGMENT.unpack(file.read(_SEGMENT.size))
            if kind == _INTERPRETER:  # the loader, which the system starts in the program's place
                file.seek(start)
                loader = Path(os.fsdecode(file.read(length).rstrip(b"\0")))
                return (executable, folder, loader.resolve())
    return (executable, folder)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    """Grant rights beneath a folder, or of a file; what is not there, or is a link, is left out."""
    try:
        opened = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _FILE
        rule = struct.pack("=Qi", rights, opened)
        _checked(_syscall(_ADD, ruleset, _BENEATH, rule, 0))
    finally:
        os.close(opened)


@cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _syscall(number: int, *arguments: int | bytes | None) -> int:
    result: int = _library().syscall(number, *arguments)
    return result


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
