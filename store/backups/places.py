"""The folder of backups, and the rule that takes old ones away.

Those that are made on a schedule have names of their own: only they are pruned, the oldest first.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from command_center.store.database.opening import BACKUPS
from command_center.store.timestamps import to_timestamp

_NAME: Final = re.compile(
    r"(?P<by>backup|scheduled)-(?P<time>[0-9]{8}T[0-9]{6}\.[0-9]{6}Z)\.(?P<form>zip|age\.zip)"
)
_TIME: Final = "%Y%m%dT%H%M%S.%fZ"


class KeptBackup(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A backup in the folder of backups.

    Attributes:
        name: of its file.
        size: in bytes.
        made_at: when, as a timestamp.
        is_scheduled: a schedule made it, and a rule takes it away one day.
        is_encrypted: only a passphrase opens it.
    """

    name: str
    size: int
    made_at: str
    is_scheduled: bool
    is_encrypted: bool


def make_folder(data_dir: Path) -> None:
    """Make the folder of backups, for its owner alone, if it is not there."""
    (data_dir / BACKUPS).mkdir(mode=0o700, exist_ok=True)


def place_of(data_dir: Path, moment: datetime, *, is_scheduled: bool, is_encrypted: bool) -> Path:
    """Return where a backup of that moment goes. Nothing takes one away that no schedule made."""
    by = "scheduled" if is_scheduled else "backup"
    form = "age.zip" if is_encrypted else "zip"
    return data_dir / BACKUPS / f"{by}-{moment.astimezone(UTC):{_TIME}}.{form}"


def kept_backup(file: Path) -> KeptBackup | None:
    """Return what the file's name tells; None if it is no backup's, or is gone."""
    if (told := _NAME.fullmatch(file.name)) is None:
        return None
    try:
        made = datetime.strptime(told["time"], _TIME).replace(tzinfo=UTC)
        size = file.stat().st_size
    except (ValueError, FileNotFoundError):  # no time, or removed
        return None
    return KeptBackup(
        name=file.name,
        size=size,
        made_at=to_timestamp(made),
        is_scheduled=told["by"] == "scheduled",
        is_encrypted=told["form"] == "age.zip",
    )


def kept_backups(data_dir: Path) -> list[KeptBackup]:
    """Return the backups that lie there, the newest first; none where nobody can look."""
    with suppress(OSError):
        found = filter(None, map(kept_backup, (data_dir / BACKUPS).iterdir()))
        return sorted(found, key=lambda one: (one.made_at, one.name), reverse=True)
    return []


def prune(data_dir: Path, now: datetime, *, keep: int) -> list[str]:
    """Remove all backups of a schedule but the newest ones; return the names of those that went.

    One whose time has not come yet was made while the clock was wrong. It stays, and counts for
    none.
    """
    moment = to_timestamp(now)
    made = [one for one in kept_backups(data_dir) if one.is_scheduled and one.made_at <= moment]
    old = made[keep:]
    for one in old:
        (data_dir / BACKUPS / one.name).unlink(missing_ok=True)
    return [one.name for one in old]
