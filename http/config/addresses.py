"""Addresses and names of this machine, by which others may open the page."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Sequence
from typing import Final

import attrs
import psutil

from command_center.http.config.urls import is_any, own_address

AUTHORITY: Final = "authority.pem"
"""The file of the data folder with the authority of `command-center certificate`."""

_INNER: Final = re.compile(r"docker|br-|veth|virbr|cni|flannel|cali")
"""Interfaces that lead to no other machine."""


@attrs.frozen
class Listening:
    """A server's address, as the settings have it and as it was bound.

    Attributes:
        host: that is listened on.
        port: that was bound.
        allowed_hosts: the further names, with or without a port.
        is_proxied: a proxy or a tunnel stands before those names, and speaks https.
        is_encrypted: the server itself does.
        tailnet: the name by which Tailscale leads here, with https.
    """

    host: str
    port: int
    allowed_hosts: Sequence[str] = ()
    is_proxied: bool = False
    is_encrypted: bool = False
    tailnet: str | None = None

    def urls(self) -> list[str]:
        """Return each address under which the page can be opened, the most useful to others first.

        What nothing is known of is left out: a name that only a tunnel knows has to be listed.
        """
        found = [] if self.tailnet is None else [f"https://{self.tailnet}"]
        for name in self.allowed_hosts:
            if self.is_proxied:
                found.append(f"https://{name}")
            else:
                found.append(self._scheme + (name if _has_port(name) else f"{name}:{self.port}"))
        names = [*self._addresses(), *own_names()[-1:]] if is_any(self.host) else [self.host]
        found += [self._url(name) for name in names if not _is_loopback(name)]
        if is_any(self.host) or _is_loopback(self.host):
            found.append(self.on_this_machine())
        return [*dict.fromkeys(found)]

    def on_this_machine(self) -> str:
        """Return the address for what runs beside the server."""
        return self._url(own_address(self.host))

    def _addresses(self) -> list[str]:
        """Return the machine's addresses of the one version of IP that is listened to."""
        return [one for one in own_addresses() if (":" in one) == (":" in self.host)]

    def _url(self, name: str) -> str:
        return f"{self._scheme}{f'[{name}]' if ':' in name else name}:{self.port}"

    @property
    def _scheme(self) -> str:
        return "https://" if self.is_encrypted else "http://"


def own_addresses() -> list[str]:
    """Return the addresses of this machine that others may reach, those of IPv4 first."""
    found = [
        address.address
        for interface, addresses in sorted(psutil.net_if_addrs().items())
        if not _INNER.match(interface)
        for address in addresses
        if address.family in {socket.AF_INET, socket.AF_INET6}
    ]
    return sorted(filter(_is_reachable, dict.fromkeys(found)), key=lambda address: ":" in address)


def own_names() -> list[str]:
    """Return the names of this machine in lower case; that of multicast DNS comes last."""
    name = socket.gethostname().lower().rstrip(".")
    if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", name) or name == "localhost":
        return []
    short = name.partition(".")[0]
    return [*dict.fromkeys((name, short, f"{short}.local"))]


def is_name_in_tailnet(name: str, own: Iterable[str]) -> bool:
    """Return True for a machine of this name in a Tailscale net, which leads to that machine."""
    host, _, net = name.partition(".")
    return host in own and re.fullmatch(r"[a-z0-9-]+\.ts\.net", net) is not None


def _is_reachable(address: str) -> bool:
    known = ipaddress.ip_address(address.partition("%")[0])
    return not (known.is_loopback or known.is_link_local)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _has_port(name: str) -> bool:
    return re.search(r":\d+$", name) is not None and not name.endswith("]")
