"""The cost of TLS: the product with CC_TLS_CERT beside the product without.

Run it with `python -m tests.benchmarks.encryption [connections] [rounds]`. Both servers are as a
user starts them, and the connections stay open, so that what is measured is the requests and not
the handshakes. They take turns, a second at a time, and medians are compared. The client shares the
machine, and encrypts as well.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil

from tests.benchmarks.asking import HEAD, Asked
from tests.browser.conftest import make_repository
from tests.end_to_end.server import Server
from tests.http.certificates import make, trusting

PATHS = ("/health", "/api/tasks?limit=10")
TASKS = 20


@contextmanager
def started(folder: Path, cert: tuple[Path, Path] | None) -> Iterator[Asked]:
    """Run a server with some tasks, without Codex."""
    settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_LOG_LEVEL": "warning"}
    if cert is not None:
        settings |= {"CC_TLS_CERT": str(cert[0]), "CC_TLS_KEY": str(cert[1])}
    server = Server(folder / "data", settings, is_fresh=True).start()
    try:
        context = None if cert is None else trusting(cert[0])
        fill(server, folder, cert)
        assert server.process is not None
        port = int(server.url.rpartition(":")[2])
        yield Asked(psutil.Process(server.process.pid), port, context=context)
    finally:
        server.end()


def fill(server: Server, folder: Path, cert: tuple[Path, Path] | None) -> None:
    """Make a repository with tasks."""
    verify = True if cert is None else trusting(cert[0])
    with httpx.Client(base_url=server.url, verify=verify, trust_env=False) as client:
        repository = {"localPath": str(make_repository(folder / "project"))}
        client.post("/api/repos", json=repository).raise_for_status()
        for number in range(TASKS):
            task = {"repositoryId": 1, "title": f"Task {number}", "prompt": "Look around."}
            client.post("/api/tasks", json=task).raise_for_status()


def main(connections: int = 16, rounds: int = 7) -> None:
    """Compare, and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "plain").mkdir()
        (folder / "secret").mkdir()
        servers = {
            "http": stack.enter_context(started(folder / "plain", None)),
            "https": stack.enter_context(started(folder / "secret", make(folder))),
        }
        for path in PATHS:
            sent = f"GET {path} HTTP/1.1\r\n{HEAD}\r\n".encode()
            for server in servers.values():
                server.round(sent, connections)
                server.forget()
            for _ in range(rounds):
                for server in servers.values():
                    server.round(sent, connections)
            print(f"GET {path}, {connections} connections")
            plain, secret = servers["http"], servers["https"]
            for name, server in servers.items():
                print(f"  {name:6} {server.tell()}")
            print(
                f"  with TLS {secret.rate / plain.rate:4.2f} times as many requests, "
                f"{secret.cost / plain.cost:4.2f} times the processor time for each"
            )
            for server in servers.values():
                server.forget()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
