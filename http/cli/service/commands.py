"""`command-center service install`, `status`, `logs` and `uninstall`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import NoReturn

import click

from command_center.http.cli.local import config_flag, resolve
from command_center.http.cli.service.logs import logs
from command_center.http.cli.service.manager import (
    SERVER,
    Service,
    ServiceFailed,
    server_command,
)
from command_center.http.cli.service.managers import manager_of

FAILED = 1


@click.group()
def service() -> None:
    """Have this machine start the server, and start it again when it fails."""


@service.command()
@config_flag
@click.option("--print", "only_print", is_flag=True, help="Show what would be installed.")
def install(config_file: Path | None, *, only_print: bool) -> None:
    """Install the server as a service of yours, and start it.

    It is the program that you run now, with the configuration file. Variables of this terminal are
    not taken, except PATH. To install it again brings it up to date.
    """
    resolved = resolve(config_file, {})
    manager = manager_of(resolved.settings.data_dir, SERVER)
    wanted = Service(
        command=server_command(resolved.config_file),
        path=os.environ.get("PATH", os.defpath),
        folder=resolved.settings.data_dir,
    )
    try:
        if only_print:
            definition = manager.definition(wanted)
            click.echo(definition.decode("utf-16" if definition[:1] == b"\xff" else "utf-8"))
            return
        notes = manager.install(wanted)
    except (ServiceFailed, OSError) as error:
        _fail(error)
    click.echo(f"Installed: {manager.file}")
    left_out = sorted(name for name, source in resolved.sources.items() if source == "environment")
    if left_out:
        names = ", ".join(f"CC_{name.upper()}" for name in left_out)
        notes.append(f"Of this terminal alone, so write them into the configuration file: {names}.")
    for note in [*notes, "See it: command-center service status"]:
        click.echo(note)


@service.command()
@config_flag
def uninstall(config_file: Path | None) -> None:
    """Stop the service and take it away. What it has stored stays."""
    manager = manager_of(resolve(config_file, {}).settings.data_dir, SERVER)
    is_there = manager.file.exists()
    try:
        manager.uninstall()
    except (ServiceFailed, OSError) as error:
        _fail(error)
    click.echo(f"Removed: {manager.file}" if is_there else "There was none.")


@service.command()
@config_flag
def status(config_file: Path | None) -> None:
    """Show how the service is, as the machine's manager tells it."""
    manager = manager_of(resolve(config_file, {}).settings.data_dir, SERVER)
    if not manager.file.exists():
        _fail("It is not installed: command-center service install")
    _become(manager.status())


service.add_command(logs)


def _become(command: Sequence[str]) -> NoReturn:
    """Have a program of the system show it, and end as that ends."""
    program = which(command[0])
    if program is None:
        _fail(f"There is no {command[0]} here.")
    sys.exit(subprocess.call([program, *command[1:]]))  # noqa: S603 - a program of the system


def _fail(reason: object) -> NoReturn:
    click.echo(f"command-center: {reason}", err=True)
    sys.exit(FAILED)
