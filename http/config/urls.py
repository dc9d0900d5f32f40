"""Addresses of a server, as the machine that it runs on reaches it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_OWN: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names, nothing is bound here


def is_any(host: str) -> bool:
    """Return True if a server that listens on this host listens on every address of the machine."""
    return host in _OWN


def own_address(host: str) -> str:
    """Return the address at which this machine reaches a server that listens there."""
    return _OWN.get(host, host)


def url_of(host: str, port: int, *, is_encrypted: bool = False) -> str:
    """Return a URL that reaches, from this machine, a server which listens there."""
    name = own_address(host)
    scheme = "https" if is_encrypted else "http"
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"


def is_loopback_url(url: str) -> bool:
    """Return True for a URL that leads to the machine itself, whichever that is."""
    name = (urlsplit(url).hostname or "").lower()
    return name in {"localhost", "::1"} or name.startswith("127.")
