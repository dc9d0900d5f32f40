"""The addresses that a message may go to: public ones, unless the settings allow others.

Who may name an address could have this server send requests to any machine that it reaches. A
literal address is refused when it is named. A name may lead elsewhere later (DNS rebinding): it is
resolved for each connection, and that goes to an address that was found to be public, with no
second look-up between (`posting`).
"""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final
from urllib.parse import urlsplit

import idna

LONGEST_NAME: Final = 253
"""Characters of a name (RFC 1035), without the dot at its end."""

_TEXT: Final = re.compile(r"[!-~]+")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


def problem_with(url: str, *, allows_private: bool) -> str | None:
    """Say why messages may not go to a URL; None where they may, as far as its text tells."""
    host = _host_of(url)
    if host is None:
        return "Expected a URL with a host, and without a user or a password."
    if not is_host(host):
        return f"No machine can be called {host[:100]}. Expected a URL with another host."
    if allows_private:
        return None
    if not url.lower().startswith("https://"):
        return "Expected a URL that begins with https://."
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost") or not _may_be_public(name):
        return "Expected a URL with a public address."
    return None


def _host_of(url: str) -> str | None:
    """Return the host of a URL of the web that names no user; None for anything else."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    is_of_the_web = parts.scheme in {"http", "https"} and _TEXT.fullmatch(url) is not None
    names_user = parts.username is not None or parts.password is not None
    return host if is_of_the_web and not names_user and host else None


def is_host(host: str) -> bool:
    """Return True for an address, and for a name that a resolver may be asked for."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return len(idna.encode(host, uts46=True).rstrip(b".")) <= LONGEST_NAME
        except UnicodeError:  # an empty label, one over 63, a character that no name has
            return False
    return True


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return True for an address that anybody can reach, also by what leads to it within IPv6."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast


def _may_be_public(name: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(name))
    except ValueError:
        # A resolver takes 127.1 and 0x7f000001 for addresses, too.
        last = name.rpartition(".")[2]
        return not (last.isdigit() or last.startswith("0x"))
