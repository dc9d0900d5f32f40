"""Events of backups, and of the care for the database."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from command_center.store import EventData


class BackupMade(EventData, frozen=True, kw_only=True, tag="backup.created"):
    """A backup was made, of `size` bytes; `damaged` names records that the disk has changed."""

    name: str
    size: int
    is_scheduled: bool
    is_encrypted: bool
    damaged: list[str]


class BackupNotMade(EventData, frozen=True, kw_only=True, tag="backup.failed"):
    """A backup was due or asked for, and could not be made."""

    reason: str
    is_scheduled: bool


class EventsRemoved(EventData, frozen=True, kw_only=True, tag="store.events.removed"):
    """The events from `first` to `last` were removed, as they are older, or more, than is kept.

    The log begins behind them. Of `days` and `bytes`, those are null that are not bounded.
    """

    first: int
    last: int
    days: int | None
    bytes: int | None


class RepositoryEventsRemoved(EventData, frozen=True, kw_only=True, tag="repo.events.removed"):
    """Its events up to `last` are removed, as they are older, or there are more, than it keeps.

    An `event.removed` stands in the place of each. Of `days` and `bytes`, those of its bound are
    given.
    """

    last: int
    days: int | None
    bytes: int | UnsetType | None = UNSET


class TranscriptRemoved(EventData, frozen=True, kw_only=True, tag="session.transcript.removed"):
    """Its transcript was removed, as it is older, or there is more, than is kept.

    The rest of it stays. Of `days` and `bytes`, the one is null that was not the reason.
    """

    days: int | None
    bytes: int | UnsetType | None = UNSET


class StoreLarge(EventData, frozen=True, kw_only=True, tag="store.large"):
    """The database has more than `CC_ALARM_SIZE`. Told once, and again when it has doubled.

    Set `CC_KEEP_EVENTS` to remove old events, `CC_COMPRESS_DAYS` to compress them, or a greater
    `CC_ALARM_SIZE`.
    """

    bytes: int
    alarm_bytes: int


class StoreDamaged(EventData, frozen=True, kw_only=True, tag="store.damaged"):
    """A check of the database found damage. `structure` has SQLite's words, `damaged` the rows.

    Put a backup back where the structure is damaged; the next start refuses the file.
    """

    structure: list[str]
    damaged: list[str]
