"""Secrets of an installation that the data folder keeps, each in a file for its owner alone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from command_center.store.errors import DataFolderUnusable
from command_center.store.private_files import new_private_file, sync_folder


def kept_secret(path: Path, size: int, make: Callable[[], bytes]) -> bytes:
    """Return the secret of `size` bytes that the file has; make it where there is none.

    It is on the disk before it is returned. To be called by who has the data folder's lock.

    Raises:
        DataFolderUnusable: it cannot be read or written.
    """
    try:
        with contextlib.suppress(FileNotFoundError):
            kept = path.read_bytes()
            if len(kept) == size:
                return kept
        made = make()
        fresh = path.with_suffix(".new")
        with new_private_file(fresh) as file:
            file.write(made)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DataFolderUnusable(path.parent, error.strerror or str(error)) from error
    return made
