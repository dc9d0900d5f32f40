"""The parts of a durable POST: how much of the processor each takes, and what the whole does.

Run it with `python -m tests.benchmarks.post_parts`. Each part is measured alone in a tight loop, by
the quickest of many rounds, so that a busy machine harms it little: the parser, the app behind its
route, the gate, the request's line in the log with its numbers, and the writer's unit. The whole is
a server that a user starts, over 1 and 32 connections. What the whole takes beyond its parts are
the actors, the sockets, the scheduler, and the switches between the loop's thread and the writer's.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from io import StringIO
from pathlib import Path
from typing import Any, Final

import h11
import msgspec
import trio

from command_center.actors.contracts.tasks import CreateTask
from command_center.http.app import install
from command_center.http.config.logs import configure_logging
from command_center.http.config.settings import Settings
from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.middleware.metrics import RequestMetrics
from command_center.http.middleware.request_log import install_request_log
from command_center.http.wire.asgi import WHOLE_BODY, App, Message
from command_center.http.wire.compression import install_compression
from command_center.http.wire.etags import install_etags
from command_center.http.wire.operation import Api
from command_center.http.wire.problems import install_error_handlers
from command_center.http.wire.quart_app import Application
from command_center.http.wire.quart_handlers import Answering
from command_center.store import Done, Task
from tests.benchmarks.durable import SENT, TASK, our_server
from tests.benchmarks.store import add_task, prepare

ROUNDS: Final = 40
TIMES: Final = 100
BODY: Final = msgspec.json.encode(TASK)

api = Api[Task]("Tasks")


@api.operation("POST", "/api/tasks", answers=201, location="/api/tasks/{id}", is_done_once=False)
async def create_task(made: Task, body: CreateTask) -> Task:
    """Answer with a task that is there."""
    assert body.title == "T"
    return made


async def quickest(work: Callable[[], Awaitable[object]], times: int = TIMES) -> float:
    """Return the microseconds that it takes, in the quickest of the rounds."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(times):
            await work()
        rounds.append((time.perf_counter() - began) / times)
    return min(rounds) * 1e6


async def parse(http: h11.Connection) -> None:
    """Read the request, and frame its answer."""
    http.receive_data(SENT)
    while not isinstance(http.next_event(), h11.EndOfMessage):
        pass
    http.send(h11.Response(status_code=201, headers=[(b"content-length", b"500")]))
    http.send(h11.Data(data=b"x" * 500))
    http.send(h11.EndOfMessage())
    http.start_next_cycle()


async def ask(app: App) -> None:
    """Ask an app, which makes a task."""
    statuses = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        statuses.append(message.get("status"))

    head, _, _ = SENT.partition(b"\r\n\r\n")
    lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/tasks",
        "raw_path": b"/api/tasks",
        "query_string": b"",
        "headers": [(name.lower(), value) for name, _, value in lines],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8787),
        "extensions": {WHOLE_BODY: {}},
    }
    await app(scope, receive, send)
    assert statuses[0] == HTTPStatus.CREATED, statuses


def layers(made: Task) -> dict[str, Any]:
    """Return the app, then with the gate before it, then with the log before that."""
    app = Application(__name__)
    app.config["RESPONSE_TIMEOUT"] = None
    app.asgi_http_class = Answering
    install_error_handlers(app)
    install(app, api, made)
    install_compression(app)
    install_etags(app)
    apps: dict[str, Any] = {"route, decoding, encoding": app.asgi_app}
    install_gate(app, Policy())
    apps["the gate"] = app.asgi_app
    configure_logging(Settings(), StringIO())
    install_request_log(app, RequestMetrics())
    apps["the log and the numbers"] = app.asgi_app
    return apps


async def print_parts(folder: Path) -> None:
    """Print what each part takes."""
    writer = prepare(folder / "store.db")
    (made,) = writer.commit([add_task]).outcomes
    assert isinstance(made, Done)
    http = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
    print(f"{await quickest(partial(parse, http)):5.0f} µs  the parser")
    before = 0.0
    for name, app in layers(made.value).items():
        taken = await quickest(partial(ask, app))
        print(f"{taken - before:5.0f} µs  {name}")
        before = taken

    async def write(size: int) -> None:
        writer.commit([add_task] * size)

    for size in (1, 32):
        taken = await quickest(partial(write, size), 4) / size
        print(f"{taken:5.0f} µs  the writer, {size} together, the disk included")
    writer.close()


def print_whole(folder: Path) -> None:
    """Print what a request to the server takes."""
    with our_server(folder) as server:
        for connections in (1, 32):
            server.round(SENT, connections)
            server.forget()
            for _ in range(5):
                server.round(SENT, connections)
            print(f"the whole, connections {connections}: {server.tell()}")


def main() -> None:
    """Print the parts, then the whole."""
    with tempfile.TemporaryDirectory() as folder:
        trio.run(print_parts, Path(folder))
        print_whole(Path(folder))


if __name__ == "__main__":
    main()
