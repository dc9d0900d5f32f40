"""The words by which each installer puts a version in place, and tries one aside.

To try one, the same command is given an empty folder to install into.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

import attrs

from command_center.actors.hosts.local.releases.installation import Installation
from command_center.actors.hosts.local.releases.record import python_in
from command_center.http.cli.update.folder import call
from command_center.http.cli.update.telling import UpdateFailed

INSTALL_SECONDS: Final = 900.0
"""Seconds that an installer may take."""


@attrs.frozen
class InstallerCommand:
    """A command of an installer, with the variables that it gets beside those of the process."""

    words: tuple[str, ...]
    variables: dict[str, str] = attrs.field(factory=dict)

    def run(self) -> None:
        """Run it in the environment of this program: uv takes settings of the current folder.

        Raises:
            UpdateFailed: it fails.
        """
        call(
            self.words,
            {**os.environ, **self.variables},
            seconds=INSTALL_SECONDS,
            cwd=Path(sys.prefix),
        )


def switch_command(installation: Installation, requirement: str) -> InstallerCommand:
    """Return the command that puts a version in the place of the one that is there.

    Raises:
        UpdateFailed: the installer is not found.
    """
    return InstallerCommand(_words(installation, requirement, installation.prefix))


def install_aside(installation: Installation, requirement: str, folder: Path) -> Path:
    """Install a version into a folder of its own, and return the environment.

    Raises:
        UpdateFailed: the installer is not found, or fails.
    """
    prefix = folder / "environment"
    places: dict[str, str] = {}
    if installation.installer == "uv tool":
        prefix = folder / "tools" / "command-center"
        places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "programs")}
    elif installation.installer == "pipx":
        prefix = folder / "pipx" / "venvs" / "command-center"
        places = {
            "PIPX_HOME": str(folder / "pipx"),
            "PIPX_BIN_DIR": str(folder / "programs"),
            "PIPX_MAN_DIR": str(folder / "man"),
            "PIPX_COMPLETION_DIR": str(folder / "completion"),
        }
    else:
        python = str(installation.base_python)
        InstallerCommand((python, "-P", "-m", "venv", "--without-pip", str(prefix))).run()
    InstallerCommand(_words(installation, requirement, prefix), places).run()
    return prefix


def _words(installation: Installation, requirement: str, prefix: Path) -> tuple[str, ...]:
    python, options = str(installation.base_python), installation.options
    if installation.installer == "uv tool":
        further = [word for one in installation.further for word in ("--with", one)]
        return (
            _program("uv"),
            "tool",
            "install",
            "--python",
            python,
            *options,
            *further,
            requirement,
        )
    if installation.installer == "pipx":
        given = ("--pip-args", shlex.join(options)) if options else ()
        return (*_pipx(), "install", "--force", "--python", python, *given, requirement)
    target = str(python_in(prefix))
    if installation.installer == "uv pip":
        return (_program("uv"), "pip", "install", "--python", target, *options, requirement)
    own = str(python_in(installation.prefix))
    return (
        own,
        "-P",
        "-m",
        "pip",
        "--python",
        target,
        "install",
        "--no-input",
        *options,
        requirement,
    )


def _pipx() -> tuple[str, ...]:
    if shutil.which("pipx") is None and shutil.which("uv") is not None:
        return (_program("uv"), "tool", "run", "pipx")
    return (_program("pipx"),)


def _program(name: str) -> str:
    if name == "uv" and (named := os.environ.get("UV")):
        return named
    found = shutil.which(name)
    if found is None:
        raise UpdateFailed(f"{name} has installed Command Center, and is not found on the PATH.")
    return found
