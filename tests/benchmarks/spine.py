"""What a user waits for: the start, a durable POST, and a word of Codex on its way to a watcher.

Run by hand: `uv run python -m tests.benchmarks.spine`. The peer of the durable POST is a GET that
reads one row, over the same connections in the same run: the ratio is what durability costs.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import trio

from tests.end_to_end.server import Client, Server, client_of

REQUESTS = 600
DELTAS = 500
PAUSE = 0.005


def codex_that_tells_the_time() -> int:
    """An app-server whose turn is a message of deltas, each the moment at which it is printed."""

    def say(message: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    for line in sys.stdin:
        message = json.loads(line)
        number = message.get("id")
        match message.get("method"):
            case "thread/start":
                say({"id": number, "result": {"thread": {"id": "t1", "status": {"type": "idle"}}}})
            case "turn/start":
                turn = {"id": "u1", "status": "inProgress", "items": []}
                say({"id": number, "result": {"turn": turn}})
                named = {"threadId": "t1", "turnId": "u1", "itemId": "i1"}
                for _ in range(DELTAS):
                    time.sleep(PAUSE)
                    delta = {**named, "delta": f"{time.time():.6f}"}
                    say({"method": "item/agentMessage/delta", "params": delta})
                ended = {"threadId": "t1", "turn": {**turn, "status": "completed"}}
                say({"method": "turn/completed", "params": ended})
            case "initialize":
                say({"id": number, "result": {"userAgent": "clock/0.163.0"}})
            case _ if number is not None:
                say({"id": number, "result": {"data": [], "nextCursor": None}})
    return 0


async def rate(client: Client, connections: int, *, durable: bool, repository: int) -> float:
    """Requests a second over so many connections."""
    body = {"repositoryId": repository, "title": "T", "prompt": "P" * 200}
    left = REQUESTS

    async def work() -> None:
        nonlocal left
        async with httpx.AsyncClient(base_url=client.server.url, timeout=30) as http:
            while left > 0:
                left -= 1
                answer = await (
                    http.post("/api/tasks", json=body)
                    if durable
                    else http.get(f"/api/repos/{repository}")
                )
                answer.raise_for_status()

    began = time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(connections):
            nursery.start_soon(work)
    return REQUESTS / (time.perf_counter() - began)


async def delays(client: Client, repository: dict[str, int]) -> list[float]:
    """Milliseconds from each delta's printing to the watcher having it."""
    found: list[float] = []
    async with client.watch(type="session.output.delta") as stream:
        await client.run(repository, "Tell the time.")
        while len(found) < DELTAS:
            event = await stream.next()
            found.append(1000 * (time.time() - float(event["data"]["delta"])))
    return found


async def main() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout = folder / "project"
        await trio.run_process(["git", "init", "-q", str(checkout)])
        command = f"{sys.executable} -m tests.benchmarks.spine codex"
        server = Server(folder / "data", {"CC_CODEX_COMMAND": command})
        began = time.perf_counter()
        server.start()
        try:
            async with client_of(server) as client:
                await client.get("/health")
                print(f"start to first answer: {time.perf_counter() - began:.2f} s")  # noqa: T201
                repository = await client.register(checkout)
                for connections in (1, 32):
                    rates = [
                        await rate(
                            client, connections, durable=durable, repository=repository["id"]
                        )
                        for durable in (True, False)
                    ]
                    print(  # noqa: T201
                        f"{connections:2} connections: {rates[0]:.0f} durable POST/s, "
                        f"{rates[1]:.0f} GET/s, ratio {rates[0] / rates[1]:.2f}"
                    )
                found = sorted(await delays(client, repository))
                print(  # noqa: T201
                    f"Codex to watcher: median {statistics.median(found):.2f} ms, "
                    f"p99 {found[int(0.99 * len(found))]:.2f} ms"
                )
        finally:
            server.stop()


if __name__ == "__main__":
    if sys.argv[1:2] == ["codex"]:
        sys.exit(codex_that_tells_the_time())
    trio.run(main)
