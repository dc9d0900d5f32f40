"""Commands for who runs the server, which ask it over its API: `top` and `pair`."""

from __future__ import annotations

import click

from command_center.http.cli.client.server import asks_server
from command_center_client.connection import CommandCenter

SCOPES = ("read", "work", "approve", "land", "operate", "admin")


@click.command()
@click.option(
    "--sort",
    type=click.Choice(["path", "depth", "age", "restarts"]),
    default="path",
    show_default=True,
    help="Column to sort the rows by.",
)
@click.option(
    "--interval",
    type=click.FloatRange(min=0.2),
    default=1.0,
    show_default=True,
    help="Seconds between two refreshes.",
)
@click.option("--once", is_flag=True, help="Print the tree once, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print it once, as JSON.")
@asks_server
def top(center: CommandCenter, *, sort: str, interval: float, once: bool, as_json: bool) -> None:
    """Show the actor tree of a running server, live."""
    from command_center.http.cli.top import show  # noqa: PLC0415 - `--help` needs no tables

    show(center, sort=sort, interval=interval, once=once, as_json=as_json)


@click.command()
@click.option("--name", metavar="NAME", help="The device's name; else what it calls itself.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="What it may do; may be given more than once. All but admin, unless given.",
)
@click.option(
    "--days", type=click.IntRange(1, 3650), help="Days until it is let in no more; else never."
)
@asks_server
def pair(
    center: CommandCenter, *, name: str | None, scopes: tuple[str, ...], days: int | None
) -> None:
    """Show an address and a QR code that sign one phone or browser in, once."""
    from command_center.http.cli import pair as pairing  # noqa: PLC0415 - the same

    pairing.show(pairing.pair(center, name=name, scopes=scopes, days=days))
