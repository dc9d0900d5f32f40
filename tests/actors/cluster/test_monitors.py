"""A NATS server that does not flush what it acknowledges is found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from command_center.actors.cluster.monitors import refuse_unflushed
from command_center.actors.rules.cluster import ClusterRefused
from tests.nats_servers import ON_LINUX, free_ports, one_server

pytestmark = ON_LINUX


async def test_a_server_that_flushes_later_is_refused(tmp_path: Path) -> None:
    (port, silent) = free_ports(2)
    monitor = f"http://127.0.0.1:{port}"
    with one_server(tmp_path, f'http: "127.0.0.1:{port}"\n') as server:
        await server.ready()
        await refuse_unflushed([f"http://127.0.0.1:{silent}", monitor])
    server.config = server.config.replace("sync_interval: always", "sync_interval: 1m")
    server.start()
    try:
        await server.ready()
        with pytest.raises(ClusterRefused, match="sync_interval: always"):
            await refuse_unflushed([monitor])
    finally:
        server.kill()
    with pytest.raises(ClusterRefused, match="No NATS server tells"):
        await refuse_unflushed([monitor])
