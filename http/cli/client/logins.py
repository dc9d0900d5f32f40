"""Servers that somebody has signed in to, in a file that only its owner reads."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import click

FILE: Final = "logins.json"


class Login(NamedTuple):
    """A token, or the cookie that a pairing code was worth: by it a server knows a person."""

    token: str | None
    cookie: str | None


class Logins:
    """The servers, by their addresses, and the one that was signed in to last."""

    def __init__(self, path: Path, servers: dict[str, Any], last: str | None) -> None:
        self._path = path
        self._servers = servers
        self.last = last

    @classmethod
    def read(cls) -> Self:
        """Return those that are kept.

        Raises:
            click.UsageError: the file is damaged, or cannot be read.
        """
        path = configuration_folder() / FILE
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                path, {url: _read(kept) for url, kept in told["servers"].items()}, told["last"]
            )
        except FileNotFoundError:
            return cls(path, {}, None)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise click.UsageError(
                f"{path} cannot be read: {error!r}. Delete it, and sign in again."
            ) from error

    def of(self, url: str) -> Login | None:
        """Return how to sign in to a server, if that is kept."""
        kept = self._servers.get(url.rstrip("/"))
        return None if kept is None else Login(kept.get("token"), kept.get("cookie"))

    def keep(self, url: str, login: Login) -> Path:
        """Keep it, for its owner alone, and return where. Commands ask that server from now on."""
        self._servers[url.rstrip("/")] = login._asdict()
        self.last = url.rstrip("/")
        return self._write()

    def forget(self, url: str) -> bool:
        """Forget a server; return False if it was not known."""
        url = url.rstrip("/")
        if self._servers.pop(url, None) is None:
            return False
        if self.last == url:
            self.last = None
        self._write()
        return True

    def prepare(self) -> None:
        """Make sure that a login can be kept.

        Raises:
            click.UsageError: it cannot.
        """
        self._write()

    def _write(self) -> Path:
        import tempfile  # noqa: PLC0415 - only who signs in asks for it

        text = json.dumps({"servers": self._servers, "last": self.last}, indent=2)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            opened, new = tempfile.mkstemp(prefix=f"{FILE}.", dir=self._path.parent)  # its owner's
        except OSError as error:
            raise self._unkept(error) from error
        try:
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                file.write(text)
            Path(new).replace(self._path)
        except OSError as error:
            Path(new).unlink(missing_ok=True)
            raise self._unkept(error) from error
        return self._path

    def _unkept(self, error: OSError) -> click.UsageError:
        why = error.strerror or error
        return click.UsageError(f"{self._path} cannot be written: {why}. Make its folder yours.")


def _read(kept: Any) -> dict[str, str | None]:
    """Return a login as it is kept.

    Raises:
        TypeError: it is none.
    """
    login = Login(**kept)
    texts: list[Any] = [text for text in login if text is not None]
    if not all(isinstance(text, str) and text.isascii() and text.isprintable() for text in texts):
        raise TypeError("It has what signs nobody in.")
    return login._asdict()


def configuration_folder() -> Path:
    """Return the folder of the user's configuration, as platformdirs finds it."""
    if sys.platform == "linux" and not os.environ.get("XDG_CONFIG_HOME"):
        return Path.home() / ".config" / "command-center"  # known without loading anything
    import platformdirs  # noqa: PLC0415 - see above

    return platformdirs.user_config_path("command-center", appauthor=False)
