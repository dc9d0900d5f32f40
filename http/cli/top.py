"""`command-center top`: the running actor tree, live in a terminal.

It asks a server that runs, over its API, and so sees what an operator's script would see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from command_center.http.cli.asking import ask, client_of
from command_center.http.config.settings import Settings

ORDERS: Final[Mapping[str, Callable[[dict[str, Any]], Any]]] = {
    "path": lambda actor: actor["path"],
    "depth": lambda actor: (-actor["depth"], actor["path"]),
    "age": lambda actor: (-(actor["oldestAge"] or 0), actor["path"]),
    "restarts": lambda actor: (-actor["restarts"], actor["path"]),
}
"""Orders of the rows: the most first, but paths from A to Z."""

COLOURS: Final = {
    "busy": "cyan",
    "suspended": "yellow",
    "backoff": "yellow",
    "quarantined": "bold red",
    "stopped": "dim",
}


def show(settings: Settings, url: str | None, *, sort: str, interval: float, once: bool) -> None:
    """Show the tree until interrupted, or once.

    Raises:
        NotAnswered: no server answers there, or it refuses.
    """
    with client_of(settings, url) as client:
        first = table_of(fetch(client), sort)
        if once:
            Console().print(first)
            return
        with Live(first, auto_refresh=False, screen=True) as live:
            while True:
                time.sleep(interval)
                live.update(table_of(fetch(client), sort), refresh=True)


def fetch(client: httpx.Client) -> dict[str, Any]:
    """Fetch the tree from the API."""
    return ask(client, "GET", "/api/runtime", holds="actors")


def table_of(tree: dict[str, Any], sort: str) -> Table:
    """Return the tree as a table."""
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
    for name in ("Depth", "High", "Oldest", "Handled", "Failed", "Restarts"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    table.add_column("In hand", no_wrap=True)
    table.add_column("Last error", no_wrap=True)
    for actor in sorted(tree["actors"], key=ORDERS[sort]):
        table.add_row(
            actor["path"],
            Text(actor["status"], style=COLOURS.get(actor["status"], "")),
            str(actor["depth"]),
            str(actor["highWater"]),
            _seconds(actor["oldestAge"]),
            str(actor["handled"]),
            str(actor["failed"]),
            str(actor["restarts"]),
            _in_hand(actor),
            Text(_printable(actor["lastError"] or ""), style="red"),
        )
    return table


def _printable(said: str) -> str:
    """Return an error's text in one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in said)


def _seconds(age: float | None) -> str:
    return "" if age is None else f"{age:.1f} s"


def _in_hand(actor: dict[str, Any]) -> str:
    if actor["current"] is None:
        return ""
    return f"{actor['current']} {_seconds(actor['currentAge'])}".strip()
