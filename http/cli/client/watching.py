"""`tail`: the log, or one session, as it was and as it goes on."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from command_center.http.cli.client.known import ids
from command_center.http.cli.client.outage import Outage
from command_center.http.cli.client.server import asks_server
from command_center.http.cli.client.terminal import complain, echo, json_of, line_of
from command_center.http.cli.client.transcript import ENDINGS, event_lines, summary_of
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import LogChanged
from command_center_client.place import LogPlace

INTERRUPTED: Final = 130
LAST: Final = frozenset({"session.blocked", *(f"session.{ending}" for ending in ENDINGS)})
"""Types of events after which a session may have ended."""


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
    goes_on = follow
    if session is not None:
        wanted["sessionId"] = session
        # One that is not there is refused; it would have no story, for ever.
        goes_on = follow and not _has_ended(center, session)

    def tell(event: Any) -> None:
        if as_json:
            echo(json_of(event, indent=None))
        elif session is None:
            if types or event["type"] != "session.output.delta":  # whose line tells nothing
                echo(summary_of(event))
        else:
            for line in event_lines(event, verbose=verbose):
                echo(line)

    past, place = _past(center, session, lines, wanted)
    for event in past:
        tell(event)
    if goes_on and session is not None and any(event["type"] in LAST for event in past):
        goes_on = not _has_ended(center, session)  # it ended just now, and its end was told
    if goes_on:
        _go_on(center, place, wanted, tell)


def _past(
    center: CommandCenter, session: int | None, lines: int, wanted: dict[str, Any]
) -> tuple[list[Any], LogPlace]:
    """Return the events to show at first, and the place after them."""
    place = LogPlace(0, center.send(calls.health())["logId"])
    if session is not None:
        past = [*center.every(calls.list_session_events(session, limit=500, **wanted))]
        place.after = past[-1]["id"] if past else 0
        return past, place
    newest = center.send(calls.list_events(newestFirst=True, limit=max(lines, 1), **wanted))
    whole = center.send(calls.list_events(newestFirst=True, limit=1))["items"]
    place.after = max((event["id"] for event in [*whole, *newest["items"]]), default=0)
    if newest["items"] and whole and newest["items"][0]["id"] < whole[0]["id"]:
        place.after = newest["items"][0]["id"]
    return newest["items"][:lines][::-1], place


def _has_ended(center: CommandCenter, session: int) -> bool:
    """Return True for a session that has ended, of which nothing more will be told."""
    now = center.send(calls.get_session(session))
    return now["status"] in ENDINGS or (now["status"] == "blocked" and bool(now["finishedAt"]))


def _go_on(center: CommandCenter, place: LogPlace, wanted: dict[str, Any], tell: Any) -> None:
    """Tell what comes, of a session until it has ended, also where its end is not asked for."""
    session, types = wanted.get("sessionId"), wanted.get("type")
    streamed = wanted
    if session is not None and types is not None:
        streamed = {**wanted, "type": [*{*types, *LAST}]}
    outage = Outage()
    try:
        while True:
            try:
                for event in center.events(
                    place, on_open=outage.end, on_loss=outage.begin, **streamed
                ):
                    if types is None or event["type"] in types:
                        tell(event)
                        sys.stdout.flush()
                    if (
                        session is not None
                        and event["type"] in LAST
                        and _has_ended(center, session)
                    ):
                        return
            except LogChanged as error:
                complain(line_of(error))
                place = LogPlace(error.last_id, error.log_id)
                if session is not None and _has_ended(center, session):
                    return
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
