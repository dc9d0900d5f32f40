"""Calls of the system that fail by order: a library of our own in front of libc.

It is built of `failing_calls.c` with the machine's C compiler, and counts only calls on files
beneath one folder, so that what a program does elsewhere changes nothing.
"""

from __future__ import annotations

import atexit
import errno
import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from enum import IntEnum
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import attrs
import pytest

SOURCE = Path(__file__).with_name("failing_calls.c")
FOR_EVER = 2**31 - 1


class Call(IntEnum):
    """A kind of call that can fail."""

    WRITE = 0
    SYNC = 1
    OPEN = 2
    RENAME = 3
    TRUNCATE = 4
    READ = 5
    UNLINK = 6
    ALLOCATE = 7
    """SQLite's own allocations; counted only from the order that makes one fail."""


CUT_SHORT = 0
"""In an error's place: a write writes a half, and says so."""

ERRORS: Mapping[Call, tuple[int, ...]] = {
    Call.WRITE: (errno.EIO, errno.ENOSPC, CUT_SHORT),
    Call.SYNC: (errno.EIO,),
    Call.OPEN: (errno.EIO, errno.ENOSPC),
    Call.RENAME: (errno.EIO, errno.ENOSPC),
    Call.TRUNCATE: (errno.EIO, errno.ENOSPC),
    Call.UNLINK: (errno.EIO,),
    Call.ALLOCATE: (errno.ENOMEM,),
}
"""The errors with which each kind of call is made to fail."""


@cache
def _library() -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a C compiler (cc) is needed to make calls of the system fail")
    folder = Path(mkdtemp(prefix="failing-calls-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    library = folder / "failing_calls.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


_HEAD = "=iiiii"
_ORDER = struct.Struct(f"{_HEAD}{len(Call)}i")


@attrs.define
class Faults:
    """Orders to the processes that were started with its `environment`."""

    environment: Mapping[str, str]
    _shared: mmap.mmap

    @classmethod
    def beneath(cls, folder: Path, *, journal: Path | None = None) -> Faults:
        """Faults of calls on files beneath the folder, which must exist.

        A journal gets every change of these files (`power_loss`).
        """
        order = folder.with_name(f"{folder.name}.order")
        order.write_bytes(_ORDER.pack(-1, *[0] * (_ORDER.size // 4 - 1)))
        with order.open("r+b") as file:
            shared = mmap.mmap(file.fileno(), _ORDER.size)
        environment = {
            "LD_PRELOAD": str(_library()),
            "FAULT_ORDER": str(order),
            "FAULT_FOLDER": str(folder),
        }
        if journal is not None:
            environment["FAULT_JOURNAL"] = str(journal)
        return cls(environment, shared)

    def fail(self, call: Call, error: int, *, after: int = 0, times: int = FOR_EVER) -> None:
        """Have calls of that kind fail, after so many more that succeed."""
        first = self.seen(call) + after + 1
        struct.pack_into("=iii", self._shared, 4, error, first, times)
        struct.pack_into("=i", self._shared, 16, 0)
        struct.pack_into("=i", self._shared, 0, call)

    def stop(self) -> None:
        """Have all calls succeed."""
        struct.pack_into("=i", self._shared, 0, -1)

    def begin(self) -> None:
        """Count from nothing, and have all calls succeed."""
        self.stop()
        self._shared[struct.calcsize(_HEAD) :] = bytes(4 * len(Call))

    def seen(self, call: Call) -> int:
        """Return how many calls of that kind there were."""
        found: int = _ORDER.unpack(self._shared[:])[5 + call]
        return found

    @property
    def failed(self) -> int:
        """Return how many calls have failed since the last order."""
        found: int = _ORDER.unpack(self._shared[:])[4]
        return found
