"""Backups of the installation, and the care for its database over the years.

`actor` is `/backups`; how one is made and put back is `store.backups`. `store_check` is
`/store-check`, which reads the whole database beside the service (`store.integrity`), and
`event_compression` is `/event-compression`, which compresses old events.
"""

from command_center.actors.backups.actor import Backups, BackupSettings
from command_center.actors.backups.event_compression import EventCompression
from command_center.actors.backups.store_check import StoreCheck

__all__ = ["BackupSettings", "Backups", "EventCompression", "StoreCheck"]
