"""The data folder's lock: one process is the authority over its folder.

The lock is the operating system's own (``flock`` on POSIX, a locked byte range on Windows), so
it ends with the process however the process ends, ``kill -9`` included; no stale lock file ever
has to be removed. The file stays where it is when the lock is released: to remove it would let
two processes lock two different files of one name.

The holder writes its process id into the file, for the message that a second one shows. It looks
whether the file still stands under its name (``check``), for a second process would lock another.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from command_center.store.errors import ClaimLost, DataFolderInUse, DataFolderUnusable
from command_center.store.membership import MEMBERSHIP

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_FILE_NAME = "lock"
# Windows forbids others to read a locked range: the range lies behind the process id.
_LOCKED_OFFSET = 1 << 20


class DataFolderLock:
    """Authority over a data folder, from the making of this object until ``close``.

    The folder is made if it is absent, for its owner alone where the platform knows that.
    A child process does not inherit the lock.

    Raises:
        DataFolderInUse: another process, or another lock object of this one, holds it.
        DataFolderUnusable: the folder cannot be made or written, or cannot carry locks.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor: int | None = None
        path = folder / _FILE_NAME
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataFolderUnusable(folder, error.strerror or str(error)) from error
        try:
            _lock(descriptor)
        except (BlockingIOError, PermissionError) as error:
            os.close(descriptor)
            raise DataFolderInUse(folder, _read_pid(path)) from error
        except OSError as error:
            os.close(descriptor)
            raise DataFolderUnusable(folder, error.strerror or str(error)) from error
        try:
            os.write(descriptor, f"{os.getpid():<20}\n".encode())
        except OSError as error:
            os.close(descriptor)
            raise DataFolderUnusable(folder, error.strerror or str(error)) from error
        self._descriptor = descriptor
        self._status = os.fstat(descriptor)

    @property
    def identity(self) -> str:
        """Return what no other lock has while somebody holds this one: its device and inode."""
        return f"{self._status.st_dev}:{self._status.st_ino}"

    def check(self) -> None:
        """Do nothing if the lock's file stands under its name.

        Raises:
            ClaimLost: it was removed, or another file stands in its place.
        """
        check_in_place(self.folder / _FILE_NAME, self._status, self.folder)

    def close(self) -> None:
        """Give the authority up. Closing twice does nothing."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            _unlock(descriptor)
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def check_in_place(path: Path, known: os.stat_result, claimed: Path) -> None:
    """Do nothing if the file that was known by this name still has it.

    Raises:
        ClaimLost: it was removed, or another file stands in its place; of what was ``claimed``.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise ClaimLost(claimed, f"the file {path} was removed") from error
    except OSError as error:
        raise ClaimLost(claimed, f"the file {path} is not found: {error.strerror}") from error
    if (found.st_ino, found.st_dev) != (known.st_ino, known.st_dev):
        raise ClaimLost(claimed, f"another file stands in the place of {path}")


def _lock(descriptor: int) -> None:
    """Lock the open file, or raise BlockingIOError (POSIX) or PermissionError (Windows)."""
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _unlock(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _read_pid(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


def refuse_centre(folder: Path) -> None:
    """Do nothing for a data folder that is of no cluster.

    A centre sets its database aside whenever it starts, and goes on with the cluster's. What
    anything else writes there would be lost.

    Raises:
        DataFolderUnusable: it is a centre's.
    """
    if (folder / MEMBERSHIP).exists():
        reason = (
            "it is of a centre of a cluster, which goes on with the cluster's database. To have "
            f"this one go on alone, remove {MEMBERSHIP} there"
        )
        raise DataFolderUnusable(folder, reason)
