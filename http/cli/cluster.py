"""`command-center cluster`: who leads the cluster of a server, and how its leader is changed."""

from __future__ import annotations

import json
from typing import Any

import click

from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import echo
from command_center_client.call import ApiCall
from command_center_client.connection import CommandCenter


@click.group()
def cluster() -> None:
    """Show the cluster of a server, or have another centre lead it."""


@cluster.command()
@click.option("--json", "as_json", is_flag=True, help="Print what the server says, as JSON.")
@asks_server
def status(center: CommandCenter, *, as_json: bool) -> None:
    """Show who leads, as the server that is asked knows it."""
    told: dict[str, Any] = center.send(ApiCall[Any]("GET", "/health"))
    if "role" not in told:
        raise click.ClickException("This server is in no cluster: CC_CLUSTER is not set.")
    if as_json:
        echo(json.dumps(told))
        return
    echo(f"Role:    {told['role']}")
    echo(f"Leader:  {told['leader'] or 'none is heard of'}")
    echo(f"Epoch:   {told['epoch']}")
    if "lag" in told:
        echo(f"Lag:     {told['lag']} messages")


@cluster.command("step-down")
@asks_server
def step_down(center: CommandCenter) -> None:
    """Have the leader lead no more, so that another centre goes on."""
    center.send(ApiCall[Any]("POST", "/api/cluster/step-down"))
    echo("It steps down. `command-center cluster status` says who leads in a moment.")
