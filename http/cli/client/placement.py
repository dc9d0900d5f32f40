"""The options by which a run says on which host it is to work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from command_center.http.cli.client.known import ids

F = TypeVar("F", bound=Callable[..., Any])


def placement_options(command: F) -> F:
    """Give a command the options `--host`, `--label` and `--any-host`."""
    for option in (
        click.option("--any-host", is_flag=True, help="Work on the least busy host that has it."),
        click.option(
            "--label",
            "labels",
            multiple=True,
            metavar="LABEL",
            help="Work on the least busy host with this label; may be given more than once.",
        ),
        click.option(
            "--host",
            metavar="HOST",
            shell_complete=ids("hosts"),
            help="Work on this host; else where the repository lies.",
        ),
    ):
        command = option(command)
    return command


def placement_of(*, host: str | None, labels: tuple[str, ...], any_host: bool) -> Any:
    """Return the field of a run that says it; none where nothing is asked.

    Raises:
        click.UsageError: more than one of them is.
    """
    wishes: list[Any] = []
    if host is not None:
        wishes.append({"host": host})
    if labels:
        wishes.append({"labels": [*labels]})
    if any_host:
        wishes.append("any")
    if len(wishes) > 1:
        raise click.UsageError("Give one of --host, --label and --any-host.")
    return {"placement": wishes[0]} if wishes else {}
