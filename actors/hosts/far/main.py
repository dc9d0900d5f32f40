"""Serve this machine to whoever is at the other end of standard input and output."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import structlog
import trio

from command_center.actors.codex.settings import BridgeSettings, Transport
from command_center.actors.hosts.link.channels import LinkEnded
from command_center.actors.hosts.link.serving import Served
from command_center.actors.hosts.local.codex.codex import LocalCodex
from command_center.actors.hosts.local.folders import LocalFolders
from command_center.actors.hosts.local.git.checkouts import LocalGit
from command_center.actors.hosts.local.git.process import GitProgram

_PATH_SECONDS: Final = 5.0
_MARK: Final = "command-center-path"


def main(data_dir: str) -> None:
    """Serve until the link ends; `data_dir` is for worktrees, and what git and Codex need."""
    folder = Path(data_dir).expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    os.environ["PATH"] = _path_of_login()
    asked, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)  # what is started here must not read what is asked
    os.dup2(2, 1)
    os.close(nowhere)
    try:
        trio.run(_serve, folder, asked, answers)
    except LinkEnded as ended:
        sys.stderr.write(f"{ended.reason}\n")


async def _serve(folder: Path, asked: int, answers: int) -> None:
    if sys.platform == "win32":
        raise AssertionError("A host that runs Windows is not reached over ssh.")
    else:  # noqa: RET506 - mypy knows the platform only so
        codex = BridgeSettings(transport=Transport.AUTO, state_folder=folder)
        served = Served(
            LocalFolders(folder), LocalGit(GitProgram(folder / "git-work")), LocalCodex(codex)
        )
        await served.serve(trio.lowlevel.FdStream(asked), trio.lowlevel.FdStream(answers))


def _path_of_login() -> str:
    """Return the PATH that a terminal has: a command over ssh often gets one without Codex."""
    inherited = os.environ.get("PATH", os.defpath)
    shell = os.environ.get("SHELL", "/bin/sh")
    try:
        said = subprocess.run(  # noqa: S603 - the shell that this user has
            [shell, "-lc", f'echo "{_MARK}:$PATH:{_MARK}"'],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATH_SECONDS,
            check=False,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return inherited
    found = re.search(f"{_MARK}:(.*):{_MARK}", said)
    return inherited if found is None else f"{inherited}:{found[1]}"


if __name__ == "__main__":
    main(*sys.argv[1:])
