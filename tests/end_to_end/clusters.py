"""Servers that are one cluster, each a process with a folder of its own, on real NATS servers."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import trio

from tests.end_to_end.server import NO_AUTHORITIES, Server
from tests.nats_servers import NatsServer, free_ports, three_servers

LEAD_SECONDS = 60.0


@attrs.define
class Clustered:
    """NATS servers, and the centres on them."""

    nats: list[NatsServer]
    centres: list[Server]

    async def health(self, centre: Server) -> Any:
        """The health of a centre; None while it does not answer."""
        verify: ssl.SSLContext = NO_AUTHORITIES
        try:
            async with httpx.AsyncClient(verify=verify, timeout=5) as http:
                return (await http.get(f"{centre.url}/health")).json()
        except (httpx.HTTPError, json.JSONDecodeError):
            return None

    async def leader(self, *, but: Server | None = None) -> Server:
        """Wait until a centre leads, other than one that did."""
        with trio.fail_after(LEAD_SECONDS):
            while True:
                for centre in self.centres:
                    if centre is not but and centre.process is not None:
                        health = await self.health(centre)
                        if health is not None and health.get("role") == "leader":
                            return centre
                await trio.sleep(0.05)

    async def standby(self, leader: Server) -> Server:
        """Wait until the other centre follows the leader."""
        (other,) = (centre for centre in self.centres if centre is not leader)
        with trio.fail_after(LEAD_SECONDS):
            while True:
                health = await self.health(other)
                if health is not None and (health["role"], health["leader"]) == (
                    "standby",
                    leader.url,
                ):
                    return other
                await trio.sleep(0.05)


@contextmanager
def clustered(
    folder: Path,
    settings: Mapping[str, str],
    count: int = 2,
    *,
    host: str = "127.0.0.1",
    place: Callable[[int, Server], None] = lambda _, __: None,
) -> Iterator[Clustered]:
    """Start three NATS servers and so many centres.

    Args:
        folder: of all of them.
        settings: of all centres.
        count: the number of centres.
        host: where centres reach the NATS servers.
        place: called with each centre before it starts, to put it somewhere else.
    """
    key = folder / "cluster.key"
    key.touch(mode=0o600)
    key.write_text("0f" * 32)
    with three_servers(folder / "nats", host=host) as nats:
        centres = [_centre(folder / f"c{number}", nats, key, settings) for number in range(count)]
        try:
            for number, centre in enumerate(centres):
                place(number, centre)
                centre.start()
            yield Clustered(nats, centres)
        finally:
            for centre in centres:
                if centre.process is not None and centre.process.poll() is None:
                    centre.kill()


def _centre(
    folder: Path, nats: Sequence[NatsServer], key: Path, settings: Mapping[str, str]
) -> Server:
    # It keeps its port when it begins again, and an interpreter of its own, to begin again.
    (port,) = free_ports(1)
    own = {
        "CC_PORT": str(port),
        "CC_CLUSTER": ",".join(str(server.address) for server in nats),
        "CC_CLUSTER_KEY": str(key),
        "CC_CLUSTER_MONITORS": ",".join(server.monitor for server in nats),
    }
    return Server(folder, {**settings, **own}, is_fresh=True)
