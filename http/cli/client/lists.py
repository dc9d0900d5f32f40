"""`ls`, `show` and `search`: what there is, as a table, as JSON, or as ids."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

import click

from command_center.http.cli.client.known import names, nouns_and_ids
from command_center.http.cli.client.nouns import HEADS, NOUNS, ONE
from command_center.http.cli.client.repositories import registered_id
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import (
    STATUSES,
    cleaned,
    complain,
    echo,
    json_of,
    line_of,
    moment_of,
    painted,
    said,
    table,
)
from command_center.http.cli.client.whole import whole
from command_center_client.call import ApiCall, at
from command_center_client.connection import CommandCenter

A = TypeVar("A")


USUAL: Final = 30


def as_listing(command: Callable[..., A]) -> Callable[..., A]:
    """Give a command `--json`, `--fields` and `--quiet`, as every listing has them."""
    for option in (
        click.option("--quiet", "-q", is_flag=True, help="Print the ids alone."),
        click.option("--fields", metavar="A,B", help="The fields to print, such as id,status."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("noun", type=click.Choice([*NOUNS]), default="sessions", metavar="[NOUN]")
@click.option(
    "--status", multiple=True, help="Only those with this status; more than once for any."
)
@click.option(
    "--repo",
    "repository",
    metavar="REPO",
    shell_complete=names("repos"),
    help="Only those of this repository, by its name or id.",
)
@click.option("--limit", "-n", type=click.IntRange(1), default=USUAL, show_default=True)
@as_listing
@asks_server
def ls(
    center: CommandCenter,
    *,
    noun: str,
    status: tuple[str, ...],
    repository: str | None,
    limit: int,
    **form: Any,
) -> None:
    """List sessions (unless another noun is given), the newest first."""
    kind = NOUNS[noun]
    query: dict[str, Any] = {"limit": min(limit, 500)}
    for name, value in (
        ("status", [*status]),
        ("repositoryId", registered_id(center, repository)),
    ):
        if value:
            if name not in kind.filters:
                raise click.UsageError(f"{noun} are not listed by {name}.")
            query[name] = value
    if noun == "sessions":
        query["diff"] = False
    call = ApiCall[Any]("GET", kind.path, query=query)
    show_items(islice(center.every(call), limit), kind.fields, ids=kind.identity, **form)


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="[NOUN] ID", shell_complete=nouns_and_ids)
@click.option("--fields", metavar="A,B", help="The fields to print, such as id,status.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@asks_server
def show(
    center: CommandCenter, *, what: tuple[str, ...], fields: str | None, as_json: bool
) -> None:
    """Show one session, or the task, approval, repo, automation, thread, host, device of an ID."""
    path = _path_of(what)
    record = whole(center, path, center.send(ApiCall[Any]("GET", path)))
    chosen = _chosen(fields, record)
    if as_json:
        echo(json_of(chosen))
        return
    width = max(map(len, chosen), default=0)
    for name, value in chosen.items():
        if value in (None, "", [], {}):
            continue
        text = cleaned(said(value))
        body = text if "\n" not in text else "\n  " + text.replace("\n", "\n  ")
        echo(f"{painted(line_of(name).ljust(width), 'bold')}  {body}")


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--repo",
    "repository",
    metavar="REPO",
    shell_complete=names("repos"),
    help="Only in this repository, by its name or id.",
)
@click.option("--limit", "-n", type=click.IntRange(1), default=USUAL, show_default=True)
@as_listing
@asks_server
def search(
    center: CommandCenter,
    *,
    words: tuple[str, ...],
    repository: str | None,
    limit: int,
    **form: Any,
) -> None:
    """Search prompts and transcripts for all of the WORDS."""
    identity = registered_id(center, repository)
    query = {"q": " ".join(words), "repositoryId": identity, "limit": min(limit, 500)}
    found = islice(center.every(ApiCall[Any]("GET", "/api/search", query=query)), limit)
    told = (
        {**item, "snippet": "".join(part["text"] for part in item["snippet"])} for item in found
    )
    show_items(told, ("sessionId", "kind", "at", "snippet"), ids="sessionId", **form)


def show_items(
    items: Iterable[Any],
    usual: tuple[str, ...],
    *,
    as_json: bool,
    fields: str | None,
    quiet: bool,
    ids: str = "id",
) -> None:
    """Print a listing in the form that is asked for."""
    if quiet:
        for item in items:
            echo(line_of(item[ids]))
    elif as_json:
        told = [item if fields is None else _chosen(fields, item) for item in items]
        echo(json_of(told))
    else:
        columns = usual if fields is None else tuple(_names(fields))
        shown = items if fields is None else [_chosen(fields, item) for item in items]
        rows = [[_cell(name, item.get(name)) for name in columns] for item in shown]
        heads = [HEADS.get(name, name.upper()) for name in columns]

        def paint(column: int, text: str) -> str | None:
            return STATUSES.get(text) if columns[column] == "status" else None

        for line in table(heads, rows, paint=paint):
            echo(line)
        if not rows and sys.stdout.isatty():
            complain("There are none.")


def _path_of(what: tuple[str, ...]) -> str:
    *noun, name = what
    kind = noun[0] if noun else "sessions"
    kind = ONE.get(kind, kind)
    if len(noun) > 1 or kind not in NOUNS:
        raise click.UsageError(
            f"{' '.join(what)} is nothing to show. Write a noun and an id, such as `task 3`; "
            f"the nouns are {', '.join(ONE)}."
        )
    one = NOUNS[kind].one
    if NOUNS[kind].has_numbers and not name.isdecimal():
        raise click.UsageError(f"{name!r} is no id of {kind}. `command-center ls {kind}` has them.")
    return at(one or "", name)


def _chosen(fields: str | None, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are asked for, all if none are; `a.b` is a field within one."""
    if fields is None:
        return dict(record)
    found = {}
    for name in _names(fields):
        value: Any = record
        for part in name.split("."):
            if not isinstance(value, Mapping) or part not in value:
                raise click.UsageError(
                    f"There is no field {name}. There are {', '.join(sorted(record))}."
                )
            value = value[part]
        found[name] = value
    return found


def _names(fields: str) -> Iterator[str]:
    return (name.strip() for name in fields.split(",") if name.strip())


def _cell(name: str, value: Any) -> str:
    text = said(value)
    return moment_of(text) if name == "at" or name.endswith("At") else text
