"""The choice of the runner: `auto` is decided once, at the start."""

from __future__ import annotations

import shutil

import attrs

from command_center.http.config.settings import Settings
from command_center.store.records import Runner


@attrs.frozen
class RunnerChoice:
    """The runner that sessions get, and a sentence for the operator on why."""

    mode: Runner
    reason: str


def choose_runner(settings: Settings) -> RunnerChoice:
    """Decide what `auto` means on this machine; any other mode is taken as it is.

    Looks for the command on the PATH and starts nothing. A runner that was asked for by name is
    chosen even if its command is missing: the reason says so, and sessions will fail with it.
    """
    mode = settings.codex_runner_mode
    command = settings.codex_command[0]
    found = shutil.which(command)
    where = f"{command} is at {found}" if found else f"{command} was not found"
    if mode == "stub":
        return RunnerChoice("stub", "CC_CODEX_RUNNER_MODE is stub: Codex is not used.")
    if settings.codex_transport == "websocket" and mode != "cli":
        return RunnerChoice("app-server", f"Codex is reached at {settings.codex_url}.")
    if mode != "auto":
        return RunnerChoice(mode, f"CC_CODEX_RUNNER_MODE is {mode}; {where}.")
    if found:
        return RunnerChoice("app-server", f"{where}.")
    return RunnerChoice("stub", f"{where}: sessions are played by a stub, without Codex.")
