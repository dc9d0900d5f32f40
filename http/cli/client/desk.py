"""`tui`: the command, which loads what it shows with only if it is asked for."""

from __future__ import annotations

import os
import select
import sys
from threading import Thread
from typing import Final

import click

from command_center.http.cli.client.server import asks_server
from command_center_client import calls
from command_center_client.connection import CommandCenter

HUNG_UP: Final = 129
"""The exit code as a shell gives it for an end by SIGHUP."""


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
    if os.environ.get("TERM") in {"dumb", "unknown"}:
        raise click.UsageError(
            "This terminal (TERM) can only print lines. `command-center ls approvals` does that."
        )
    center.send(calls.health())
    if sys.platform != "win32":  # there the end of a console ends what runs in it
        Thread(target=_end_with, args=(sys.stdin.fileno(),), daemon=True).start()
    desk = TerminalDesk(center)
    desk.run()
    if desk.failure is not None:
        raise desk.failure
    if desk.return_code:
        sys.exit(desk.return_code)


if sys.platform != "win32":

    def _end_with(terminal: int) -> None:
        """End the process when the terminal is gone, as its signal does where that arrives.

        Textual reads on at the end of its input, and waits for its output to be taken: nothing
        less ends it.
        """
        watched = select.poll()
        watched.register(terminal, select.POLLHUP)
        while not any(told & ~select.POLLIN for _, told in watched.poll()):
            pass  # what was typed is read elsewhere
        os._exit(HUNG_UP)
