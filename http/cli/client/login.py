"""`login` and `logout`: how this machine's commands get into a server."""

from __future__ import annotations

import platform
import sys

import click

from command_center.http.cli.client.logins import Login, Logins
from command_center.http.cli.client.server import opened, warn_of_plain
from command_center.http.cli.client.terminal import echo, line_of
from command_center_client import calls
from command_center_client.connection import CommandCenter
from command_center_client.errors import NotCommandCenter


@click.command()
@click.argument("code", required=False)
@click.option("--server", metavar="URL", help="The server; else CC_SERVER, or this machine's.")
@click.option("--with-token", is_flag=True, help="Read a token from stdin instead of a code.")
@click.option("--name", help="What the server calls this device; else this machine's name.")
def login(*, code: str | None, server: str | None, with_token: bool, name: str | None) -> None:
    """Sign in with the CODE that `command-center pair` or the page shows.

    The server is then the one that commands ask, and what signs in is kept in the system's keyring,
    with the extra `keyring`, or else in a file of your own.
    """
    logins = Logins()
    logins.prepare()  # a code is good once: nothing may go wrong after it
    with opened(server, is_signed_in=False) as center:
        url = center.url
        warn_of_plain(url)
        if with_token:
            kept = Login(_token(sys.stdin.readline().strip()), None)
            if not center.is_known():
                raise NotCommandCenter(url)
            with CommandCenter(url, token=kept.token, context=center.context) as trying:
                who = trying.send(calls.get_current_device())
            known = who["device"]["name"] if who["device"] else "the server's own token"
        else:
            if code is None:
                code = click.prompt("The code that `command-center pair` shows")
            device, cookie = center.redeem(
                calls.redeem_code(code=code.strip(), name=name or platform.node() or "terminal")
            )
            kept, known = Login(None, cookie), device["name"]
    where = logins.keep(url, kept)
    echo(f"Signed in to {line_of(url)} as {line_of(known)}; kept in {line_of(where)}.")


def _token(read: str) -> str:
    if not (read and read.isascii() and read.isprintable()):
        raise click.UsageError("What came on stdin is no token. Copy it anew.")
    return read


@click.command()
@click.option("--server", metavar="URL", help="The server; else the last one.")
def logout(*, server: str | None) -> None:
    """Forget how to sign in to a server."""
    logins = Logins()
    url = server or logins.last
    try:
        was_known = url is not None and logins.forget(url)
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error
    if url is None or not was_known:
        raise click.UsageError("Nobody has signed in there.")
    echo(f"Signed out of {line_of(url)}. Revoke the device in the page, if it was lost.")
