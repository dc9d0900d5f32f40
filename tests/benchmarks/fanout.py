"""The cost of showing an event to 200 subscribers, beside two peers in the same run.

Run it with `uv run --group benchmarks python -m tests.benchmarks.fanout`.

The subscribers are sockets in a process of their own, which counts what comes. Events are
published in bursts; the next burst comes when every subscriber has had the one before, so nobody
lags. One peer is the same app on hypercorn's own connections, one text message an event; the other
the `broadcast` of the `websockets` library, with nothing else around it, in a process of its own.
Rounds take turns, and medians are told: deliveries a second, for which the subscribers share the
machine, and the processor time of the server alone for each.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import attrs
import psutil
import structlog
import trio

from command_center.actors.center import Center
from command_center.actors.core.events import PublishLive
from command_center.http.app import create_app
from command_center.http.middleware.gate import Policy
from tests.actors.automations.rig import opened
from tests.checkout import ROOT
from tests.http.live import served, stock_served
from tests.made_up import made_up

SUBSCRIBERS = 200
BURST = 100
BURSTS = 5
ROUNDS = 3
DELIVERIES = SUBSCRIBERS * BURST * BURSTS
MARK = b'"benchmark.event"'
COMMAND = [sys.executable, "-m", "tests.benchmarks.fanout"]


def event(number: int) -> PublishLive:
    """Return what is published, as number so many of its burst."""
    return PublishLive(told=made_up("benchmark.event", {"text": "x" * 200, "number": number}))


def watch(port: int) -> None:
    """Be all subscribers: a line on stdout when they are there, and one for each burst."""
    selector = selectors.DefaultSelector()
    head = (
        b"GET /api/events/stream?type=benchmark.event HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    for _ in range(SUBSCRIBERS):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(head)
        while b"\r\n\r\n" not in sock.recv(65536):
            pass
        selector.register(sock, selectors.EVENT_READ)
    os.write(1, b"ready\n")
    while True:
        left = SUBSCRIBERS * BURST
        rest: dict[int, bytes] = {}
        while left > 0:
            for key, _ in selector.select():
                came = key.fileobj.recv(1 << 20)  # type: ignore[union-attr]
                if not came:
                    return
                data = rest.get(key.fd, b"") + came
                left -= data.count(MARK)
                rest[key.fd] = data[data.rfind(MARK) + len(MARK) :] if MARK in data else data
        os.write(1, b"burst\n")


async def broadcast() -> None:
    """Be the peer of the `websockets` library: its port on stdout, a burst for each line read."""
    from websockets.asyncio.server import (  # noqa: PLC0415 - of an optional group
        ServerConnection,
        broadcast,
        serve,
    )

    async with serve(ServerConnection.wait_closed, "127.0.0.1", 0, compression=None) as server:
        os.write(1, b"%d\n" % server.sockets[0].getsockname()[1])
        while await asyncio.to_thread(sys.stdin.readline):
            for number in range(BURST):
                broadcast(server.connections, event(number).event().body.decode())
                await asyncio.sleep(0)


@attrs.frozen
class Measured:
    """The figures of one round."""

    rate: float
    """Deliveries a second."""
    cost: float
    """Processor time of the server for a delivery, in microseconds."""


async def measure(server: int, port: int, burst: Callable[[], Awaitable[None]]) -> Measured:
    """A round with a server, named by its process and port, whose bursts begin so."""
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, cwd=ROOT, stdout=-1, check=False)
        process = await nursery.start(start, [*COMMAND, "watch", str(port)])
        lines = process.stdout
        await lines.receive_some()
        before = spent(server)
        started = time.perf_counter()
        for _ in range(BURSTS):
            await burst()
            await lines.receive_some()
        taken = time.perf_counter() - started
        cost = (spent(server) - before) / DELIVERIES * 1e6
        process.terminate()
    return Measured(DELIVERIES / taken, cost)


def spent(process: int) -> float:
    """The processor time that a process has used, in seconds."""
    times = psutil.Process(process).cpu_times()
    return float(times.user + times.system)


async def measure_center(center: Center, *, guarded: bool) -> Measured:
    """A round of our stream, on our connections or hypercorn's own."""

    async def burst() -> None:
        for number in range(BURST):
            center.storage.live(event(number))
            await trio.lowlevel.checkpoint()

    serving = served if guarded else stock_served
    async with serving(create_app(center, Policy())) as address:
        return await measure(os.getpid(), address.port, burst)


async def measure_broadcast() -> Measured:
    """A round of the `websockets` library."""
    async with trio.open_nursery() as nursery:
        start = partial(trio.run_process, cwd=ROOT, stdin=-1, stdout=-1, check=False)
        process = await nursery.start(start, [*COMMAND, "broadcast"])
        port = int(await process.stdout.receive_some())
        burst = partial(process.stdin.send_all, b"burst\n")
        measured = await measure(process.pid, port, burst)
        process.terminate()
    return measured


async def main() -> None:
    """Take turns, and tell."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rounds: dict[str, list[Measured]] = {"ours": [], "stock hypercorn": [], "broadcast": []}
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as rig:
            for _ in range(ROUNDS):
                rounds["ours"].append(await measure_center(rig.center, guarded=True))
                rounds["stock hypercorn"].append(await measure_center(rig.center, guarded=False))
                rounds["broadcast"].append(await measure_broadcast())
    print(f"{SUBSCRIBERS} subscribers: deliveries a second, processor time of each, and ratios")
    rates = {name: statistics.median(each.rate for each in found) for name, found in rounds.items()}
    costs = {name: statistics.median(each.cost for each in found) for name, found in rounds.items()}
    for name in rounds:
        print(
            f"{name:16} {rates[name]:9,.0f}/s {costs[name]:6.1f} us   ours is "
            f"{rates['ours'] / rates[name]:.1f} and {costs[name] / costs['ours']:.1f} times as fast"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["watch", port]:
            watch(int(port))
        case ["broadcast"]:
            asyncio.run(broadcast())
        case _:
            trio.run(main)
