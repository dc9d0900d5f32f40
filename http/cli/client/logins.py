"""Servers that somebody has signed in to, each in a file of a folder that only its owner opens.

Each server has a file of its own, so that two logins at once lose neither. Its name is a hash of
the address, which any file system takes, and the address stands in it. With the extra `keyring`
the file says no more than that the system's keyring has what signs in, where there is one.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import click

from command_center_client.address import address_of

A = TypeVar("A")

FOLDER: Final = "logins"
LAST: Final = "last"
TRIAL: Final = "trial"

SERVICE: Final = "command-center"
"""The name under which the system's keyring has what signs in."""


AGAIN: Final = "sign in again with `command-center login`."
"""The advice where a keyring does not help."""


class Login(NamedTuple):
    """A token, or the cookie that a pairing code was worth: by it a server knows a person."""

    token: str | None
    cookie: str | None


class Logins:
    """The servers, by their addresses, and the one that was signed in to last.

    Raises:
        click.UsageError: a file is damaged, or cannot be read or written.
        ValueError: what is asked for is no address, or has a password in it.
    """

    def __init__(self) -> None:
        self._folder = configuration_folder() / FOLDER

    @property
    def last(self) -> str | None:
        """Return the server that commands ask, unless another is named."""
        return self._read(LAST, _text)

    def of(self, url: str) -> Login | None:
        """Return how to sign in to a server, if that is kept."""
        url = address_of(url)

        def known(kept: Any) -> Login:
            told = _told_of(kept, url)
            return _login(_of_keyring(url) if told is None else told)

        return self._read(_name_of(url), known)

    def keep(self, url: str, login: Login) -> str:
        """Keep it, for its owner alone, and return where. Commands ask that server from now on."""
        url = address_of(url)
        is_in_keyring = _to_keyring(url, login)
        told = {"keyring": True} if is_in_keyring else login._asdict()
        file = self._write(_name_of(url), {"url": url, **told})
        self._write(LAST, url)
        return "the system's keyring" if is_in_keyring else str(file)

    def forget(self, url: str) -> bool:
        """Forget a server; return False if it was not known.

        Raises:
            click.UsageError: the keyring that has what signs in does not open, and nothing is
                forgotten.
        """
        url = address_of(url)
        was_last = self.last == url
        if self._read(_name_of(url), lambda kept: _told_of(kept, url) is None):
            _from_keyring(url)
        try:
            (self._folder / _name_of(url)).unlink()
        except FileNotFoundError:
            return False
        if was_last:
            (self._folder / LAST).unlink(missing_ok=True)
        return True

    def prepare(self) -> None:
        """Make sure that a login can be kept."""
        self._write(TRIAL, None).unlink(missing_ok=True)

    def _read(self, name: str, known: Callable[[Any], A]) -> A | None:
        path = self._folder / name
        try:
            return known(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise click.UsageError(
                f"{path} cannot be read: {error!r}. Delete it, and sign in again."
            ) from error

    def _write(self, name: str, told: object) -> Path:
        import tempfile  # noqa: PLC0415 - only who signs in asks for it

        path = self._folder / name
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)  # also one that was there
            opened, new = tempfile.mkstemp(dir=self._folder)  # its owner's
            try:
                with os.fdopen(opened, "w", encoding="utf-8") as file:
                    json.dump(told, file)
                Path(new).replace(path)
            except OSError:
                Path(new).unlink(missing_ok=True)
                raise
        except OSError as error:
            why = error.strerror or error
            raise click.UsageError(
                f"{path} cannot be written: {why}. Make its folder yours."
            ) from error
        return path


def _to_keyring(url: str, login: Login) -> bool:
    """Keep it in the system's keyring; return False if there is none."""
    try:
        import keyring  # noqa: PLC0415 - an extra, which takes a while to load
        from keyring.errors import KeyringError  # noqa: PLC0415 - the same
    except ModuleNotFoundError:
        return False
    told = json.dumps(login._asdict())
    try:
        keyring.set_password(SERVICE, url, told)
        return keyring.get_password(SERVICE, url) == told
    except KeyringError:
        return False


def _of_keyring(url: str) -> Any:
    """Return what the keyring has.

    Raises:
        click.UsageError: it is not there, or the keyring does not open.
        ValueError: it is damaged.
    """
    with _opened_keyring(url) as keyring:
        told = keyring.get_password(SERVICE, url)
    if told is None:
        raise click.UsageError(f"The system's keyring has the login of {url} no more: {AGAIN}")
    return json.loads(told)


def _from_keyring(url: str) -> None:
    """Remove it from the keyring, if it is there.

    Raises:
        click.UsageError: the keyring does not open.
    """
    with _opened_keyring(url) as keyring:
        from keyring.errors import PasswordDeleteError  # noqa: PLC0415 - it is loaded here

        with suppress(PasswordDeleteError):
            keyring.delete_password(SERVICE, url)


@contextmanager
def _opened_keyring(url: str) -> Iterator[Any]:
    """Lend the keyring in which the login of a server is kept.

    Raises:
        click.UsageError: it does not open, for example since it is locked.
    """
    try:
        import keyring  # noqa: PLC0415 - only who has kept it there
        from keyring.errors import KeyringError, NoKeyringError  # noqa: PLC0415 - the same
    except ModuleNotFoundError as missing:
        raise click.UsageError(
            f"The login of {url} is in the system's keyring, for which the extra `keyring` is not "
            f"installed any more. Install it, or {AGAIN}"
        ) from missing
    try:
        yield keyring
    except NoKeyringError as error:  # as over ssh, where no desktop runs
        raise click.UsageError(
            f"The login of {url} is in the system's keyring, and none is reached from here: {AGAIN}"
        ) from error
    except KeyringError as error:
        why = str(error).partition("\n")[0].rstrip(".! ") or type(error).__name__
        raise click.UsageError(
            f"The login of {url} is in the system's keyring, which does not open: {why}. "
            f"Unlock it, or {AGAIN}"
        ) from error


def _name_of(url: str) -> str:
    return f"{sha256(url.encode()).hexdigest()}.json"


def _told_of(kept: Any, url: str) -> Any:
    """Return what a file says besides the server's address, or None if the keyring has it."""
    told = dict(kept)
    if told.pop("url", None) != url:
        raise TypeError("It is another server's.")
    return None if told == {"keyring": True} else told


def _text(kept: Any) -> str:
    if not isinstance(kept, str):
        raise TypeError("It is no text.")
    return kept


def _login(kept: Any) -> Login:
    login = Login(**kept)
    texts = [_text(text) for text in login if text is not None]
    if not all(text.isascii() and text.isprintable() for text in texts):
        raise TypeError("It has what signs nobody in.")
    return login


def configuration_folder() -> Path:
    """Return the folder of the user's configuration, as platformdirs finds it."""
    if sys.platform == "linux" and not os.environ.get("XDG_CONFIG_HOME"):
        return Path.home() / ".config" / "command-center"  # known without loading anything
    import platformdirs  # noqa: PLC0415 - see above

    return platformdirs.user_config_path("command-center", appauthor=False)
