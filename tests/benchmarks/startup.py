"""From the start of a server to its first answer, and the memory that it then has.

Run it with `python -m tests.benchmarks.startup [rounds]`. The peers need the dependency group
`benchmarks`: `uv run --group benchmarks python -m tests.benchmarks.startup`; without it only our
own server is measured.

Servers are started as their users start them, with bytecode at hand, as there is from the second
start on. `GET /health` is asked for until it is answered with 200; where there is a database, it
is asked, too. Then come the time since the start, the processor time of the process, and its
memory, which is taken again after a hundred more requests. Rounds take turns, and medians are told.
USS is what the end of the process would free; RSS counts what it shares with others, too.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs
import psutil

from tests.checkout import ROOT, script

REQUESTS = 100
PATIENCE = 60.0
PAUSE = 0.002
"""Seconds between two attempts to connect."""

PEERS = ("apscheduler", "fastapi", "pydantic_settings", "sqlalchemy", "uvicorn")


@attrs.frozen
class Contender:
    """A server: `PORT` and `HOME` in its command stand for what each start gets.

    `keeps` says whether a start finds the home of the start before, or an empty one.
    """

    name: str
    command: Sequence[str]
    keeps: bool


@attrs.frozen
class Start:
    """The cost of a start: seconds, and bytes."""

    elapsed: float
    processor: float
    uss: int
    rss: int
    uss_later: int
    rss_later: int


def contenders() -> Iterator[Contender]:
    """Ours, and the peers where they are installed."""
    ours = (
        *(str(script("command-center")), "--codex-runner-mode", "stub"),
        *("--port", "PORT", "--data-dir", "HOME"),
    )
    yield Contender("command-center, empty home", ours, keeps=False)
    yield Contender("command-center, existing database", ours, keeps=True)
    if not all(map(importlib.util.find_spec, PEERS)):
        print(f"The peers are not installed: {', '.join(PEERS)}.")
        return
    uvicorn = (sys.executable, "-m", "uvicorn", "--port", "PORT", "--log-level", "warning")
    peers = "tests.benchmarks.startup_peers"
    yield Contender("FastAPI, whole stack, empty home", (*uvicorn, f"{peers}:app"), keeps=False)
    yield Contender("FastAPI, whole stack, database", (*uvicorn, f"{peers}:app"), keeps=True)
    yield Contender("FastAPI, one route", (*uvicorn, f"{peers}_bare:app"), keeps=True)


@contextmanager
def running(contender: Contender, home: Path, port: int, bytecode: Path) -> Iterator[psutil.Popen]:
    """The server's process."""
    command = [
        part.replace("PORT", str(port)).replace("HOME", str(home)) for part in contender.command
    ]
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CC_", "XDG_", "PYTHON"))
    }
    environment |= {"HOME": str(home), "PYTHONPYCACHEPREFIX": str(bytecode)}
    with psutil.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def ask(port: int) -> bytes:
    """The answer to `GET /health`, on a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(
            b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port
        )
        return b"".join(iter(lambda: sock.recv(65536), b""))


def is_well(port: int) -> bool:
    """Return whether the server answers, and well."""
    try:
        return ask(port).startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        number: int = sock.getsockname()[1]
    return number


def measure(contender: Contender, home: Path, bytecode: Path) -> Start:
    """Start it, ask it, and end it."""
    port = free_port()
    began = time.perf_counter()
    with running(contender, home, port, bytecode) as process:
        while not is_well(port):
            assert process.poll() is None, "The server ended."
            assert time.perf_counter() < began + PATIENCE, "The server does not answer."
            time.sleep(PAUSE)
        elapsed = time.perf_counter() - began
        used = process.cpu_times()
        memory = process.memory_full_info()
        for _ in range(REQUESTS):
            assert is_well(port)
        later = process.memory_full_info()
    return Start(
        elapsed=elapsed,
        processor=used.user + used.system,
        uss=memory.uss,
        rss=memory.rss,
        uss_later=later.uss,
        rss_later=later.rss,
    )


def main(rounds: int = 7) -> None:
    """Take turns, and tell."""
    found: dict[Contender, list[Start]] = {contender: [] for contender in contenders()}
    with tempfile.TemporaryDirectory() as folder:
        bytecode = Path(folder, "bytecode")
        for turn in range(rounds + 1):
            for number, (contender, starts) in enumerate(found.items()):
                home = Path(folder, f"{number}-{0 if contender.keeps else turn}")
                home.mkdir(exist_ok=True)
                start = measure(contender, home, bytecode)
                if turn:
                    starts.append(start)
    print(f"{'':34} first answer, processor; USS, RSS; after {REQUESTS} requests")
    for contender, starts in found.items():
        median = {
            field.name: statistics.median(getattr(start, field.name) for start in starts)
            for field in attrs.fields(Start)
        }
        print(
            f"{contender.name:34} {median['elapsed']:6.2f} s      {median['processor']:6.2f} s;"
            + " MiB;".join(
                f" {median[uss] / 2**20:.0f}, {median[rss] / 2**20:.0f}"
                for uss, rss in (("uss", "rss"), ("uss_later", "rss_later"))
            )
            + " MiB"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
