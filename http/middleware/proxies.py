"""Reverse proxies that are believed when they say for whom they speak.

A proxy of CC_TRUSTED_PROXIES tells of its client in `X-Forwarded-For`, `-Proto` and `-Host`. From
anybody else these headers say nothing: a client could write them itself. So guesses at the token
are counted by the client that really made them, and not by the proxy that all come through.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import attrs

from command_center.http.sockets.socket_owner import PEER
from command_center.http.wire.asgi import Scope
from command_center.http.wire.problems import Refused

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_SECURE: Final = {"http": "https", "ws": "wss"}


@attrs.frozen
class TrustedProxies:
    """The networks whose proxies are believed."""

    networks: frozenset[Network] = frozenset()

    @classmethod
    def of(cls, texts: Iterable[str]) -> TrustedProxies:
        """Return the proxies at these addresses, or in these networks, such as `10.0.0.0/8`."""
        return cls(frozenset(ipaddress.ip_network(text) for text in texts))

    def apply(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Put into the scope, and into Host, what a trusted proxy says of its client.

        Of several proxies in a row each appends its own client to `X-Forwarded-For`. The client is
        the last address in it that is no trusted proxy: whatever stands before that one, the
        client may have written itself.

        Raises:
            Refused: 400, a trusted proxy says what cannot be understood.
        """
        client = scope.get("client")
        if not self.networks or client is None or not self._trusts(client[0]):
            return
        scope[PEER] = None  # it speaks for its clients
        hops = _listed(headers, b"x-forwarded-for")
        for hop in reversed(hops):
            scope["client"] = (_address(hop), 0)
            if not self._trusts(scope["client"][0]):
                break
        protocols = _listed(headers, b"x-forwarded-proto")
        if protocols and protocols[-1].lower() in {"https", "wss"}:
            scope["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])
        hosts = _listed(headers, b"x-forwarded-host")
        if hosts:
            headers[b"host"] = hosts[-1].encode("latin-1")

    def _trusts(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address):
            address = address.ipv4_mapped or address
        return any(address in network for network in self.networks)


def _listed(headers: Mapping[bytes, bytes], name: bytes) -> list[str]:
    parts = headers.get(name, b"").decode("latin-1").split(",")
    return [part.strip() for part in parts if part.strip()]


def _address(hop: str) -> str:
    """Return the address of a hop, which may have a port; raise Refused for anything else."""
    for text in (hop, hop.strip("[]"), hop.rpartition(":")[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            continue
    raise Refused(400, f"The proxy names {hop[:100]!r} as its client, which is no address.")
