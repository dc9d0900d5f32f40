"""Places of Codex on this machine: its environment, its folder, its socket."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from command_center.actors.codex.settings import BridgeSettings


def inherited(settings: BridgeSettings) -> Mapping[str, str]:
    """Give the environment that Codex's processes are to have, before ours is taken out of it."""
    return os.environ if settings.environment is None else settings.environment


def codex_home(settings: BridgeSettings) -> Path:
    """Give Codex's own folder: `CODEX_HOME`, else `.codex` in the home folder."""
    named = inherited(settings).get("CODEX_HOME")
    return Path(named) if named else Path.home() / ".codex"


def control_socket(settings: BridgeSettings) -> Path:
    """Say where the app-server of a terminal or of Codex's app listens, if there is one."""
    if settings.socket is not None:
        return settings.socket
    return codex_home(settings) / "app-server-control" / "app-server-control.sock"
