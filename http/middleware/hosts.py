"""The hosts that this server is reached as, against DNS rebinding and other sites' pages.

A host is one of the loopback's, the address that is listened on, or one of CC_ALLOWED_HOSTS. What
is listed with a port is known with that port only. A server that listens on every address and wants
a token also knows the address in figures that its client is connected to, the machine's name, that
name under `.local`, and the machine in a Tailscale net. Nothing is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import TypeAlias

from command_center.http.config.addresses import is_name_in_tailnet, own_names
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


class WrongHost(Refused):
    """The request names a host that is not this server's.

    Attributes:
        page: the same as HTML, for who reads it in a browser.
    """

    def __init__(self, authority: str, here: Authority | None, configured: Sequence[str]) -> None:
        """Name the host, and the line to change."""
        super().__init__(
            421,
            f"This server does not answer as {authority[:100]!r}. "
            "Add the address that you typed to CC_ALLOWED_HOSTS.",
        )
        self.page = _page(here, configured)


def _page(here: Authority | None, configured: Sequence[str]) -> bytes:
    """Return a page that says which line to change; only a name that may be one stands in it."""
    name = "the address that you typed" if here is None else f"<b>{escape(here[0])}</b>"
    line = ",".join((*configured, "NAME" if here is None else here[0]))
    return f"""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Command Center: unknown name</title>
<h1>Command Center does not know this name</h1>
<p>You opened {name}. This server answers only to names that it knows, so that no other page can
reach it under a name of its own.</p>
<p>If the name is right, stop the server, set this where you start it, and start it again:</p>
<pre>CC_ALLOWED_HOSTS={escape(line)}</pre>
<p>In the configuration file the line is</p>
<pre>allowed_hosts = [{escape(", ".join(f'"{host}"' for host in line.split(",")))}]</pre>
<p>The greeting in the server's terminal lists the addresses that work now.</p>
</html>
""".encode()


class AllowedHosts:
    """The hosts that this server is reached as, and the pages that are its own."""

    def __init__(self, configured: Iterable[str], *, knows_itself: bool = False) -> None:
        """Know what is `configured`, and with `knows_itself` this machine by its own names, too."""
        self._configured = sorted(set(configured) - LOOPBACK)
        self._own = frozenset(own_names() if knows_itself else ())
        self._knows_itself = knows_itself
        self._hosts = {
            known
            for known in map(with_port, LOOPBACK.union(self._configured, self._own))
            if known is not None
        }

    def check(self, authority: str, local: str | None = None) -> Authority:
        """Return the host that a request names; raise WrongHost if it is not this server's.

        `local` is the address of this machine to which its client is connected.
        """
        here = with_port(authority)
        if here is None or not self._is_known(here, local):
            raise WrongHost(authority, here, self._configured)
        return here

    def _is_known(self, here: Authority, local: str | None) -> bool:
        name = here[0]
        if here in self._hosts or (name, None) in self._hosts:
            return True
        # An address in figures is no name that could be rebound: the client is connected to it.
        return self._knows_itself and (
            name.strip("[]") == local or is_name_in_tailnet(name, self._own)
        )

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
