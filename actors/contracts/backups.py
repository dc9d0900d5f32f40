"""The messages about backups: all that an installation has to keep, each in one file."""

from __future__ import annotations

from typing import Literal, Never, TypeAlias

import msgspec

from command_center.runtime import Address, Request
from command_center.store.backups.places import KeptBackup


class BackupsShown(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The backups in the data folder.

    Attributes:
        items: the newest first.
        schedule: when one is made by itself; None where none is.
        next_at: when the next one is due, as a timestamp; None where none is.
        last_failure: what the last one came to, where it was not made; None otherwise.
    """

    items: list[KeptBackup]
    schedule: str | None
    next_at: str | None
    last_failure: str | None


class MakeBackup(msgspec.Struct, Request[KeptBackup], frozen=True, kw_only=True):
    """Make a backup now."""

    requested_by: str


class ListBackups(msgspec.Struct, Request[BackupsShown], frozen=True):
    """Look at what there is."""


BackupsMessage: TypeAlias = MakeBackup | ListBackups
BACKUPS: Address[BackupsMessage] = Address("/backups")

STORE_CHECK: Address[Never] = Address("/store-check")
"""Reads the whole database, and takes no messages; its description tells how far it is."""


class HistoryReleased(msgspec.Struct, frozen=True):
    """The history of a repository that was deleted may go now."""


RETENTION: Address[HistoryReleased] = Address("/retention")
"""Removes old events; its description tells where the log begins."""

SIZE_WATCH: Address[Never] = Address("/size-watch")
"""Watches how much the database has, and takes no messages."""

SizeState: TypeAlias = Literal["checking", "ok", "large"]
StoreCheckState: TypeAlias = Literal["checking", "ok", "damaged", "unreadable"]
