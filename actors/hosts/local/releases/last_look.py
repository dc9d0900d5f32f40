"""The last look for a newer release, as a file of the data folder.

So a server that starts again and again does not ask again, and a command sees what was found.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from command_center.store.private_files import new_private_file

FOLDER: Final = "updates"
"""The folder of what updates keep, in the data folder."""

FILE: Final = "last-look.json"


class ReleaseLook(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A look for a newer release.

    Attributes:
        asked_at: when, as a timestamp.
        newest: the newest release that this Python can run; None where none is newer.
        failure: why nothing was found out; None where something was.
    """

    asked_at: str
    newest: str | None = None
    failure: str | None = None


def read_look(data_dir: Path) -> ReleaseLook | None:
    """Return the last look; None before the first, or where nobody can read it."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((data_dir / FOLDER / FILE).read_bytes(), type=ReleaseLook)
    return None


def write_look(data_dir: Path, look: ReleaseLook) -> None:
    """Put a look in the place of the one before.

    Raises:
        OSError: the system refuses.
    """
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{FILE}.part"
    with new_private_file(part) as file:
        file.write(msgspec.json.encode(look))
    part.replace(folder / FILE)
