"""`/backups`: makes backups of the installation when they are due, and when somebody asks.

`actor` is all there is here. How one is made and put back is `store.backups`.
"""

from command_center.actors.backups.actor import Backups, BackupSettings

__all__ = ["BackupSettings", "Backups"]
