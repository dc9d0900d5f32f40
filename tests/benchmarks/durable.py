"""The cost of a durable POST: `POST /api/tasks` beside FastAPI on uvicorn.

Run it with `uv run --group benchmarks python -m tests.benchmarks.durable [connections] [rounds]`;
the group has the peers. Each server is a process of its own with a database of its own on the same
disk, in the system's folder for temporary files. Ours is the whole product as a user starts it,
with its log. The peers write the same rows to the same tables, and flush as fully:

- with a commit for each request, in the event loop or in a worker thread;
- with our own writer, which commits together what has come together.

The servers take turns, a second at a time, and the medians are compared, so that a busy machine
harms all alike.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec
import psutil

from tests.benchmarks.asking import Asked, post
from tests.end_to_end.server import Server

OURS = "ours"
SERVERS = {
    OURS: "Command Center",
    "loop": "FastAPI, a commit each, in the loop",
    "thread": "FastAPI, a commit each, in a thread",
    "groups": "FastAPI, our group commit",
}
TASK = {"repositoryId": 1, "type": "prompt_task", "title": "T", "prompt": "Look at it. " * 19}
SENT = post("/api/tasks", msgspec.json.encode(TASK))


@contextmanager
def our_server(folder: Path) -> Iterator[Asked]:
    """The product, with a repository."""
    subprocess.run(["git", "init", "--quiet", folder / "checkout"], check=True)  # noqa: S607 - the developer's git
    server = Server(folder / "data", {"CC_CODEX_RUNNER_MODE": "stub"}, is_fresh=True).start()
    assert server.process is not None
    try:
        made = httpx.post(f"{server.url}/api/repos", json={"localPath": str(folder / "checkout")})
        made.raise_for_status()
        yield Asked(psutil.Process(server.process.pid), int(server.url.rpartition(":")[2]))
    finally:
        server.stop()


@contextmanager
def peer(name: str, folder: Path) -> Iterator[Asked]:
    """A peer in its process."""
    command = [sys.executable, "-m", "tests.benchmarks.durable", "--serve", name, str(folder)]
    with psutil.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield Asked(process, int(process.stdout.readline()))
        finally:
            process.terminate()


def compare(connections: int, rounds: int) -> None:
    """Let the servers take turns, and print."""
    with ExitStack() as stack:
        servers: dict[str, Asked] = {}
        for name in SERVERS:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            started = our_server(folder) if name == OURS else peer(name, folder)
            servers[name] = stack.enter_context(started)
        for server in servers.values():
            server.round(SENT, connections)
            server.forget()
        for _ in range(rounds):
            for server in servers.values():
                server.round(SENT, connections)
        print(f"{connections} connections")
        for name, server in servers.items():
            print(f"  {SERVERS[name]:36} {server.tell()}; {server.rate / servers[OURS].rate:4.2f}x")


def main(connections: int | None = None, rounds: int = 7) -> None:
    """Compare over so many connections, or over 1 and then 32."""
    if importlib.util.find_spec("fastapi") is None:
        sys.exit(
            "The peers are missing: uv run --group benchmarks python -m tests.benchmarks.durable"
        )
    for number in (1, 32) if connections is None else (connections,):
        compare(number, rounds)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        from tests.benchmarks.durable_peers import serve

        serve(sys.argv[2], Path(sys.argv[3]))
    else:
        main(*map(int, sys.argv[1:]))
