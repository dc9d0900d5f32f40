"""`hosts`: the machines that repositories lie on; add one, drain it, remove it."""

from __future__ import annotations

from typing import Any

import click

from command_center.http.cli.client.console import console
from command_center.http.cli.client.known import ids
from command_center.http.cli.client.lists import as_listing, show_items
from command_center.http.cli.client.nouns import NOUNS
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import echo, json_of, line_of
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import CallRefused

NAME = "command-center"
NO_LIMIT = "none"
HOST = click.argument("host", shell_complete=ids("hosts"))
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(invoke_without_command=True)
@click.pass_context
def hosts(context: click.Context) -> None:
    """List the machines that repositories lie on; add, drain, resume, change or remove one."""
    if context.invoked_subcommand is None:
        context.invoke(list_)


@hosts.command("list")
@as_listing
@asks_server
def list_(center: CommandCenter, **form: Any) -> None:
    """List the machines, by name."""
    kind = NOUNS["hosts"]
    show_items(center.every(calls.list_hosts()), kind.fields, ids=kind.identity, **form)


@hosts.command()
@click.argument("host")
@click.argument("address")
@click.option("--host-key", metavar="SHA256:...", help="The fingerprint of the machine's key.")
@AS_JSON
@asks_server
def add(
    center: CommandCenter, *, host: str, address: str, host_key: str | None, as_json: bool
) -> None:
    """Have the machine at ADDRESS as HOST, over ssh.

    ADDRESS is a name of your ssh configuration, user@host, or user@host:port. Where ssh does not
    know the machine yet, you are asked for its key, unless --host-key names it.
    """
    wanted: dict[str, Any] = {"name": host, "kind": "ssh", "address": address, "requestedBy": NAME}
    if host_key is not None:
        wanted["hostKey"] = host_key
    try:
        added = center.send(calls.add_host(**wanted))
    except CallRefused as error:
        key, person = error.facts.get("hostKey"), console()
        if key is None or host_key is not None or person is None:
            raise
        person.say(f"Nobody has accepted the key of {line_of(address)} yet. Its fingerprint is")
        person.say(f"  {line_of(key)}", "bold")
        person.say("Compare it with what this prints on that machine:")
        person.say("  ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub")
        if not person.agrees("Is it the same?"):
            raise click.UsageError("Nothing was sent to that machine.") from None
        added = center.send(calls.add_host(**{**wanted, "hostKey": key}))
    _say(added, as_json=as_json, text=f"{host} is a host now.")


@hosts.command()
@HOST
@AS_JSON
@asks_server
def drain(center: CommandCenter, *, host: str, as_json: bool) -> None:
    """Begin no more runs on HOST; those that work there go on to their end."""
    shown = center.send(calls.drain_host(host, requestedBy=NAME))
    left = f"{shown['active']} still at work, {shown['queued']} waiting"
    _say(shown, as_json=as_json, text=f"{host} begins no more runs: {left}.")


@hosts.command()
@HOST
@AS_JSON
@asks_server
def resume(center: CommandCenter, *, host: str, as_json: bool) -> None:
    """Begin runs again on HOST."""
    shown = center.send(calls.resume_host(host, requestedBy=NAME))
    _say(shown, as_json=as_json, text=f"{host} begins runs again.")


@hosts.command()
@HOST
@AS_JSON
@asks_server
def retry(center: CommandCenter, *, host: str, as_json: bool) -> None:
    """Reach for HOST at once, which is away or refused."""
    shown = center.send(calls.retry_host(host, requestedBy=NAME))
    _say(shown, as_json=as_json, text=f"{host} is tried now. `command-center hosts` shows it.")


@hosts.command("set")
@HOST
@click.option("--label", "labels", multiple=True, help="A label, instead of all that it has.")
@click.option("--no-labels", is_flag=True, help="Take all labels away.")
@click.option(
    "--max-sessions", metavar="N", help="Sessions that may work there at once; none for no limit."
)
@AS_JSON
@asks_server
def set_(
    center: CommandCenter,
    *,
    host: str,
    labels: tuple[str, ...],
    no_labels: bool,
    max_sessions: str | None,
    as_json: bool,
) -> None:
    """Change the labels of HOST, or how many sessions may work there."""
    if labels and no_labels:
        raise click.UsageError("--no-labels takes all labels away. Leave out --label.")
    changes: dict[str, Any] = {}
    if labels or no_labels:
        changes["labels"] = [*labels]
    if max_sessions is not None:
        if not (max_sessions == NO_LIMIT or max_sessions.isdecimal()):
            raise click.UsageError(f"--max-sessions is a number or {NO_LIMIT}.")
        changes["maxSessions"] = None if max_sessions == NO_LIMIT else int(max_sessions)
    if not changes:
        raise click.UsageError("Say what changes: --label, --no-labels or --max-sessions.")
    shown = center.send(calls.patch_host(host, **changes, requestedBy=NAME))
    limit = "no limit" if shown["maxSessions"] is None else shown["maxSessions"]
    words = ", ".join(map(line_of, shown["labels"])) or "none"
    _say(shown, as_json=as_json, text=f"{host}: labels {words}; sessions at once {limit}.")


@hosts.command()
@HOST
@AS_JSON
@asks_server
def remove(center: CommandCenter, *, host: str, as_json: bool) -> None:
    """Have HOST no longer; what lies on it stays there."""
    shown = center.send(calls.remove_host(host, requestedBy=NAME))
    _say(shown, as_json=as_json, text=f"{host} is removed. What lies on it stays there.")


def _say(shown: Any, *, as_json: bool, text: str) -> None:
    echo(json_of(shown) if as_json else line_of(text))
