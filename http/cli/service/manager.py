"""The manager of services of a machine, and the service that it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import Final, Protocol

import attrs


@attrs.frozen
class ServiceName:
    """The name of a service, as managers know it and as people read it."""

    slug: str
    title: str


SERVER: Final = ServiceName("command-center", "Command Center")
HOST: Final = ServiceName("command-center-host", "Command Center host")

SECONDS: Final = 60.0
"""Seconds that a manager may take to do one thing."""


class ServiceFailed(Exception):
    """The manager did not do what it was asked, or there is none; the message says why."""


@attrs.frozen(kw_only=True)
class Service:
    """A server that a machine is to start.

    Attributes:
        command: the program with its arguments, each a word.
        path: the PATH that it finds git and Codex by.
        folder: of its data, where a log goes that no manager keeps.
    """

    command: tuple[str, ...]
    path: str
    folder: Path


class ServiceManager(Protocol):
    """A part of the system that starts programs at sign-in or with the machine, and again."""

    @property
    def file(self) -> Path:
        """Return the file by which the manager knows the service."""

    def definition(self, service: Service) -> bytes:
        """Return what the file has."""

    def program(self) -> Path | None:
        """Return the program that the installed file starts; None where nobody can tell."""

    def install(self, service: Service) -> list[str]:
        """Put the file in its place and start the service; return what the user should know.

        One that is installed is replaced, and started again.

        Raises:
            ServiceFailed: the manager refuses.
        """

    def uninstall(self) -> None:
        """Stop the service and take the file away; without one, do nothing.

        Raises:
            ServiceFailed: the manager refuses.
        """

    def start(self) -> None:
        """Start the service that is installed.

        Raises:
            ServiceFailed: the manager refuses.
        """

    def stop(self) -> None:
        """Stop the service, and leave it installed.

        Raises:
            ServiceFailed: the manager refuses.
        """

    def status(self) -> Sequence[str]:
        """Return the command that shows how the service is."""


def server_command(config_file: Path | None) -> tuple[str, ...]:
    """Return the command that serves with the program that runs now."""
    config = () if config_file is None else ("--config", str(config_file.resolve()))
    return (*own_program(), "serve", *config)


def own_program() -> tuple[str, ...]:
    """Return the words that start the program that runs now."""
    typed = Path(sys.argv[0])
    if sys.platform == "win32" and typed.stem == "command-center":
        # What was typed may be a copy that uv or pipx has put on the PATH.
        typed = Path(sys.prefix) / "Scripts" / "command-center.exe"
    is_script = typed.stem == "command-center" and typed.is_file() and os.access(typed, os.X_OK)
    if is_script:
        return (str(typed.resolve()),)
    return (sys.executable, "-P", "-m", "command_center.http")


def run(*command: str) -> str:
    """Have a manager's program do something, and return what it says.

    Raises:
        ServiceFailed: it is not there, fails, or takes too long.
    """
    program = which(command[0])
    if program is None:
        raise ServiceFailed(f"There is no {command[0]} here.")
    try:
        done = subprocess.run(  # noqa: S603 - a program of the system, with our own words
            [program, *command[1:]],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServiceFailed(f"{' '.join(command)}: {error}.") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise ServiceFailed(f"{' '.join(command)}: {said}")
    return done.stdout
