"""Backups of the installation, and the check that its database is whole.

`actor` is `/backups`; how one is made and put back is `store.backups`. `store_check` is
`/store-check`, which reads the whole database beside the service (`store.integrity`).
"""

from command_center.actors.backups.actor import Backups, BackupSettings
from command_center.actors.backups.store_check import StoreCheck

__all__ = ["BackupSettings", "Backups", "StoreCheck"]
