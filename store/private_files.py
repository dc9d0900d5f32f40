"""Files for their owner alone, and names that a loss of power keeps."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

if sys.platform == "darwin":
    import fcntl


def new_private_file(path: Path) -> IO[bytes]:
    """Open a new file to write, readable by its owner alone; one that is there is removed first."""
    path.unlink(missing_ok=True)
    binary: int = getattr(os, "O_BINARY", 0)  # Windows opens a file as text unless told otherwise
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o600), "wb")


def flush_data(descriptor: int) -> None:
    """Return when what was written to a file is on the disk, its length included.

    On macOS an fsync would leave it in the drive's cache.

    Raises:
        OSError: nobody knows whether it is.
    """
    if sys.platform == "linux":
        os.fdatasync(descriptor)
    elif sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the names in the folder on the disk; Windows opens no folder for this."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
