"""`tui`: the command, which loads what it shows with only if it is asked for."""

from __future__ import annotations

import sys

import click

from command_center.http.cli.client.server import asks_server
from command_center_client import calls
from command_center_client.connection import CommandCenter


@click.command()
@asks_server
def tui(center: CommandCenter) -> None:
    """Show what waits on you and what runs, and decide by key."""
    try:
        from command_center.http.cli.client.tui import TerminalDesk  # noqa: PLC0415 - an extra, and large
    except ModuleNotFoundError as missing:
        raise click.UsageError(
            "This needs the extra `tui`: uv tool install 'command-center[tui]'."
        ) from missing
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("This needs a terminal. `command-center ls approvals` needs none.")
    center.send(calls.health())
    TerminalDesk(center).run()
