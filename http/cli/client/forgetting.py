"""`forget`: takes a repository out of a server, with its history where that is wanted."""

from __future__ import annotations

from typing import Final

import click

from command_center.http.cli.client.console import console
from command_center.http.cli.client.known import names
from command_center.http.cli.client.repositories import registered_id
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import cleaned, echo
from command_center_client import calls
from command_center_client.connection import CommandCenter

NAME: Final = "command-center"


@click.command()
@click.argument("repository", metavar="REPO", shell_complete=names("repos"))
@click.option("--history", is_flag=True, help="Remove the events that tell of it, too.")
@click.option("--yes", is_flag=True, help="Do it without a question.")
@asks_server
def forget(center: CommandCenter, *, repository: str, history: bool, yes: bool) -> None:
    """Forget REPO, with its tasks and sessions; the folder on the disk stays."""
    found = center.send(calls.get_repository(registered_id(center, repository) or 0))
    named = f"{cleaned(found['name'])} ({cleaned(found['localPath'])})"
    if not yes:
        much = "its tasks, sessions and history" if history else "its tasks and sessions"
        person = console()
        if person is None:
            raise click.UsageError(f"{named} would be forgotten. Run it again with --yes.")
        if not person.agrees(f"Forget {named} with {much}?"):
            raise click.UsageError("Nothing was done.")
    gone = center.send(calls.delete_repository(found["id"], history=history, requestedBy=NAME))
    echo(
        f"{named} is forgotten, with {gone['tasks']} task(s) and {gone['sessions']} session(s)."
        + (" Its events are being removed." if history else "")
    )
