"""`command-center top`: the running actor tree, live in a terminal.

It asks a server that runs, over its API, and so sees what an operator's script would see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from command_center.http.cli.client.terminal import json_of
from command_center_client import calls
from command_center_client.connection import CommandCenter

if TYPE_CHECKING:
    from command_center_client.shapes import ActorShown, Tree

WIDE: Final = 120
"""Columns from which a terminal has room for all; a narrower one is shown less of each actor."""

ORDERS: Final[Mapping[str, Callable[[ActorShown], Any]]] = {
    "path": lambda actor: actor["path"],
    "depth": lambda actor: (-actor["depth"], actor["path"]),
    "age": lambda actor: (-(actor["oldestAge"] or 0), actor["path"]),
    "restarts": lambda actor: (-actor["restarts"], actor["path"]),
}
"""Orders of the rows: the most first, but paths from A to Z."""

NUMBERS: Final[Mapping[str, Callable[[ActorShown], str]]] = {
    "Depth": lambda actor: str(actor["depth"]),
    "High": lambda actor: str(actor["highWater"]),
    "Oldest": lambda actor: _seconds(actor["oldestAge"]),
    "Handled": lambda actor: str(actor["handled"]),
    "Failed": lambda actor: str(actor["failed"]),
    "Restarts": lambda actor: str(actor["restarts"]),
}

NARROW: Final = ("Depth", "Handled", "Failed", "Restarts")
"""Numbers that a terminal of 80 columns has room for."""

COLOURS: Final = {
    "busy": "cyan",
    "suspended": "yellow",
    "backoff": "yellow",
    "quarantined": "bold red",
    "stopped": "dim",
}


def show(center: CommandCenter, *, sort: str, interval: float, once: bool, as_json: bool) -> None:
    """Show the tree until interrupted, or once, or as JSON."""
    tree = center.send(calls.get_tree())
    if as_json:
        click.echo(json_of({**tree, "actors": sorted(tree["actors"], key=ORDERS[sort])}))
        return
    console = Console()
    if once:
        console.print(table_of(tree, sort, console.width))
        return
    with Live(table_of(tree, sort, console.width), auto_refresh=False, screen=True) as live:
        while True:
            time.sleep(interval)
            tree = center.send(calls.get_tree())
            live.update(table_of(tree, sort, live.console.width), refresh=True)


def table_of(tree: Tree, sort: str, width: int) -> Table:
    """Return the tree as a table that fits so many columns of letters."""
    totals = tree["totals"]
    table = Table(
        title=(
            f"{len(tree['actors'])} actors, {totals['sent']} messages, "
            f"{tree['deadLetters']['total']} dead letters"
        ),
        box=None,
        pad_edge=False,
        header_style="bold",
    )
    table.add_column("Path", no_wrap=True, min_width=18)
    table.add_column("Status", no_wrap=True, min_width=len("Status"))
    names = [*NUMBERS] if width >= WIDE else NARROW
    for name in names:
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    table.add_column("In hand", no_wrap=True)
    if width >= WIDE:
        table.add_column("Last error", no_wrap=True)
    for actor in sorted(tree["actors"], key=ORDERS[sort]):
        error = Text(_printable(actor["lastError"] or ""), style="red")
        table.add_row(
            actor["path"],
            Text(actor["status"], style=COLOURS.get(actor["status"], "")),
            *(NUMBERS[name](actor) for name in names),
            _in_hand(actor),
            *([error] if width >= WIDE else []),
        )
    return table


def _printable(said: str) -> str:
    """Return an error's text in one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in said)


def _seconds(age: float | None) -> str:
    return "" if age is None else f"{age:.1f} s"


def _in_hand(actor: ActorShown) -> str:
    if actor["current"] is None:
        return ""
    return f"{actor['current']} {_seconds(actor['currentAge'])}".strip()
