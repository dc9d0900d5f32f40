"""The server that a command asks, and the token by which it is let in.

The server is the one of `--server`, or CC_SERVER, or the last `command-center login`, or the one
of this machine as its settings say. What lets one in is the login of that server, or CC_TOKEN, or
the token of this machine's settings. That one is sent only once a Command Center has answered
without it, from a process that is no other user's (`listening`). Only the few settings that lead
there are read, for to read all of them takes longer than a whole command may.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from command_center.http.cli.client.listening import refuse_another
from command_center.http.cli.client.logins import Login, Logins, configuration_folder
from command_center.http.cli.client.terminal import complain, line_of
from command_center.http.config.urls import is_loopback_url, url_of
from command_center_client.address import address_of
from command_center_client.connection import ANSWER_SECONDS, CommandCenter
from command_center_client.errors import CallRefused, ClientError, NotCommandCenter

if TYPE_CHECKING:
    import socket
    import ssl
    from http.client import HTTPResponse

    from command_center_client.call import ApiCall

A = TypeVar("A")

SERVER: Final = "CC_SERVER"
TOKEN: Final = "CC_TOKEN"  # noqa: S105 - the name of a variable

STRANGE: Final = frozenset({400, 404, 405, 501})
"""Refusals that a server of another version gives, since it does not know what it is asked."""


def asks_server(command: Callable[..., A]) -> Callable[..., A]:
    """Give a command the option `--server`, and the server as its argument `center`."""

    def asking(*arguments: Any, server: str | None, config_file: Path | None, **options: Any) -> A:
        with opened(server, config_file=config_file) as center:
            if os.environ.get(TOKEN) and "Authorization" in center.headers:
                warn_of_plain(center.url)
            try:
                return command(center, *arguments, **options)
            except CallRefused as error:
                if error.status not in STRANGE:
                    raise
                raise _told_apart(center, error) from error
            except (LookupError, TypeError, AttributeError) as error:  # what came has another shape
                if center.is_known():
                    raise
                raise NotCommandCenter(center.url) from error

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


class OwnToken(Login):
    """The token of this machine's settings: nobody has signed in anywhere with it."""


class AskedServer(CommandCenter):
    """The server that a command asks: nothing is done there before it is known to be one."""

    _is_known = False
    _is_kept_back = False
    _data_dir: str | None = None

    def keep_back(self, data_dir: str | None) -> None:
        """Send no token before this is seen to be this machine's own server.

        Its process may be of the owner of the data folder, too.
        """
        self._is_kept_back, self._data_dir = True, data_dir
        self._on_connect = self._look_at

    def _look_at(self, sock: socket.socket) -> None:
        refuse_another(
            self.url, sock.getpeername()[:2], sock.getsockname()[:2], data_dir=self._data_dir
        )

    def refuse_another_listener(self) -> None:
        """Do nothing if a token may be sent there by other means.

        Raises:
            ListenedByAnother: another user's process listens there.
        """
        if self._is_kept_back:
            host = self._host.replace("localhost", "127.0.0.1")
            refuse_another(self.url, (host, self._port or 0), data_dir=self._data_dir)

    def _sent(self, call: ApiCall[Any]) -> tuple[Any, HTTPResponse]:
        if self._is_kept_back and not self._is_known:
            self._introduce()
        if call.method != "GET" and not self._is_known and not self.is_known():
            raise NotCommandCenter(self.url)
        return super()._sent(call)

    def _introduce(self) -> None:
        """Ask without the token whether this is a Command Center."""
        own, self._own = self._own, {"Accept": "application/json"}
        self._is_kept_back = False
        try:
            if not self.is_known():
                raise NotCommandCenter(self.url)
        finally:
            self._own, self._is_kept_back = own, True

    def is_known(self) -> bool:
        """Return True for a Command Center, which says so where everybody may ask."""
        from command_center_client import calls  # noqa: PLC0415 - most commands have it already

        told: object = self.send(calls.health())
        self._is_known = isinstance(told, dict) and {"version", "logId"} <= told.keys()
        return self._is_known


def opened(
    server: str | None,
    *,
    config_file: Path | None = None,
    seconds: float = ANSWER_SECONDS,
    is_signed_in: bool = True,
) -> AskedServer:
    """Return the server that is meant; nothing is sent yet.

    Without `is_signed_in` it gets no token, for somebody signs in to it.

    Raises:
        click.UsageError: that is no address, or a token is none.
    """
    logins = Logins()
    named = server or os.environ.get(SERVER)
    if named is None and config_file is None:
        named = logins.last
    settings = _settings(config_file)
    try:
        own = address_of(_address(settings))
        named = None if named is None else address_of(named)
        url = own if named is None or _usual(named) == _usual(own) else named
        login = None
        if is_signed_in:
            login = logins.of(url) or (None if named is None else logins.of(named))
            login = login or _given(url, server and named, settings if url == own else {})
        certificate = settings.get("tls_cert") if url == own else None
        center = AskedServer(
            url,
            token=None if login is None else login.token,
            cookie=None if login is None else login.cookie,
            context=None if certificate is None else _context(certificate),
            seconds=seconds,
        )
    except ValueError as error:
        raise click.UsageError(f"--server: {error}") from error
    if isinstance(login, OwnToken):
        center.keep_back(settings.get("data_dir"))
    return center


def _given(url: str, server: str | None, settings: Mapping[str, str]) -> Login | None:
    """Return the token of the environment, or of this machine's settings for its own server.

    CC_TOKEN is for the server of CC_SERVER, where that is named; no other one is sent it.
    """
    token, meant = os.environ.get(TOKEN), os.environ.get(SERVER)
    if token and (server is None or not meant or server == address_of(meant)):
        if not (token.isascii() and token.isprintable()):
            raise click.UsageError(f"{TOKEN} has characters that no token has. Copy it anew.")
        return Login(token, None)
    own = settings.get("api_token")
    return OwnToken(own, None) if own and is_loopback_url(url) else None


def warn_of_plain(url: str) -> None:
    """Say that everybody on the way can read what goes to a server elsewhere over plain http."""
    if url.startswith("http:") and not is_loopback_url(url):
        complain(
            f"command-center: {line_of(url)} is not encrypted: who is on the way can read what "
            "signs you in. Use https, or a network that encrypts."
        )


def _address(settings: Mapping[str, str]) -> str:
    port = settings.get("port", "8787")
    if not port.isdecimal():
        raise ValueError(f"CC_PORT must be a number, not {port!r}.")
    host = settings.get("host", "127.0.0.1")
    return url_of(host, int(port), is_encrypted="tls_cert" in settings)


def _usual(url: str) -> str:
    """Return the address as if the machine itself had one name."""
    return url.replace("://localhost", "://127.0.0.1", 1)


def _settings(config_file: Path | None) -> dict[str, str]:
    """Return the settings that lead to this machine's server, from the environment and the file."""
    found: dict[str, str] = {}
    usual = configuration_folder() / "config.toml"
    file = (config_file or Path(os.environ.get("CC_CONFIG") or usual)).expanduser()
    if config_file is not None and not file.is_file():
        raise click.UsageError(f"--config: there is no file {file}.")
    names = ("host", "port", "api_token", "tls_cert", "data_dir")
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


def _told_apart(center: AskedServer, error: CallRefused) -> ClientError:
    """Return the refusal, which says which side to update if their versions differ."""
    from importlib.metadata import version  # noqa: PLC0415 - only a refusal asks for it

    from command_center_client import calls  # noqa: PLC0415 - the same

    try:
        if not center.is_known():
            return NotCommandCenter(center.url)
        theirs = center.send(calls.health())["version"]
    except NotCommandCenter as other:
        return other
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
