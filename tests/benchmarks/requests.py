"""What a request costs: our connection and gate beside plain Quart-Trio on hypercorn.

Run it with `python -m tests.benchmarks.requests [connections] [rounds]`. Each server is a process
of its own with the same two routes: a GET of 40 bytes of JSON, and a POST whose 300 bytes decode
into a Struct and come back. The servers take turns, a second at a time, and the medians are
compared, so that a busy machine harms all alike. What counts is the processor time of a request:
the client here, which shares the machine, takes more of it than any server.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import attrs
import msgspec
import psutil
import trio
from quart import Response, request
from quart_trio import QuartTrio

from command_center.http.decoding import decode_body, json_response
from command_center.http.errors import install_error_handlers
from command_center.http.security import Policy, install_gate
from command_center.http.serving import bind, serve_on

SERVERS = {
    "hypercorn": "Quart-Trio on hypercorn as it is",
    "connection": "Quart-Trio on our connection",
    "gate": "the same, behind the gate, errors as JSON",
}
ROUND_SECONDS = 1.0
HEAD = "Host: localhost\r\nAccept: */*\r\nUser-Agent: benchmark\r\n"


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What is posted."""

    repository_id: int
    type: str
    title: str
    prompt: str


BODY = msgspec.json.encode(Body(repository_id=1, type="prompt_task", title="T", prompt="x" * 230))
REQUESTS = {
    "GET": f"GET /api/things HTTP/1.1\r\n{HEAD}\r\n".encode(),
    "POST": (
        f"POST /api/things HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n"
    ).encode()
    + BODY,
}


def serve(name: str) -> None:
    """Be one of the servers, on the port that is printed, until the input ends."""
    app = QuartTrio(__name__, static_folder=None)

    @app.get("/api/things")
    async def get() -> Response:
        return json_response({"id": 1, "name": "a thing of forty bytes"})

    @app.post("/api/things")
    async def post() -> Response:
        return json_response(await decode_body(request, Body), 201)

    if name == "gate":
        install_error_handlers(app)
        install_gate(app, Policy())

    async def main() -> None:
        shutdown = trio.Event()
        async with trio.open_nursery() as nursery:
            serving = partial(
                serve_on,
                app,
                bind("127.0.0.1", 0),
                shutdown=shutdown,
                guarded=name != "hypercorn",
                grace=0,
            )
            address = await nursery.start(serving)
            print(address.port, flush=True)
            await trio.to_thread.run_sync(sys.stdin.read)
            shutdown.set()

    trio.run(main)


@attrs.define
class Server:
    """A server's process, and what its rounds gave."""

    process: psutil.Popen
    port: int
    rates: list[float] = attrs.field(factory=list)
    microseconds: list[float] = attrs.field(factory=list)
    waits: list[float] = attrs.field(factory=list)

    def round(self, sent: bytes, connections: int) -> None:
        """Ask for a while over some connections, each with one request at a time."""
        before, began = self._processor_seconds(), time.perf_counter()
        waits = list(_ask(self.port, sent, connections))
        self.rates.append(len(waits) / (time.perf_counter() - began))
        self.microseconds.append((self._processor_seconds() - before) / len(waits) * 1e6)
        self.waits += waits

    def _processor_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def _ask(port: int, sent: bytes, connections: int) -> Iterator[float]:
    """How long each request took, in seconds."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(connections)
        ]
        began, came = {}, dict.fromkeys(range(connections), b"")
        for number, client in enumerate(clients):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ, number)
            began[number] = time.perf_counter()
            client.sendall(sent)
        ends = time.perf_counter() + ROUND_SECONDS
        while time.perf_counter() < ends:
            for key, _ in selector.select():
                number = key.data
                came[number] += clients[number].recv(65536)
                if _is_whole(came[number]):
                    now = time.perf_counter()
                    yield now - began[number]
                    began[number], came[number] = now, b""
                    clients[number].sendall(sent)


def _is_whole(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    assert head.startswith(b"HTTP/1.1 20"), answer
    return len(body) == int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])


@contextmanager
def started(name: str) -> Iterator[Server]:
    """The server in its process."""
    command = [sys.executable, "-m", "tests.benchmarks.requests", "--serve", name]
    with psutil.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield Server(process, int(process.stdout.readline()))
        process.stdin.close()


def main(connections: int = 32, rounds: int = 7) -> None:
    """Compare, and print."""
    with ExitStack() as stack:
        for method, sent in REQUESTS.items():
            servers = {name: stack.enter_context(started(name)) for name in SERVERS}
            for server in servers.values():
                server.round(sent, connections)
                server.rates.clear()
                server.microseconds.clear()
                server.waits.clear()
            for _ in range(rounds):
                for server in servers.values():
                    server.round(sent, connections)
            print(f"{method}, {connections} connections")
            stock = statistics.median(servers["hypercorn"].microseconds)
            for name, server in servers.items():
                cost = statistics.median(server.microseconds)
                waits = statistics.quantiles(server.waits, n=100)
                print(
                    f"  {SERVERS[name]:42} {statistics.median(server.rates):6.0f}/s "
                    f"{cost:5.0f} µs of processor, {stock / cost:4.2f}x; "
                    f"p50 {waits[49] * 1e3:5.1f} ms, p99 {waits[98] * 1e3:5.1f} ms"
                )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        main(*map(int, sys.argv[1:]))
