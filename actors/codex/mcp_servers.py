"""The MCP servers of Codex's user, and those among them that lead to Command Center itself.

Its own tools may have any name in Codex's configuration. So they are known by the program that is
started, `command-center mcp`, or by the address that is asked, `/mcp` of this very server. This is
a guess: a script or a link may start the program, and an address may have another spelling. Words
that a foreign program is handed count as ours, since it may start them: what is off by mistake does
no harm.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import attrs

from command_center.actors.rules.own_mcp_server import OWN_MCP_SERVER

_PATH: Final = "/mcp"
_PROGRAM: Final = re.compile(
    r"""
    (?:.*[/\\])?command[-_]center(?:\.(?:exe|cmd|bat|ps1))?(?:[\[@=<>~!].*)?  # with its version
    |(?:-\w*m)?command_center\.http  # after `python -m`
    """,
    re.IGNORECASE | re.VERBOSE,
)
_PASSED_OVER: Final = re.compile(r"[-$`<>].*")
"""Words that may stand before a program's command: its options, and those of a shell."""

_LOOPBACK: Final = re.compile(r"localhost|127\.[\d.]+")
_PORTS: Final = {"http": 80, "https": 443}


@attrs.frozen
class ConfiguredServer:
    """A server as it is configured: by its address, or by the words that start a program."""

    name: str
    url: str | None = None
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any]) -> ConfiguredServer:
        """Read it, as it stands in `config.toml` or as `codex mcp list --json` tells of it."""
        url, args = settings.get("url"), settings.get("args")
        words = [settings.get("command"), *(args if isinstance(args, list) else ())]
        return cls(
            name,
            url if isinstance(url, str) else None,
            tuple(word for word in words if isinstance(word, str)),
        )

    def leads_to(self, urls: Iterable[str]) -> bool:
        """Tell whether it is Command Center, whose own addresses these are."""
        return (
            self.name == OWN_MCP_SERVER
            or _starts_us(self.words)
            or (self.url is not None and _asks_us(self.url, urls))
        )


def servers_in(layers: Sequence[Mapping[str, Any]]) -> list[ConfiguredServer]:
    """Return the servers that these layers set up together; the strongest of them comes first."""
    found: dict[str, dict[str, Any]] = {}
    for layer in reversed(layers):
        for name, settings in ((layer.get("config") or {}).get("mcp_servers") or {}).items():
            told = settings if isinstance(settings, Mapping) else {}
            found[name] = {**found.get(name, {}), **told}
    return [ConfiguredServer.of(name, settings) for name, settings in found.items()]


def switched_off(
    off: Collection[str], servers: Iterable[ConfiguredServer], urls: Collection[str]
) -> tuple[str, ...]:
    """Return the names of the servers that are off: Command Center's own name means each of its.

    Of names that no server has, Codex would refuse to hear.
    """
    is_own_off = OWN_MCP_SERVER in off
    return tuple(
        server.name
        for server in servers
        if server.name in off or (is_own_off and server.leads_to(urls))
    )


def _starts_us(words: Iterable[str]) -> bool:
    """Look for our program, and for its command `mcp` behind it; a word may be a shell's line."""
    parts = [part for word in words for part in re.split(r"[\s'\"]+", word)]
    return any(
        _PROGRAM.fullmatch(part) and _begins_with_mcp(parts[at + 1 :])
        for at, part in enumerate(parts)
    )


def _begins_with_mcp(parts: Iterable[str]) -> bool:
    """Tell whether `mcp` comes behind nothing but options, each with one value at most."""
    may_be_value = False
    for part in parts:
        if part == "mcp":
            return True
        is_option = part == "" or bool(_PASSED_OVER.fullmatch(part))
        if not is_option and not may_be_value:
            return False
        may_be_value = is_option
    return False


def _asks_us(url: str, urls: Iterable[str]) -> bool:
    try:
        asked = urlsplit(url)
        place = _place_of(asked)
        return asked.path.rstrip("/") == _PATH and place in {_place_of(urlsplit(u)) for u in urls}
    except ValueError:  # its port is none, and nobody is asked there
        return False


def _place_of(url: SplitResult) -> tuple[str, int | None]:
    """Return the name and the port; the machine itself has one name, and an address one form."""
    name = (url.hostname or "").rstrip(".")
    port = url.port or _PORTS.get(url.scheme)
    return ("localhost" if _LOOPBACK.fullmatch(name) else _plain(name), port)


def _plain(name: str) -> str:
    try:
        told = ipaddress.ip_address(name)
    except ValueError:
        return name
    address = getattr(told, "ipv4_mapped", None) or told
    return "localhost" if address.is_loopback or address.is_unspecified else str(address)
