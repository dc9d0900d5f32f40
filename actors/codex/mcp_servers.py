"""The MCP servers of Codex's user, and those among them that lead to Command Center itself.

Its own tools may have any name in Codex's configuration. So they are known by the program that is
started, `command-center mcp`, or by the address that is asked, `/mcp` of this very server.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import attrs

from command_center.actors.contracts.repositories import OWN_MCP_SERVER

_PATH: Final = "/mcp"
_PROGRAM: Final = re.compile(r"(?:.*[/\\])?command-center(?:\.exe)?|command_center\.http")
_LOOPBACK: Final = re.compile(r"localhost|::1|127\.[\d.]+")
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
    ours = [at for at, part in enumerate(parts) if _PROGRAM.fullmatch(part)]
    return bool(ours) and "mcp" in parts[ours[0] + 1 :]


def _asks_us(url: str, urls: Iterable[str]) -> bool:
    try:
        asked = urlsplit(url)
        place = _place_of(asked)
        return asked.path.rstrip("/") == _PATH and place in {_place_of(urlsplit(u)) for u in urls}
    except ValueError:  # its port is none, and nobody is asked there
        return False


def _place_of(url: SplitResult) -> tuple[str, int | None]:
    """Return the name and the port; the machine itself has one name."""
    name = (url.hostname or "").rstrip(".")
    port = url.port or _PORTS.get(url.scheme)
    return ("localhost" if _LOOPBACK.fullmatch(name) else name, port)
