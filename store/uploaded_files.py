"""The files of uploads, each by its name in one folder of the data folder."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from command_center.store.private_files import new_private_file, sync_folder

FOLDER: Final = "uploads"
"""The name of the folder in the data folder."""


class UploadedFiles:
    """The files in a folder, for this user alone; the folder is made when the first one comes.

    Each method raises OSError where the system refuses, and waits for the disk.
    """

    def __init__(self, folder: Path) -> None:
        """Keep them in `folder`."""
        self.folder = folder

    def keep(self, name: str, content: bytes) -> None:
        """Put a file in its place, whole or not at all; a power cut keeps it then."""
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        place = self.folder / name
        if not place.exists():
            part = self.folder / f"{name}.part"
            with new_private_file(part) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
        sync_folder(
            self.folder
        )  # also of one that is there, perhaps of a life that did not come to this

    def has(self, name: str) -> bool:
        """Tell whether a file is there."""
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """Return what a file has."""
        return (self.folder / name).read_bytes()

    def names(self) -> list[str]:
        """Return the names of all files that are there."""
        if not self.folder.is_dir():
            return []
        return sorted(entry.name for entry in self.folder.iterdir())

    def remove(self, names: Collection[str]) -> dict[str, str]:
        """Remove files; return each that stays, with what the system says."""
        left = {}
        for name in names:
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                left[name] = error.strerror or str(error)
        return left
