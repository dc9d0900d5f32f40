"""`command-center doctor`: what on this machine would keep the server from working, and its mend.

Each check looks at one thing, starts nothing that stays, and changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Final, Literal

import msgspec

from command_center.actors.codex.versions import INSTALL, RANGE, support_of
from command_center.actors.contracts.runners import RUNNERS
from command_center.actors.git.ports import PROGRAM
from command_center.actors.hosts.local.codex.environment import agent_environment
from command_center.actors.hosts.local.git.process import OLDEST
from command_center.http.config.runner import choose_runner
from command_center.http.config.settings import Settings

SECONDS: Final = 10.0
"""Seconds that a program may take to say its version."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one check: what was seen, and, where that is no good, what mends it."""

    check: str
    level: Literal["ok", "warning", "error"] = "ok"
    message: str
    mend: str | None = None


def examine(settings: Settings) -> list[Finding]:
    """Make every check with these settings."""
    return [check(settings) for check in CHECKS]


def _git(_: Settings) -> Finding:
    mend = f"Install git {'.'.join(map(str, OLDEST))} or newer and see that it is on the PATH."
    said = _first_line([PROGRAM, "--version"])
    version = re.search(r"(\d+)\.(\d+)", said or "")
    if said is None or version is None:
        return Finding(check=PROGRAM, level="error", message="git was not found.", mend=mend)
    if (int(version[1]), int(version[2])) < OLDEST:
        return Finding(check=PROGRAM, level="error", message=f"{said} is too old.", mend=mend)
    return Finding(check=PROGRAM, message=f"{said}.")


def _codex(settings: Settings) -> Finding:
    choice = choose_runner(settings)
    if not RUNNERS[choice.mode].is_real:
        return Finding(
            check="codex",
            level="warning",
            message=choice.reason,
            mend="Install Codex (npm install -g @openai/codex), or set CC_CODEX_COMMAND to it, and "
            "leave CC_CODEX_RUNNER_MODE out.",
        )
    if settings.codex_transport == "websocket" and RUNNERS[choice.mode].has_threads:
        return Finding(check="codex", message=f"{choice.reason} GET /health says its version.")
    said = _first_line([*settings.codex_command, "--version"])
    if said is None:
        return Finding(
            check="codex",
            level="error",
            message=f"{settings.codex_command[0]} was not found, or did not say its version.",
            mend="Install Codex (npm install -g @openai/codex), or set CC_CODEX_COMMAND to it.",
        )
    version = said.rpartition(" ")[2]
    support = support_of(version)
    if support.problem is not None:
        problem = support.problem.removesuffix(INSTALL).strip()
        return Finding(check="codex", level="error", message=problem, mend=INSTALL)
    if support.notice is not None:
        mend = f"If something fails: {INSTALL}"
        return Finding(check="codex", level="warning", message=support.notice, mend=mend)
    return Finding(check="codex", message=f"Codex {version} is supported ({RANGE}).")


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110 - what cannot be entered is not there
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Finding(
            check="data folder",
            level="error",
            message=f"{existing} cannot be written.",
            mend="Give its owner leave to write it, or set CC_DATA_DIR to another folder.",
        )
    return Finding(check="data folder", message=f"{folder} can be used.")


CHECKS: Final[Sequence[Callable[[Settings], Finding]]] = (_git, _codex, _data_folder)
"""The checks, in the order in which they are told."""


def _first_line(command: Sequence[str]) -> str | None:
    """Return the first line that the program prints; None if it cannot be run or fails."""
    found = shutil.which(command[0])
    if found is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - git, or the command that the settings name
            [found, *command[1:]],
            capture_output=True,
            check=True,
            env=agent_environment(os.environ),
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.partition("\n")[0].strip() or None
