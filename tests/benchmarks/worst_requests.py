"""The cost of the worst requests: the silence of `/health` meanwhile, and their memory.

Run it with `python -m tests.benchmarks.worst_requests [seconds] [characters of a prompt] [kinds]`.
The server is the product as a user starts it, over a database that somebody filled: tasks and
sessions with the longest prompts that it takes, diffs and transcripts as long as an agent likes.
Each kind of request is sent over four connections at a time, then all kinds together. `/health` is
asked twenty times a second, by another process than the one that makes the load.

At the end a server with 700,000 KiB of address space (`ulimit -v`), on Linux, answers the largest
lists.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

import attrs
import httpx
import msgspec
import psutil

from command_center.store import Transaction, items, repositories, sessions, tasks
from tests.end_to_end.server import Server
from tests.made_up import made_up

if sys.platform == "linux":
    import resource

TASKS: Final = 300
LONG_BY_AGENTS: Final = 4 * 1024 * 1024
"""Characters of a diff and of an output."""
TRANSCRIPT: Final = 40
FILES: Final = 150_000
"""Files that an agent has left in its folder."""
ADDRESS_SPACE: Final = 700_000 * 1024
WORDS: Final = "lorem ipsum dolor sit amet consectetur "
CONNECTIONS: Final = 4
STREAMS: Final = 75
"""Streams that each connection of `CROWD` stands for, which begin at the same moment."""

GETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "tasks": ("/api/tasks?limit=500",),
        "sessions": ("/api/sessions?limit=500",),
        "transcript": ("/api/sessions/1/items?limit=500",),
        "events": ("/api/events?limit=500", "/api/events?limit=500&newestFirst=true"),
        "timeline": ("/api/sessions/1/events?limit=500",),
        "find tasks": ("/api/tasks?limit=500&query=absent",),
        "search": ("/api/search?limit=500&q=lorem", "/api/search?limit=500&q=%22dolor%20sit%22"),
        "diff": ("/api/sessions/1/diff", "/api/sessions/1"),
        "telemetry": ("/api/telemetry/summary?window=90d",),
        "changes": ("/api/sessions/1/changes",),
    }
)
NESTED: Final = "many values"
REPLAYS: Final = "replays, read slowly"
CROWD: Final = "many replays, unread"
COMMIT: Final = "commit of too many"
POSTS: Final[Mapping[str, tuple[str, bytes]]] = MappingProxyType(
    {
        NESTED: (
            "/api/approvals",
            msgspec.json.encode({"title": "T", "details": {"values": [[1]] * 230_000}}),
        ),
        COMMIT: ("/api/sessions/1/commit", msgspec.json.encode({"paths": ["many"]})),
    }
)
KINDS: Final = (*GETS, NESTED, REPLAYS, CROWD, COMMIT)


def filled(prompt: int) -> Any:
    """Return the unit that fills the database."""

    def unit(tx: Transaction) -> None:
        said = (WORDS * (prompt // len(WORDS) + 1))[:prompt]
        long = WORDS * (LONG_BY_AGENTS // len(WORDS))
        place = repositories.get(tx.db, 1)
        for number in range(TASKS):
            task = tasks.insert(
                tx,
                repository_id=place.id,
                title=f"Task {number}",
                prompt=said,
                requested_by="benchmark",
                correlation_id="c",
                status="completed",
            )
            session = sessions.insert(
                tx,
                task_id=task.id,
                repository_id=place.id,
                runner="stub",
                sandbox="read-only",
                cwd=place.local_path,
                prompt=said,
                requested_by="benchmark",
                correlation_id="c",
                status="completed",
                started_at=tx.now,
                finished_at=tx.now,
                diff=long if number % 10 == 0 else None,
            )
            tx.emit(
                made_up("thing.happened", {"text": long if number % 10 == 0 else said}),
                actor="benchmark",
                session_id=1,
            )
            if number >= TRANSCRIPT:
                continue
            items.insert(
                tx,
                session_id=1 if number else session.id,
                turn_id="t",
                item_id=str(number),
                type="commandExecution",
                status="completed",
                body={"id": str(number), "type": "commandExecution", "aggregatedOutput": long},
            )

    return unit


@attrs.define
class Watch:
    """Asks `/health` over and over, and notes how long it takes and the server's memory."""

    port: int
    process: psutil.Process
    waits: list[float] = attrs.field(factory=list)
    memory: int = 0
    _stop: threading.Event = attrs.field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        assert self._thread is not None
        self._thread.join()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while not self._stop.wait(0.05):
            began = time.perf_counter()
            try:
                connection.request("GET", "/health")
                connection.getresponse().read()
            except OSError:
                connection.close()
            self.waits.append(time.perf_counter() - began)
            with suppress(psutil.Error):
                self.memory = max(self.memory, self.process.memory_info().rss)

    def tell(self) -> str:
        """Return the numbers as a line."""
        waits = sorted(self.waits)
        share = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
        return (
            f"/health p99 {share * 1000:7.0f} ms, longest {waits[-1] * 1000:7.0f} ms; "
            f"RSS up to {self.memory / 2**20:6.0f} MiB"
        )


def load(port: int, seconds: float, kinds: tuple[str, ...]) -> None:
    """Send requests of these kinds, each over its own connections."""
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_load_of(kind), args=(port, kind, until))
        for kind in kinds
        for _ in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _load_of(kind: str) -> Any:
    return {NESTED: _post, COMMIT: _post, REPLAYS: _replay, CROWD: _crowd}.get(kind, _get)


def _get(port: int, kind: str, until: float) -> None:
    while time.monotonic() < until:
        for target in GETS[kind]:
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("GET", target)
                answer = connection.getresponse()
                while answer.read(1 << 16):
                    pass
                connection.close()


def _post(port: int, kind: str, until: float) -> None:
    target, body = POSTS[kind]
    while time.monotonic() < until:
        with suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Content-Type": "application/json"}
            connection.request("POST", target, body, headers)
            connection.getresponse().read()
            connection.close()


def _begun(port: int, count: int) -> list[socket.socket]:
    """Ask for all of the past so often, half as server-sent events and half as WebSockets."""
    upgrade = (
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    wishes = ("Accept: text/event-stream\r\n", upgrade)
    streams = [socket.create_connection(("127.0.0.1", port), timeout=1) for _ in range(count)]
    for number, stream in enumerate(streams):
        wish = wishes[number % len(wishes)]
        head = f"GET /api/events/stream?after=0 HTTP/1.1\r\nHost: localhost\r\n{wish}\r\n"
        stream.sendall(head.encode())
    return streams


def _crowd(port: int, _: str, until: float) -> None:
    """Begin many streams at once, read none, and leave; again and again."""
    while time.monotonic() < until:
        with suppress(OSError):
            streams = _begun(port, STREAMS)
            time.sleep(2)
            for stream in streams:
                stream.close()


def _replay(port: int, _: str, until: float) -> None:
    """Ask for all of the past, and hardly read it."""
    with suppress(OSError):
        streams = _begun(port, 2)
        while time.monotonic() < until:
            for stream in streams:
                stream.recv(4096)
            time.sleep(0.05)


@contextmanager
def served(folder: Path, prompt: int) -> Iterator[Server]:
    """The product over a full database."""
    subprocess.run(["git", "init", "--quiet", folder / "checkout"], check=True)  # noqa: S607 - the developer's git
    many = folder / "checkout" / "many"
    many.mkdir()
    for number in range(FILES):
        (many / f"{number:x}").touch()
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}).start()
    try:
        made = httpx.post(
            f"{server.url}/api/repos",
            json={"localPath": str(folder / "checkout"), "allowCommit": True},
        )
        made.raise_for_status()
        server.write(filled(prompt))
        yield server
    finally:
        server.kill()


def measure(server: Server, seconds: float, *kinds: str) -> str:
    """Return what the load of these kinds does."""
    port = int(server.url.rpartition(":")[2])
    assert server.process is not None
    command = [sys.executable, "-m", "tests.benchmarks.worst_requests", "--load"]
    with (
        Watch(port, psutil.Process(server.process.pid)) as watch,
        subprocess.Popen([*command, str(port), str(seconds), *kinds]) as loading,
    ):
        loading.wait()
    ended = server.process.poll()
    return watch.tell() + ("" if ended is None else f"; the server ended with {ended}")


def survives(server: Server) -> str:
    """Return what became of a server with little memory that is asked for its largest lists."""
    server.kill()
    server.start()
    assert server.process is not None
    pid = server.process.pid
    assert pid is not None
    if sys.platform == "linux":
        resource.prlimit(pid, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for targets in GETS.values():
        for target in targets:
            try:
                answer = httpx.get(server.url + target, timeout=60)
            except httpx.HTTPError as error:
                return f"{target}: {error}, the server's exit code is {server.process.poll()}"
            if answer.status_code != httpx.codes.OK:
                return f"{target}: {answer.status_code}"
    return "all lists answered"


def main(seconds: float = 6.0, prompt: int = 200_000, *kinds: str) -> None:
    """Measure, and print; of all kinds unless some are named."""
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), prompt) as server,
    ):
        assert server.process is not None
        print(f"{TASKS} tasks with prompts of {prompt} characters")
        for kind in kinds or KINDS:
            print(f"  {kind:22} {measure(server, seconds, kind)}", flush=True)
            server.kill()
            server.start()
        print(f"  {'all together':22} {measure(server, seconds * 3, *KINDS)}", flush=True)
        print(f"  {'ulimit -v 700000':22} {survives(server)}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        load(int(sys.argv[2]), float(sys.argv[3]), tuple(sys.argv[4:]))
    else:
        numbers = [kind(text) for kind, text in zip((float, int), sys.argv[1:3], strict=False)]
        main(*numbers, *sys.argv[3:])
