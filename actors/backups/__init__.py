"""Backups of the installation, made when they are due or asked for.

`actor` is `/backups`; how one is made and put back is `store.backups`.
"""

from command_center.actors.backups.actor import Backups, BackupSettings

__all__ = ["BackupSettings", "Backups"]
