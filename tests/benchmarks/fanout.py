"""What it costs to show an event to 200 subscribers, beside stock hypercorn in the same run.

Run it with `python -m tests.benchmarks.fanout`.

The subscribers are sockets in a process of their own, which counts what comes. Events are
published in bursts; the next burst comes when every subscriber has had the one before, so nobody
lags. The peer is the same app on hypercorn's own connections, one text message an event. Rounds
take turns, and medians are told.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import logging
import os
import selectors
import socket
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import structlog
import trio

from command_center.actors.center import Center
from command_center.actors.events import PublishLive
from command_center.http.app import create_app
from command_center.http.security import Policy
from tests.actors.automations.rig import opened
from tests.checkout import ROOT
from tests.http.live import served

SUBSCRIBERS = 200
BURST = 100
BURSTS = 2
ROUNDS = 3
MARK = b'"benchmark.event"'


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


async def measure(center: Center, *, guarded: bool) -> float:
    """Deliveries a second."""
    command = [sys.executable, "-m", "tests.benchmarks.fanout"]
    async with (
        served(create_app(center, Policy()), guarded=guarded) as address,
        trio.open_nursery() as nursery,
    ):
        start = partial(trio.run_process, cwd=ROOT, stdout=-1, check=False)
        process = await nursery.start(start, [*command, str(address.port)])
        assert process.stdout is not None
        lines = process.stdout
        await lines.receive_some()
        started = time.perf_counter()
        for _ in range(BURSTS):
            for number in range(BURST):
                data = {"text": "x" * 200, "number": number}
                center.fanout.publish_live(PublishLive(type="benchmark.event", data=data))
                await trio.lowlevel.checkpoint()
            await lines.receive_some()
        taken = time.perf_counter() - started
        process.terminate()
    return SUBSCRIBERS * BURST * BURSTS / taken


async def main() -> None:
    """Take turns, and tell."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rates: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder)) as rig:
            for _ in range(ROUNDS):
                for guarded, found in rates.items():
                    found.append(await measure(rig.center, guarded=guarded))
    ours, stock = (statistics.median(rates[guarded]) for guarded in (True, False))
    print(f"{SUBSCRIBERS} subscribers, deliveries a second: {ours:,.0f}, stock {stock:,.0f}")
    print(f"ratio {ours / stock:.1f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        watch(int(sys.argv[1]))
    else:
        trio.run(main)
