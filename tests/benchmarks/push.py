"""The way of an approval to a push service on loopback.

Run it with `python -m tests.benchmarks.push [approvals]`. The product, as a user starts it, has one
approval after the other made over a connection that stays open. The time goes from the request to
the encrypted message's being read whole by the service, which runs in this process: so it has the
commit, the outbox, the encryption and the signature, a request to the service, and both ends of the
client.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx
import trio

from tests.end_to_end.server import Server
from tests.push_service import PushService, push_service

WARM = 10
"""Approvals before those that count."""


async def measure(server: Server, service: PushService, count: int) -> tuple[list[float], ...]:
    """Return the seconds until the answer, and those until the message, of each approval."""
    answered, told = [], []
    async with httpx.AsyncClient(base_url=server.url, timeout=30, trust_env=False) as http:
        body = service.subscription()
        (await http.post("/api/push/subscriptions", json=body)).raise_for_status()
        for number in range(WARM + count):
            seen = len(service.left)
            began = time.perf_counter()
            sent = await http.post("/api/approvals", json={"title": f"May I, {number}?"})
            answered.append(time.perf_counter() - began)
            sent.raise_for_status()
            await came(service, seen + 1)
            told.append(time.perf_counter() - began)
        assert f"May I, {count}?" in str(service.read(service.left[count]))
    return answered[WARM:], told[WARM:]


async def came(service: PushService, count: int) -> None:
    """Wait for so many messages; to read them takes the test's own arithmetic long."""
    await service.until(lambda: len(service.left) >= count)


async def main(count: int) -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "CC_CODEX_RUNNER_MODE": "stub",
            "CC_LOG_LEVEL": "warning",
            "CC_PUSH_PRIVATE_ADDRESSES": "allow",
        }
        server = Server(Path(folder) / "data", settings, is_fresh=True)
        await trio.to_thread.run_sync(server.start)
        try:
            async with push_service() as service:
                answered, told = await measure(server, service, count)
        finally:
            await trio.to_thread.run_sync(server.end)
    for name, seconds in (("answered", answered), ("at the push service", told)):
        twentieths = statistics.quantiles(seconds, n=20)
        print(
            f"{count} approvals, {name:20} median {statistics.median(seconds) * 1e3:5.1f} ms, "
            f"p95 {twentieths[18] * 1e3:5.1f} ms, longest {max(seconds) * 1e3:5.1f} ms"
        )


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]) if sys.argv[1:] else 200)
