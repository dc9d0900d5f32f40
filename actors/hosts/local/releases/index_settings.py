"""The package indexes that an installer is configured for, as its own settings name them.

uv asks one index after the other, and takes what the first has that knows the package. pip takes
the newest of all. Where nothing is set, each asks the one that it has by default.
Sources: "Package indexes" in uv's documentation, and pip's page on its configuration.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import attrs
import msgspec

from command_center.actors.hosts.local.releases.installation import Installation

DEFAULT: Final = "https://pypi.org/simple"
"""The index that pip and uv ask unless they are told of another."""

SECONDS: Final = 20.0

_NAMED: Final = re.compile(r"(?<=://)[^/\s]*@")
"""The name and the password in a URL, also of one that nobody can read."""


@attrs.frozen
class PackageIndexes:
    """Indexes in the order in which they are asked.

    Attributes:
        urls: of their roots, which may have a name and a password.
        are_equal: the newest of all counts; else the first that knows the package.
    """

    urls: tuple[str, ...]
    are_equal: bool


class _UvIndex(msgspec.Struct, frozen=True):
    url: str
    default: bool = False
    explicit: bool = False


class _UvSettings(msgspec.Struct, frozen=True, rename="kebab"):
    """`uv.toml`, as far as it names indexes."""

    no_index: bool = False
    index: tuple[_UvIndex, ...] = ()
    index_url: str | None = None
    extra_index_url: tuple[str, ...] = ()


@attrs.define
class _Told:
    """Collects settings, of which the first that names a default counts."""

    default: str | None = None
    further: list[str] = attrs.field(factory=list)
    is_off: bool = False

    def indexes(self, *, are_equal: bool) -> PackageIndexes:
        if self.is_off:
            return PackageIndexes((), are_equal)
        default = self.default or DEFAULT
        return PackageIndexes(tuple(dict.fromkeys([*self.further, default])), are_equal)


def without_secrets(text: str) -> str:
    """Return a text, to be shown, without the names and passwords of the URLs in it."""
    return _NAMED.sub("", text)


def indexes_of(
    installation: Installation, environ: Mapping[str, str] = os.environ
) -> PackageIndexes:
    """Return the indexes that the installer asks. To be called in a thread: pip may be asked."""
    told = _Told()
    _take_words(told, installation.options)
    if installation.is_uv:
        _take_uv_variables(told, environ)
        for file in _uv_files(environ):
            _take_uv_file(told, file)
        return told.indexes(are_equal=False)
    for name, value in _pip_settings(installation, environ):
        _take_pip_setting(told, name, value)
    return told.indexes(are_equal=True)


def _take_words(told: _Told, words: Sequence[str]) -> None:
    """Take what was typed to the installer."""
    split = [part for word in words for part in (word.split("=", 1) if word[:1] == "-" else [word])]
    for word, value in pairwise([*split, ""]):
        if word == "--no-index":
            told.is_off = True
        elif word in {"-i", "--index-url", "--default-index"}:
            told.default = told.default or value
        elif word in {"--extra-index-url", "--index"}:
            told.further.append(value)


def _take_uv_variables(told: _Told, environ: Mapping[str, str]) -> None:
    told.is_off = told.is_off or environ.get("UV_NO_INDEX", "").lower() in {"1", "true"}
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL"):
        told.default = told.default or _bare(environ.get(name, "")) or None
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        told.further += map(_bare, environ.get(name, "").split())


def _bare(named: str) -> str:
    """Return the URL of an index that may have a name before it."""
    name, is_named, url = named.partition("=")
    return url if is_named and "://" not in name else named


def _uv_files(environ: Mapping[str, str]) -> Iterator[Path]:
    if named := environ.get("UV_CONFIG_FILE"):
        yield Path(named)
        return
    if environ.get("UV_NO_CONFIG", "").lower() in {"1", "true"}:
        return
    if sys.platform == "win32":
        yield Path(environ.get("APPDATA", "")) / "uv" / "uv.toml"
        yield Path(environ.get("PROGRAMDATA", "")) / "uv" / "uv.toml"
    else:
        home = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "/")) / ".config"
        yield Path(home) / "uv" / "uv.toml"
        yield Path("/etc/uv/uv.toml")


def _take_uv_file(told: _Told, file: Path) -> None:
    try:
        settings = msgspec.toml.decode(file.read_bytes(), type=_UvSettings)
    except (OSError, ValueError, msgspec.MsgspecError):  # none, or one that uv complains of
        return
    told.is_off = told.is_off or settings.no_index
    for index in settings.index:
        if index.explicit:
            continue  # it is asked for packages alone that name it
        if index.default:
            told.default = told.default or index.url
        else:
            told.further.append(index.url)
    told.default = told.default or settings.index_url
    told.further += settings.extra_index_url


def _pip_settings(
    installation: Installation, environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield what `pip config list` tells: of variables and of all files, by pip's own rules."""
    program = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
    try:
        done = subprocess.run(  # noqa: S603 - the environment's own Python
            [installation.prefix / program, "-P", "-m", "pip", "config", "list"],
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            env={**environ},
            stdin=subprocess.DEVNULL,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    lines = [line.partition("=") for line in done.stdout.splitlines()]
    order = (":env:.", "install.", "global.")
    for begin in order:  # pip's own: variables count before files
        for name, _, value in lines:
            if name.startswith(begin):
                yield name.removeprefix(begin), _unquoted(value)


def _unquoted(value: str) -> str:
    try:
        return str(ast.literal_eval(value))
    except (SyntaxError, ValueError):
        return value


def _take_pip_setting(told: _Told, name: str, value: str) -> None:
    if name == "index-url":
        told.default = told.default or value
    elif name == "extra-index-url":
        told.further += value.split()
    elif name == "no-index":
        told.is_off = told.is_off or value.lower() in {"1", "true", "yes", "on"}
