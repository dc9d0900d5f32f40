"""Real NATS servers on the loopback, alone or three together, which tests kill and freeze."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.nats.addresses import NatsAddress
from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.connection import NatsOptions, open_connection
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsDisconnected,
    NatsProtocolError,
    NatsRefused,
    NatsTimeout,
)
from command_center.actors.nats.jetstream import JetStream, StreamConfig

PROGRAM = shutil.which("nats-server", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing brings a server")
"""Marks what needs a server: a build machine has it on Linux alone."""


def needs_nats() -> str:
    """Return the program; skip the test where there is none."""
    if PROGRAM is None:
        pytest.skip("no NATS server is installed: apt-get install nats-server")
    return PROGRAM


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody has."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


@attrs.define
class NatsServer:
    """A server, its folder and its port; started again it has both still."""

    name: str
    folder: Path
    port: int
    config: str
    monitor: str = ""
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> NatsAddress:
        return NatsAddress(self.host, self.port)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "nats.conf"
        file.write_text(self.config, encoding="utf-8")
        self.process = subprocess.Popen(
            [needs_nats(), "-c", file, "-l", self.folder / "log"],
            env=os.environ | {"GOMEMLIMIT": "200MiB"},
        )

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    if sys.platform != "win32":

        def freeze(self) -> None:
            assert self.process is not None
            self.process.send_signal(signal.SIGSTOP)

        def wake(self) -> None:
            assert self.process is not None
            self.process.send_signal(signal.SIGCONT)

    async def ready(self, **options: object) -> None:
        """Wait until it answers; that who asks is refused is an answer, too."""
        with trio.fail_after(30):
            while True:
                try:
                    asked = NatsOptions(addresses=(self.address,), **options)  # type: ignore[arg-type]
                    connection = await open_connection(self.address, asked)
                except (NatsRefused, NatsProtocolError):
                    return
                except OSError:
                    await trio.sleep(0.02)
                else:
                    connection.end("it is there")
                    await connection.run(1, lambda _: None)
                    return


@contextmanager
def one_server(folder: Path, more: str = "", *, has_jetstream: bool = True) -> Iterator[NatsServer]:
    """Start a server."""
    (port,) = free_ports(1)
    config = configuration("n1", folder, port) if has_jetstream else _listening("n1", port)
    server = NatsServer("n1", folder, port, config + more)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def three_servers(
    folder: Path, *, max_file: str = "256MB", host: str = "127.0.0.1"
) -> Iterator[list[NatsServer]]:
    """Start three servers that are one cluster, and tell of themselves; clients reach the host."""
    ports, routes, monitors = free_ports(3), free_ports(3), free_ports(3)
    others = ", ".join(f'"nats://127.0.0.1:{route}"' for route in routes)
    servers = []
    for number, (port, route, monitor) in enumerate(zip(ports, routes, monitors, strict=True), 1):
        name, place = f"n{number}", folder / f"n{number}"
        cluster = (
            f'cluster {{ name: cc, listen: "127.0.0.1:{route}", routes: [{others}], '
            f'pool_size: -1 }}\nhttp: "{host}:{monitor}"\n'
        )
        config = configuration(name, place, port, max_file, host) + cluster
        servers.append(NatsServer(name, place, port, config, f"http://{host}:{monitor}", host))
    for server in servers:
        server.start()
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()


@asynccontextmanager
async def three_keeping(
    folder: Path, stream: str, *, max_file: str = "256MB", seconds: float = 60, **options: object
) -> AsyncIterator[tuple[list[NatsServer], JetStream]]:
    """Start three servers that keep a stream together, and a client of them."""
    with three_servers(folder, max_file=max_file) as servers:
        for server in servers:
            await server.ready()
        client = client_of(*servers, **options)
        async with trio.open_nursery() as nursery:
            await nursery.start(client.run)
            jetstream = JetStream(client)
            await stream_of(jetstream, stream, replicas=3, seconds=seconds)
            yield servers, jetstream
            client.close()


def configuration(
    name: str, folder: Path, port: int, max_file: str = "256MB", host: str = "127.0.0.1"
) -> str:
    return _listening(name, port, host) + (
        f"jetstream {{ store_dir: {json.dumps(str(folder / 'js'))}, sync_interval: always, "
        f"max_mem: 64MB, max_file: {max_file} }}\n"
    )


def _listening(name: str, port: int, host: str = "127.0.0.1") -> str:
    return f'server_name: {name}\nlisten: "{host}:{port}"\n'


async def stream_of(
    jetstream: JetStream, name: str, *, replicas: int = 1, seconds: float = 20
) -> None:
    """Make a stream that keeps ``name.>``, as soon as the cluster can."""
    config = StreamConfig(
        name=name, subjects=(f"{name}.>",), num_replicas=replicas, allow_direct=True
    )
    with trio.fail_after(seconds):
        while True:
            try:
                await jetstream.create_stream(config)
            except (JetStreamRefused, NatsTimeout, NatsDisconnected):  # it has no leader yet
                await trio.sleep(0.1)
            else:
                return


def options_of(*servers: NatsServer, **more: object) -> NatsOptions:
    """Return how to connect to these."""
    addresses = tuple(server.address for server in servers)
    return NatsOptions(addresses=addresses, **{"max_backoff": 0.3, **more})  # type: ignore[arg-type]


def client_of(*servers: NatsServer, **more: object) -> NatsClient:
    """Return a client of these, which is yet to be run."""
    return NatsClient(options_of(*servers, **more))
