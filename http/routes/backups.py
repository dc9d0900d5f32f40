"""/api/backups: all that the installation has to keep, in files of its data folder."""

from __future__ import annotations

import msgspec

from command_center.actors.center import Center
from command_center.actors.contracts.backups import BACKUPS, BackupsShown, ListBackups, MakeBackup
from command_center.actors.rules.lengths import Name
from command_center.http.wire.operation import Api
from command_center.store.backups.places import KeptBackup

api = Api[Center]("Backups")


class NewBackup(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A backup that somebody wants now."""

    requested_by: Name = "api"


@api.operation("GET", "/api/backups")
async def list_backups(center: Center) -> BackupsShown:
    """List the backups in the data folder, the newest first, and when the next one is due."""
    return await center.ask(BACKUPS, ListBackups())


@api.operation("POST", "/api/backups", answers=201, refuses=(503,), scope="operate")
async def make_backup(center: Center, body: NewBackup) -> KeptBackup:
    """Make a backup now. It waits for one that is being made."""
    return await center.ask(BACKUPS, MakeBackup(requested_by=body.requested_by))
