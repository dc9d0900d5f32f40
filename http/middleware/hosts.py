"""The hosts that this server is reached as, against DNS rebinding and other sites' pages.

A host is one of the loopback's, the address that is listened on, or one of CC_ALLOWED_HOSTS. What
is listed with a port is known with that port only. Nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from command_center.http.wire.problems import Refused

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::", "[::]", ""})  # noqa: S104 - names, nothing is bound here
DEFAULT_PORTS = {"http": 80, "https": 443}

Authority: TypeAlias = tuple[str, int | None]
"""A name in lower case, and its port if one was named."""

_AUTHORITY = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>[0-9]{0,5}))?")


def with_port(host: str) -> Authority | None:
    """Split `name[:port]` into a pair, the name in lower case; return None for anything else."""
    match = _AUTHORITY.fullmatch(host)
    if match is None:
        return None
    return match["name"].lower(), int(match["port"]) if match["port"] else None


def configured_hosts(listen_on: str, allowed_hosts: Iterable[str]) -> frozenset[str]:
    """Return the hosts, beside the loopback's, of a server that listens on this address."""
    hosts = {host.lower() for host in allowed_hosts}
    if listen_on not in ANY_ADDRESS:
        name = f"[{listen_on}]" if ":" in listen_on and listen_on[0] != "[" else listen_on
        hosts.add(name.lower())
    return frozenset(hosts)


class AllowedHosts:
    """The hosts that this server is reached as, and the pages that are its own."""

    def __init__(self, configured: Iterable[str]) -> None:
        self._hosts = {
            known for known in map(with_port, LOOPBACK.union(configured)) if known is not None
        }

    def check(self, authority: str) -> Authority:
        """Return the host that a request names; raise Refused (421) if it is not this server's."""
        here = with_port(authority)
        if here is None or (here not in self._hosts and (here[0], None) not in self._hosts):
            raise Refused(
                421,
                f"This server does not answer as {authority[:100]!r}. "
                "Add the address that you typed to CC_ALLOWED_HOSTS.",
            )
        return here

    def is_ours(self, origin: str, here: Authority) -> bool:
        """Return True if a page of that origin came from this server under a host of its own.

        Another port is another origin: whatever else runs there is not trusted. A proxy may stand
        before a configured name, so that one needs no equal Host; it counts on its scheme's own
        port, and on another one where that is configured with it.
        """
        scheme, _, authority = origin.partition("://")
        there = with_port(authority)
        if there is None or scheme not in DEFAULT_PORTS:
            return False
        port = there[1] or DEFAULT_PORTS[scheme]
        if (there[0], port) == (here[0], here[1] or DEFAULT_PORTS[scheme]):
            return True
        if there[0] in LOOPBACK:
            return False
        return there in self._hosts or (
            (there[0], None) in self._hosts and port == DEFAULT_PORTS[scheme]
        )
