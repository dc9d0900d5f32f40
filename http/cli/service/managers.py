"""The manager of services that this machine has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from command_center.http.cli.service.launchd import Launchd
from command_center.http.cli.service.manager import ServiceManager, ServiceName
from command_center.http.cli.service.systemd import Systemd
from command_center.http.cli.service.task_scheduler import TaskScheduler


def manager_of(data_dir: Path, name: ServiceName) -> ServiceManager:
    """Return it, for the service of that name, whose data folder that is."""
    known: dict[str, Callable[[Path, ServiceName], ServiceManager]] = {
        "win32": TaskScheduler,
        "darwin": lambda _, named: Launchd(named),
    }
    made = known.get(sys.platform)
    return Systemd(name) if made is None else made(data_dir, name)
