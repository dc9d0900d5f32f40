"""Parsers of settings: one for each kind of value.

A value arrives as text (flag, environment) or as what TOML made of it (file). Every parser takes
both, takes its own result again unchanged, and raises `ValueError` with the rest of the sentence
that begins with the setting's name: "CC_PORT" + "must be a whole number from 0 to 65535".
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import attrs

from command_center.actors.rules.forge_links import KINDS
from command_center.actors.rules.keeping import parse_keeping, parse_size
from command_center.actors.rules.schedule import Cron, Times
from command_center.actors.rules.schedule import parse as parse_schedule
from command_center.actors.rules.schedule_errors import InvalidSchedule

T = TypeVar("T")

HIDDEN = "[hidden]"

_AUTHORITY = re.compile(r"(?:\[(?P<ipv6>.*:.*)\]|(?P<name>[^:]*))(?P<port>:[0-9]{1,5})?")
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")

_CONTACT = re.compile(r"mailto:[!-?A-~]+@[!-?A-~]+|https://[!-~]+")


@attrs.frozen(repr=False)
class Secret:
    """A text that shows itself only to `reveal`: not in `repr`, `str`, logs or tracebacks."""

    _text: str

    def reveal(self) -> str:
        """Return the secret itself, for the one place that sends or compares it."""
        return self._text

    def __repr__(self) -> str:
        return HIDDEN

    def __str__(self) -> str:
        return HIDDEN


def revealed(secret: Secret | None) -> str | None:
    """Return a secret that may not be set, for the one place that uses it."""
    return None if secret is None else secret.reveal()


@attrs.frozen
class Parser(Generic[T]):
    """Makes a setting's value of its text; `form` says in help what to give."""

    form: str
    parse: Callable[[object], T]

    def __call__(self, given: object) -> T:
        """Return the value, or raise ValueError saying what it must be."""
        return self.parse(given)


def optional(parser: Parser[T]) -> Parser[T | None]:
    """Allow that the setting is not set, by an empty text or none."""
    return Parser(
        parser.form, lambda given: None if given is None or given == "" else parser(given)
    )


def one_of(*choices: str) -> Parser[str]:
    """Parse one of a few words."""

    def parse(given: object) -> str:
        if isinstance(given, str) and given in choices:
            return given
        raise ValueError(f"must be one of {', '.join(choices)}")

    return Parser("|".join(choices), parse)


def whole_number(least: int, most: int) -> Parser[int]:
    """Parse a whole number between two bounds, both allowed."""

    def parse(given: object) -> int:
        number: int | None = None
        if isinstance(given, int) and not isinstance(given, bool):
            number = given
        elif isinstance(given, str) and re.fullmatch(r"\s*-?[0-9]{1,18}\s*", given):
            number = int(given)
        if number is None or not least <= number <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return number

    return Parser("NUMBER", parse)


def secret(pattern: str, form: str) -> Parser[Secret]:
    """Parse a text that matches a pattern, and hide it from then on."""

    def parse(given: object) -> Secret:
        if isinstance(given, Secret):
            return given
        if isinstance(given, str) and re.fullmatch(pattern, given):
            return Secret(given)
        raise ValueError(f"must be {form}")

    return Parser("SECRET", parse)


def _secrets(given: object) -> tuple[Secret, ...]:
    if isinstance(given, list | tuple) and all(isinstance(part, Secret) for part in given):
        return tuple(given)
    found = [text for part in _texts(given, " ") for text in part.split()]
    if all("://" in text for text in found):
        return tuple(map(Secret, found))
    raise ValueError("must be URLs with spaces between them")


def url(*schemes: str) -> Parser[str]:
    """Parse an absolute URL of one of the schemes, without a user name or password in it."""

    def parse(given: object) -> str:
        forms = " or ".join(f"{scheme}://" for scheme in schemes)
        if isinstance(given, str):
            parts = urlsplit(given)
            if parts.scheme in schemes and parts.hostname:
                if parts.username is not None or parts.password is not None:
                    raise ValueError("must not hold a user name or password")
                return given.rstrip("/")
        raise ValueError(f"must be a URL that begins with {forms}")

    return Parser("URL", parse)


def _urls(given: object) -> tuple[str, ...]:
    return tuple(url("https", "http")(part) for part in _texts(given, ","))


def _texts(given: object, separator: str) -> list[str]:
    """Return the parts of a list, given as one text with separators or as a list of texts."""
    if isinstance(given, str):
        return [part.strip() for part in given.split(separator) if part.strip()]
    if isinstance(given, Iterable):
        parts = list(given)
        if all(isinstance(part, str | Path) for part in parts):
            return [str(part) for part in parts]
    raise ValueError("must be a list")


def _host(given: object) -> str:
    if isinstance(given, str):
        try:
            return str(ipaddress.ip_address(given))
        except ValueError:
            if _HOST_NAME.fullmatch(given):
                return given.lower()
    raise ValueError("must be an IP address or a host name, without a port")


def _authority(given: str) -> str:
    """Parse a host as clients name it: IPv6 in brackets, and a port where it has one."""
    match = _AUTHORITY.fullmatch(given)
    try:
        host = _host(given if match is None else match["ipv6"] or match["name"])
    except ValueError:
        raise ValueError(
            "must be IP addresses or host names, each with a port or without"
        ) from None
    port = "" if match is None else match["port"] or ""
    return f"[{host}]{port}" if ":" in host else f"{host}{port}"


def _hosts(given: object) -> tuple[str, ...]:
    return tuple(_authority(part) for part in _texts(given, ","))


def _forges(given: object) -> tuple[str, ...]:
    found = []
    for part in _texts(given, ","):
        host, _, kind = (word.strip() for word in part.partition("="))
        if kind not in KINDS:
            raise ValueError(f"must be HOST=KIND with commas between; a KIND is {', '.join(KINDS)}")
        found.append(f"{_host(host)}={kind}")
    return tuple(found)


def _networks(given: object) -> tuple[str, ...]:
    try:
        return tuple(str(ipaddress.ip_network(part)) for part in _texts(given, ","))
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.0.0.0/8") from None


def _path(given: object) -> Path:
    if isinstance(given, str | Path) and str(given) and "\0" not in str(given):
        try:
            return Path(given).expanduser().absolute()
        except RuntimeError:  # `~somebody`, whom this machine does not know
            pass
    raise ValueError("must be a path")


def _paths(given: object) -> tuple[Path, ...]:
    return tuple(_path(part) for part in _texts(given, os.pathsep))


def _numbers(given: object) -> tuple[int, ...]:
    if isinstance(given, list | tuple) and all(type(part) is int for part in given):
        return tuple(given)
    try:
        return tuple(int(part) for part in _texts(given, ","))
    except ValueError:
        raise ValueError("must be whole numbers with commas between them") from None


def _command(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        return _split_command(given)
    words = tuple(_texts(given, ","))
    if not words:
        raise ValueError("must be a command")
    return words


def _split_command(text: str) -> tuple[str, ...]:
    """Split as the platform's shell would; a text that is the path of a file is one word."""
    if os.path.isfile(text):  # noqa: PTH113 - unlike a Path, it takes what is too long for a name
        return (text,)
    try:
        if sys.platform == "win32":
            words = [word.strip('"') for word in shlex.split(text, posix=False)]
        else:
            words = shlex.split(text)
    except ValueError:
        raise ValueError("must be a command with its quotes closed") from None
    if not words or not words[0]:
        raise ValueError("must be a command")
    return tuple(words)


def _time_zone(given: object) -> str:
    if isinstance(given, str):
        try:
            return ZoneInfo(given).key
        except (KeyError, ValueError, OSError):  # unknown, malformed, or a folder of zones
            pass
    raise ValueError("must be a time zone's name, such as Europe/Berlin")


def _schedule(given: object) -> str:
    try:
        if isinstance(given, str) and isinstance(parse_schedule(given), Times | Cron):
            return given
    except InvalidSchedule:
        pass
    raise ValueError("must be a schedule, such as daily@03:00, hourly:6 or weekly@sun@04:00")


def _keeping(given: object) -> str:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            parse_keeping(given)
            return given
    raise ValueError("must be an age such as 90d, a size such as 2GB, or both: 90d,2GB")


def _size(given: object) -> str:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            parse_size(given)
            return given
    raise ValueError("must be a size such as 10GB, or off")


def _nats(given: object) -> Secret:
    if isinstance(given, Secret):
        return given
    if isinstance(given, str):
        from command_center.actors.nats.addresses import parse_addresses  # noqa: PLC0415 - a server in no cluster starts without it

        with contextlib.suppress(ValueError):
            parse_addresses(given)
            return Secret(given)
    raise ValueError("must be nats://HOST:4222 or tls://HOST:4222, with commas between several")


def _cluster_name(given: object) -> str:
    if isinstance(given, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,32}", given):
        return given
    raise ValueError("must be 1 to 32 letters, digits, _ or -")


def _contact(given: object) -> str:
    if isinstance(given, str) and _CONTACT.fullmatch(given):
        return given
    raise ValueError("must be mailto: and an address, or an https:// URL")


HOST = Parser("ADDRESS", _host)
HOSTS = Parser("HOST,HOST", _hosts)
FORGES = Parser("HOST=KIND,HOST=KIND", _forges)
NETWORKS = Parser("ADDRESS,ADDRESS", _networks)
PATH = Parser("PATH", _path)
_HEADER = (
    r"[A-Za-z0-9_.-]+ *= *"
    r"(?:%[2-6][0-9A-Fa-f]|%7[0-9A-Ea-e]|%(?![0-9A-Fa-f]{2})|[\x20-\x24\x26-\x2b\x2d-\x7e])+"
)
OTLP_HEADERS = secret(
    f"{_HEADER}(, *{_HEADER})*",
    "NAME=VALUE, with commas between several; a value is ASCII, where %2C is a comma",
)
PATHS = Parser(f"PATH{os.pathsep}PATH", _paths)
NUMBERS = Parser("NUMBER,NUMBER", _numbers)
COMMAND = Parser("COMMAND", _command)
SCHEDULE = Parser("SCHEDULE", _schedule)
KEEPING = Parser("AGE,SIZE", _keeping)
SIZE = Parser("SIZE", _size)
TIME_ZONE = Parser("ZONE", _time_zone)
URLS = Parser("URL,URL", _urls)
NATS = Parser("SECRET", _nats)
CLUSTER_NAME = Parser("NAME", _cluster_name)
SECRET_URLS = Parser("SECRET", _secrets)
CONTACT = Parser("ADDRESS", _contact)


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach what listens on the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
