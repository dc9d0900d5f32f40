"""The cost of a request: our connection and gate beside plain Quart-Trio on hypercorn.

Run it with `python -m tests.benchmarks.requests [connections] [rounds]`. Each server is a process
of its own with the same two routes: a GET of 40 bytes of JSON, and a POST whose 300 bytes decode
into a Struct and come back. The servers take turns, a second at a time, and the medians are
compared, so that a busy machine harms all alike. What counts is the processor time of a request:
the client here, which shares the machine, takes more of it than any server.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec
import psutil
import trio
from quart import Response, request
from quart_trio import QuartTrio

from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.wire.codec import decode_body, json_response
from command_center.http.wire.problems import install_error_handlers
from tests.benchmarks.asking import HEAD, Asked, post
from tests.http.live import served, stock_served

SERVERS = {
    "hypercorn": "Quart-Trio on hypercorn as it is",
    "connection": "Quart-Trio on our connection",
    "gate": "the same, behind the gate, errors as JSON",
}


class Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The body that is posted."""

    repository_id: int
    type: str
    title: str
    prompt: str


BODY = msgspec.json.encode(Body(repository_id=1, type="prompt_task", title="T", prompt="x" * 230))
REQUESTS = {
    "GET": f"GET /api/things HTTP/1.1\r\n{HEAD}\r\n".encode(),
    "POST": post("/api/things", BODY),
}


def serve(name: str) -> None:
    """Be one of the servers, on the port that is printed, until the input ends."""
    app = QuartTrio(__name__, static_folder=None)

    @app.get("/api/things")
    async def get() -> Response:
        return json_response({"id": 1, "name": "a thing of forty bytes"})

    @app.post("/api/things")
    async def create() -> Response:
        return json_response(await decode_body(request, Body), 201)

    if name == "gate":
        install_error_handlers(app)
        install_gate(app, Policy())

    async def main() -> None:
        serving = stock_served if name == "hypercorn" else served
        async with serving(app, grace=0) as address:
            print(address.port, flush=True)
            await trio.to_thread.run_sync(sys.stdin.read)

    trio.run(main)


@contextmanager
def started(name: str) -> Iterator[Asked]:
    """The server in its process."""
    command = [sys.executable, "-m", "tests.benchmarks.requests", "--serve", name]
    with psutil.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield Asked(process, int(process.stdout.readline()))
        process.stdin.close()


def main(connections: int = 32, rounds: int = 7) -> None:
    """Compare, and print."""
    with ExitStack() as stack:
        for method, sent in REQUESTS.items():
            servers = {name: stack.enter_context(started(name)) for name in SERVERS}
            for server in servers.values():
                server.round(sent, connections)
                server.forget()
            for _ in range(rounds):
                for server in servers.values():
                    server.round(sent, connections)
            print(f"{method}, {connections} connections")
            stock = servers["hypercorn"].cost
            for name, server in servers.items():
                print(f"  {SERVERS[name]:42} {server.tell()}; {stock / server.cost:4.2f}x")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        main(*map(int, sys.argv[1:]))
