"""`api`: any request to the server, for what has no command of its own."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import echo, json_of
from command_center_client.call import ApiCall
from command_center_client.connection import CommandCenter

_SAFE = "/?&=%:@!$'()*+,;~"
"""Letters that stay in a path as they are typed; all else is spelled as the wire has it."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@click.command()
@click.argument("method", type=click.Choice(METHODS, case_sensitive=False))
@click.argument("path")
@click.option(
    "--field",
    "-f",
    "fields",
    multiple=True,
    metavar="NAME=VALUE",
    help="A field of the body, or of the query of a GET or DELETE; JSON, or else a text.",
)
@click.option(
    "--input", "source", metavar="FILE", type=click.File("rb"), help="The body; - is stdin."
)
@asks_server
def api(
    center: CommandCenter, *, method: str, path: str, fields: tuple[str, ...], source: Any
) -> None:
    """Send a request to PATH, such as `api POST /api/tasks/1/run -f model=gpt-5`."""
    if not path.startswith("/"):
        raise click.UsageError(f"A path begins with a slash, such as /api/sessions, not {path!r}.")
    told = dict(_field(field) for field in fields)
    has_query = method.upper() in {"GET", "DELETE"}
    body: object = None
    if source is not None:
        if told and not has_query:
            raise click.UsageError("--input is the whole body, and -f a field of it. Give one.")
        body = _json_of(source.read())
    elif not has_query:
        body = told or None
    path = quote(path, safe=_SAFE)
    call = ApiCall[Any](method.upper(), path, query=told if has_query else None, body=body)
    answer = center.send(call)
    if answer is not None:
        echo(json_of(answer))


def _field(field: str) -> tuple[str, Any]:
    name, equals, value = field.partition("=")
    if not equals or not name:
        raise click.UsageError(f"-f takes NAME=VALUE, not {field!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _json_of(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise click.UsageError(f"--input is not JSON: {error}.") from error
