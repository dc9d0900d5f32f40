"""The content of a backup: the database, the files of uploads, and the installation's own secrets.

Everything else in the data folder can be made again, or is of this machine alone: worktrees, what
git and Codex work with, locks, and older copies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

DATABASE: Final = "command-center.sqlite3"
"""The database's name in the data folder."""

UPLOADS: Final = "uploads"
"""The folder of what people send for Codex, in the data folder; each file is named by its hash."""

KEPT: Final = (
    "sign-in.key",
    "push.key",
    "authority.pem",
    "authority.key",
    "server.pem",
    "server.key",
)
"""Files of the data folder that a backup has where they are there: what devices trust it by."""

MANIFEST: Final = "manifest.json"

_UPLOAD = re.compile(rf"{UPLOADS}/[0-9a-f]{{64}}(\.[a-z0-9]{{1,8}})?")


class BackedUpFile(msgspec.Struct, frozen=True):
    """A file of a backup: its length in bytes, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The account that a backup gives of itself.

    Attributes:
        version: the version of Command Center that made it.
        made_at: when, as a timestamp.
        log_id: the log's identity.
        last_event_id: the last event that it has.
        damaged: the first of the records that were damaged by then, each as table and number.
        files: all others, by their names in the data folder.
    """

    version: str
    made_at: str
    log_id: str
    last_event_id: int
    damaged: list[str] = []
    files: dict[str, BackedUpFile]


def is_kept(name: str) -> bool:
    """Return True for a name that a backup may have."""
    return name == DATABASE or name in KEPT or _UPLOAD.fullmatch(name) is not None


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the files that a backup of a data folder has beside the database: name and place.

    A secret may be a link to where it is. An upload is none.
    """
    for name in KEPT:
        place = (folder / name).resolve()
        if place.is_file():
            yield name, place
    if (folder / UPLOADS).is_dir():
        for file in sorted((folder / UPLOADS).iterdir()):
            name = f"{UPLOADS}/{file.name}"
            if is_kept(name) and file.is_file() and not file.is_symlink():
                yield name, file
