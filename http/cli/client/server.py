"""The server that a command asks, and the token by which it is let in.

The server is the one of `--server`, or CC_SERVER, or the last `command-center login`, or the one
of this machine as its settings say. Only the few settings that lead there are read, for to read
all of them takes longer than a whole command may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from command_center.http.cli.client.logins import Login, Logins, configuration_folder
from command_center.http.config.urls import is_loopback_url, url_of
from command_center_client.connection import ANSWER_SECONDS, CommandCenter
from command_center_client.errors import CallRefused, ClientError, NotCommandCenter

if TYPE_CHECKING:
    import ssl

A = TypeVar("A")

SERVER: Final = "CC_SERVER"
TOKEN: Final = "CC_TOKEN"  # noqa: S105 - the name of a variable

STRANGE: Final = frozenset({400, 404, 405, 501})
"""Refusals that a server of another version gives, since it does not know what it is asked."""


def asks_server(command: Callable[..., A]) -> Callable[..., A]:
    """Give a command the option `--server`, and the server as its argument `center`."""

    def asking(*arguments: Any, server: str | None, config_file: Path | None, **options: Any) -> A:
        with opened(server, config_file=config_file) as center:
            try:
                return command(center, *arguments, **options)
            except CallRefused as error:
                if error.status not in STRANGE:
                    raise
                raise _told_apart(center, error) from error

    server = click.option(
        "--server",
        metavar="URL",
        help="The server; else CC_SERVER, the last login, this machine's.",
    )
    config = click.option(
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="TOML file with the settings of this machine's server, to ask that one.",
    )
    return server(config(update_wrapper(asking, command)))


def opened(
    server: str | None, *, config_file: Path | None = None, seconds: float = ANSWER_SECONDS
) -> CommandCenter:
    """Return the server that is meant; nothing is sent yet.

    Raises:
        click.UsageError: that is no address.
    """
    logins = Logins.read()
    named = server or os.environ.get(SERVER)
    token = os.environ.get(TOKEN) or None
    if named is None and config_file is None:
        named = logins.last
    try:
        if named is None:
            return _own(_settings(config_file), token, seconds)
        login = logins.of(named)
        if token is None and login is None and _is_same(named, own := _settings(config_file)):
            token = own.get("api_token")
        return CommandCenter(
            named,
            token=token or _token(login),
            cookie=None if login is None else login.cookie,
            seconds=seconds,
        )
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error


def _token(login: Login | None) -> str | None:
    return None if login is None else login.token


def _own(settings: Mapping[str, str], token: str | None, seconds: float) -> CommandCenter:
    certificate = settings.get("tls_cert")
    return CommandCenter(
        _address(settings),
        token=token or settings.get("api_token"),
        context=None if certificate is None else _context(certificate),
        seconds=seconds,
    )


def _address(settings: Mapping[str, str]) -> str:
    port = settings.get("port", "8787")
    if not port.isdecimal():
        raise ValueError(f"CC_PORT must be a number, not {port!r}.")
    host = settings.get("host", "127.0.0.1")
    return url_of(host, int(port), is_encrypted="tls_cert" in settings)


def _is_same(named: str, settings: Mapping[str, str]) -> bool:
    """Return True if it is the server of this machine's settings: only that one gets its token."""
    return named.rstrip("/") == _address(settings) and is_loopback_url(named)


def _settings(config_file: Path | None) -> dict[str, str]:
    """Return the settings that lead to this machine's server, from the environment and the file."""
    found: dict[str, str] = {}
    usual = configuration_folder() / "config.toml"
    file = (config_file or Path(os.environ.get("CC_CONFIG") or usual)).expanduser()
    names = ("host", "port", "api_token", "tls_cert")
    if file.is_file():
        import tomllib  # noqa: PLC0415 - most users have no such file

        try:
            told = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise click.UsageError(f"{file} cannot be read: {error}") from error
        found = {name: str(told[name]) for name in names if name in told}
    for name in names:
        value = os.environ.get(f"CC_{name.upper()}")
        if value:
            found[name] = value
    return found


def _context(certificate: str) -> ssl.SSLContext:
    """Trust the server's own certificate and no other, whatever names it is for."""
    import ssl  # noqa: PLC0415 - most servers on loopback have none

    try:
        context = ssl.create_default_context(cafile=certificate)
    except OSError as error:
        raise click.UsageError(f"CC_TLS_CERT {certificate} cannot be read: {error}.") from error
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _told_apart(center: CommandCenter, error: CallRefused) -> ClientError:
    """Return the refusal, which says which side to update if their versions differ."""
    from importlib.metadata import version  # noqa: PLC0415 - only a refusal asks for it

    from command_center_client import calls  # noqa: PLC0415 - the same

    try:
        theirs = center.send(calls.health())["version"]
    except (NotCommandCenter, KeyError):
        return NotCommandCenter(center.url)
    except ClientError:
        return error
    return CallRefused(
        error.status, f"{error}{_differing(theirs, version('command-center'))}", error.error
    )


def _differing(theirs: str, ours: str) -> str:
    """Return what to do about a server of another version; nothing if it is the same."""
    if theirs == ours:
        return ""
    is_older = _numbers(theirs) < _numbers(ours)
    side = "Update the server." if is_older else "Update this command."
    return f" The server is version {theirs}, and this command {ours}. {side}"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isdecimal()]
