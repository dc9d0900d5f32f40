"""The choice of the runner: `auto` is decided once, at the start."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import attrs

from command_center.http.config.settings import Settings
from command_center.store.records import Runner

_NOT_YOURS = (
    "The Codex that the tests bring (openai-codex-cli-bin) is not used; CC_CODEX_COMMAND chooses."
)


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
        return RunnerChoice("app-server", f"{where}{_whose(found)}.")
    other = f" {_NOT_YOURS}" if find_spec("codex_cli_bin") is not None else ""
    return RunnerChoice("stub", f"{where}: sessions are played by a stub, without Codex.{other}")


def _whose(found: str) -> str:
    """Tell of a Codex that came with this program's own packages, not by its user.

    Only an environment of Python's own (a venv) has nothing else: in `/usr/local`, or in one of
    conda, a Codex is its user's.
    """
    if sys.prefix == sys.base_prefix or not Path(found).absolute().is_relative_to(sys.prefix):
        return ""
    others = os.pathsep.join(
        folder
        for folder in os.environ.get("PATH", "").split(os.pathsep)
        if not Path(folder).absolute().is_relative_to(sys.prefix)
    )
    yours = shutil.which(Path(found).name, path=others)
    choose = f"; set CC_CODEX_COMMAND={yours} for yours" if yours else ""
    return f", which came with Command Center's own packages{choose}"
