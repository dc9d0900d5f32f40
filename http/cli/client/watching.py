"""`tail`: the log, or one session, as it was and as it goes on."""

from __future__ import annotations

import sys
from typing import Any

import click

from command_center.http.cli.client.known import ids
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import json_of, line_of
from command_center.http.cli.client.transcript import ENDINGS, event_lines, summary_of
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import ClientError, LogChanged
from command_center_client.place import LogPlace

INTERRUPTED = 130


@click.command()
@click.argument("session", type=int, required=False, shell_complete=ids("sessions"))
@click.option("--follow", "-f", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@click.option(
    "--lines", "-n", type=click.IntRange(0, 500), default=20, show_default=True, help="Events back."
)
@click.option("--type", "types", multiple=True, help="Only events of this type.")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON.")
@click.option("--verbose", "-v", is_flag=True, help="Show the output of commands, too.")
@asks_server
def tail(
    center: CommandCenter,
    *,
    session: int | None,
    follow: bool,
    lines: int,
    types: tuple[str, ...],
    as_json: bool,
    verbose: bool,
) -> None:
    """Show the last events, or the transcript of SESSION from its beginning."""
    wanted: dict[str, Any] = {"type": [*types]} if types else {}
    if session is not None:
        wanted["sessionId"] = session
        center.send(calls.get_session(session))  # one that is not there has no story, for ever

    def tell(event: Any) -> None:
        if as_json:
            click.echo(json_of(event, indent=None))
        elif session is None:
            click.echo(summary_of(event))
        else:
            for line in event_lines(event, verbose=verbose):
                click.echo(line)

    log_id = center.send(calls.health())["logId"]
    place = LogPlace(0, log_id)
    if session is None:
        newest = center.send(calls.list_events(newestFirst=True, limit=max(lines, 1), **wanted))
        past = newest["items"][:lines][::-1]
        whole = center.send(calls.list_events(newestFirst=True, limit=1))["items"]
        place.after = max((event["id"] for event in [*whole, *newest["items"]]), default=0)
        if newest["items"] and whole and newest["items"][0]["id"] < whole[0]["id"]:
            place.after = newest["items"][0]["id"]
    else:
        past = [*center.every(calls.list_session_events(session, limit=500, **wanted))]
        place.after = past[-1]["id"] if past else 0
    for event in past:
        tell(event)
    if follow and not (session is not None and _has_ended(center, session, place)):
        _go_on(center, place, wanted, tell)


def _has_ended(center: CommandCenter, session: int, place: LogPlace) -> bool:
    """Return True for a session that has ended, of which nothing more will be told."""
    return center.send(calls.get_session(session))["status"] in ENDINGS and place.after is not None


def _go_on(center: CommandCenter, place: LogPlace, wanted: dict[str, Any], tell: Any) -> None:
    is_lost = False

    def lost(problem: ClientError, _seconds: float) -> None:
        nonlocal is_lost
        if not is_lost:
            click.echo(f"{line_of(problem)} Trying again until it is back.", err=True)
        is_lost = True

    def back() -> None:
        nonlocal is_lost
        if is_lost:
            click.echo("The server is back.", err=True)
        is_lost = False

    try:
        while True:
            try:
                for event in center.events(place, on_open=back, on_loss=lost, **wanted):
                    tell(event)
                    sys.stdout.flush()
                    if "sessionId" in wanted and event["type"].partition(".")[2] in ENDINGS:
                        return
            except LogChanged as error:
                click.echo(line_of(error), err=True)
                place = LogPlace(error.last_id, error.log_id)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
