"""`command-center pair`: an address, a QR code and a code that let one device in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import click

from command_center.http.config.urls import is_loopback_url
from command_center_client import calls
from command_center_client.connection import CommandCenter

if TYPE_CHECKING:
    from command_center_client.shapes import NewPairing

QUIET = 2
"""Light modules around a QR code."""


def pair(
    center: CommandCenter, *, name: str | None, scopes: Sequence[str], days: int | None
) -> str:
    """Ask a running server for a code; return what to show."""
    wanted: NewPairing = {"requestedBy": "command-center pair"}
    if name is not None:
        wanted["name"] = name
    if scopes:
        wanted["scopes"] = cast("Any", [*scopes])
    if days is not None:
        wanted["expiresAt"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    offer = center.send(calls.offer_pairing(**wanted))
    places = offer["places"]
    lines = []
    others = [place for place in places if not is_loopback_url(place["url"])]
    if others:
        lines += [*drawn(others[0]["qr"]), ""]
    lines += ["Open one of these on the device, within five minutes. It works once."]
    lines += [f"  {place['url']}" for place in places]
    lines += ["", f"Or open the page there, and type the code: {offer['code']}"]
    if not others:
        lines += ["", "This server listens on this machine alone. For a phone, set CC_API_TOKEN"]
        lines += ["and CC_HOST=0.0.0.0, or list the name of your tunnel in CC_ALLOWED_HOSTS."]
    return "\n".join(lines)


def drawn(rows: Sequence[str]) -> list[str]:
    """Return a QR code in half blocks, two rows a line, light on a terminal's dark ground."""
    width = len(rows[0]) + 2 * QUIET
    quiet = ["0" * width] * QUIET
    framed = [*quiet, *(f"{'0' * QUIET}{row}{'0' * QUIET}" for row in rows), *quiet]
    if len(framed) % 2:
        framed.append("0" * width)
    pairs = zip(framed[::2], framed[1::2], strict=True)
    return [
        "".join(_BLOCKS[above + below] for above, below in zip(*pair, strict=True))
        for pair in pairs
    ]


_BLOCKS = {"00": "█", "01": "▀", "10": "▄", "11": " "}


def show(text: str) -> None:
    """Print it; a terminal that cannot show blocks gets the rest."""
    try:
        click.echo(text)
    except UnicodeEncodeError:
        click.echo("\n".join(line for line in text.splitlines() if line.isascii()))
