"""Locks of git's that this server takes, and what a kill leaves of them.

A lock of git's is a file beside the one that it is for: whoever finds it gives up, and nobody can
tell whether its owner lives. So a lock of ours says that it is ours, and is held by the system
(`flock`), too, by this process and by the git that works under it: the system lets go when both
are dead, however they died. One that is ours and that nobody holds is taken away. Every other
stays, whoever made it.

Git itself locks the refs that it writes, and says nothing in those locks. What a command is about
to lock is noted beside its stand-in, which is held in the same way. A lock of a killed command is
taken away if it is no older than that command, does not change, and no git of anybody else runs
that may have made it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import IO, Final

import attrs
import msgspec
import psutil
import structlog

from command_center.actors.git.errors import UnsafeRepository
from command_center.actors.git.ports import PROGRAM, GitCommand, Identity, Layout
from command_center.actors.hosts.local.git.folders import Folder, held

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

if sys.platform != "win32":
    import fcntl

MARK: Final = b"Command Center holds this lock while it runs.\n"
"""Content of a lock of ours."""

NOTE: Final = "command-center.lock"
"""The file beside a stand-in; no ref can have that name."""

STILL_SECONDS: Final = 3.0
"""Seconds for which a lock of a killed git must not have changed."""

LONGEST_SECONDS: Final = 600.0
"""Seconds after which no git holds the lock of a ref any more; daemons of git run for days."""

CLOCK_SECONDS: Final = 1.0
"""Seconds by which a file system's time may be behind."""


@attrs.define
class FileLock:
    """Git's lock of a file, held."""

    folder: Folder
    name: str
    file: IO[bytes]

    @classmethod
    def take(cls, folder: Folder, name: str) -> FileLock:
        """Lock a file of an open folder; a lock that a killed server left is taken away first.

        Raises:
            FileExistsError: somebody holds it.
        """
        lock = f"{name}.lock"
        try:
            return cls(folder, name, _make(folder, lock))
        except FileExistsError:
            if not clear(folder, lock):
                raise
            return cls(folder, name, _make(folder, lock))

    def install(self, new: Path) -> None:
        """Put a new file in the place of the old one, with its time of change; it is on the disk.

        It is whole or not there: whoever is killed meanwhile leaves the old one.
        """
        part = f"{self.name}.command-center-part"
        self.folder.unlink(part)  # a crash may have left it
        with new.open("rb") as source, self.folder.create(part) as target:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
            written = os.fstat(source.fileno())
            if sys.platform != "win32":
                os.utime(target.fileno(), ns=(written.st_atime_ns, written.st_mtime_ns))
        self.folder.rename(part, self.name)
        self.folder.flush()

    def release(self) -> None:
        """Take the lock away."""
        if sys.platform == "win32":
            self.file.close()  # what is open cannot be deleted there
        self.folder.unlink(f"{self.name}.lock")
        self.file.close()
        self.folder.close()


def clear(folder: Folder, lock: str) -> bool:
    """Take away a lock that a server left which is dead; say whether that was done."""
    try:
        with folder.open(lock, len(MARK)) as file:
            seen, found = os.fstat(file.fileno()), folder.look(lock)
            same = (seen.st_dev, seen.st_ino) == (found.st_dev, found.st_ino)
            if not same or file.read() != MARK or not _hold(file):
                return False
            if sys.platform != "win32":
                folder.unlink(lock)
        if sys.platform == "win32":
            folder.unlink(lock)  # refused while a process has it open
    except (OSError, UnsafeRepository):
        return False
    log.info("git.lock_cleared", path=str(folder.path / lock))
    return True


class _Noted(msgspec.Struct, frozen=True):
    """A note of the locks that a command may leave: folders with what they are, and paths there."""

    since: float
    common_dir: str
    places: list[tuple[str, Identity, list[str]]]


@attrs.frozen
class Note:
    """A note of the locks of refs that a command is about to take, held open while it runs."""

    path: Path
    file: IO[bytes]

    @classmethod
    def write(cls, standin: Path, layout: Layout, command: GitCommand) -> Note:
        """Note them beside a stand-in."""
        refs = [f"{ref}.lock" for ref in refs_of(command)]
        tables = "reftable/tables.list.lock"
        places = [(os.fspath(layout.common_dir), layout.identities[1], [*refs, tables])]
        if layout.git_dir != layout.common_dir:
            places.append((os.fspath(layout.git_dir), layout.identities[0], [tables]))
        noted = _Noted(time.time(), os.fspath(layout.common_dir), places)
        file = (standin / NOTE).open("wb")
        _hold(file)
        file.write(msgspec.json.encode(noted))
        file.flush()
        return cls(standin / NOTE, file)


@attrs.frozen
class LeftLocks:
    """Locks of a killed command, with its stand-in, which goes once they are settled."""

    standin: Path
    common_dir: Path

    @classmethod
    def found(cls, standin: Path) -> LeftLocks | None:
        """Read the note of a stand-in; None if it has none."""
        noted = _read(standin)
        return None if noted is None else cls(standin, Path(noted.common_dir))

    def settle(self) -> float:
        """Take away what the command locked; return the seconds to wait for it."""
        noted = _read(self.standin)
        if noted is not None:
            with (self.standin / NOTE).open("rb") as file:
                if not _hold(file):
                    return STILL_SECONDS  # its git lives on
            waits = [
                _settle(Path(place), known, name, noted.since)
                for place, known, names in noted.places
                for name in names
            ]
            if any(waits):
                return max(waits)
        shutil.rmtree(self.standin, ignore_errors=True)
        return 0.0


def refs_of(command: GitCommand) -> list[str]:
    """Name the refs that a command writes."""
    pairs = pairwise(("", *command.arguments))
    refs = [f"refs/heads/{name}" for option, name in pairs if option == "-b"]
    refs += [argument for argument in command.arguments if argument.startswith("refs/")]
    if command.branch is not None:
        refs.append(f"refs/heads/{command.branch}")
    return refs


def _settle(place: Path, known: Identity, name: str, since: float) -> float:
    """Take away a lock of a killed git; return the seconds to wait before it can be."""
    try:
        with ExitStack() as stack:
            at = stack.enter_context(held(place, known))
            *folders, last = Path(name).parts
            for part in folders:
                at = stack.enter_context(at.enter(part))
            found = at.look(last)
            if not stat.S_ISREG(found.st_mode) or found.st_mtime < since - CLOCK_SECONDS:
                return 0.0  # it was there before
            left = found.st_mtime + STILL_SECONDS - time.time()
            if left > 0:
                return min(left, STILL_SECONDS)
            if _may_be_of_another(found.st_mtime):
                return STILL_SECONDS
            at.unlink(last)
            log.info("git.lock_cleared", path=str(place / name))
    except (OSError, UnsafeRepository):
        pass  # it is not there, or not reached without a link
    return 0.0


def _may_be_of_another(moment: float) -> bool:
    """Say whether a git of somebody else may have made a lock at some time, and hold it."""
    if time.time() - moment > LONGEST_SECONDS:
        return False
    for process in psutil.process_iter(["name", "create_time", "ppid"]):
        name, began = process.info["name"] or "", process.info["create_time"] or 0.0
        ours = process.info["ppid"] == os.getpid()
        if name.startswith(PROGRAM) and not ours and began < moment + CLOCK_SECONDS:
            return True
    return False


def _read(standin: Path) -> _Noted | None:
    try:
        return msgspec.json.decode((standin / NOTE).read_bytes(), type=_Noted)
    except (OSError, msgspec.DecodeError):
        return None


def _linked(folder: Folder, lock: str) -> IO[bytes]:
    """Make a lock that is marked from the moment on that it is there, where names can be linked."""
    part = f"{lock}.{secrets.token_hex(8)}"
    file = _marked(folder, part)
    try:
        folder.name_again(part, lock)
    except FileExistsError:
        file.close()
        raise
    except OSError:  # a file system where a file has one name only
        file.close()
        return _marked(folder, lock)
    finally:
        folder.unlink(part)
    return file


def _marked(folder: Folder, name: str) -> IO[bytes]:
    file = folder.create(name)
    file.write(MARK)
    file.flush()
    _hold(file)
    return file


if sys.platform == "win32":
    _make = _marked

    def _hold(_file: IO[bytes]) -> bool:
        """Say that a file is held: there, who has one open keeps all others from deleting it."""
        return True

    def inherited(*_files: IO[bytes] | None) -> Sequence[int]:
        """Return nothing: a git process is given no descriptor there."""
        return ()

else:
    _make = _linked

    def _hold(file: IO[bytes]) -> bool:
        """Have the system hold a file for this process; False if it cannot, or another has it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def inherited(*files: IO[bytes] | None) -> Sequence[int]:
        """Return the descriptors that a git process is given, so that it holds them, too."""
        return tuple(file.fileno() for file in files if file is not None)
