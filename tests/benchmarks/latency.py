"""The time that a word of Codex takes to a watcher, while 20 sessions stream at once.

Run it with `python -m tests.benchmarks.latency [sessions] [rounds]`.

A stand-in for Codex's app-server waits until all sessions have begun a turn. Then it prints
deltas, one a millisecond, for one session after the other; each says when it was printed. One
WebSocket takes what all of them say, and notes when each frame has come.

The peer is as little as can be between the two: a process that starts the same stand-in and
copies the text of each delta to a socket. What it takes is the machine's: two hand-overs between
processes, and whatever else runs. Rounds take turns.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import psutil

from tests.checkout import ROOT
from tests.end_to_end.server import Server

SESSIONS = 20
SECONDS = 4.0
PAUSE = 0.001
LIMIT_MS = 10.0
"""The aim for the 99th percentile."""

Watched: TypeAlias = tuple[socket.socket, psutil.Process]
"""The messages that come, and whose work they are."""

_MOMENT = re.compile(rb"@(\d+\.\d{6})")


def be_codex(sessions: int) -> None:
    """Speak as an app-server does, and tell the time once so many turns have begun."""

    def say(message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    turns: list[dict[str, str]] = []
    while len(turns) < sessions:
        message = json.loads(sys.stdin.readline())
        number, thread = message.get("id"), f"t{len(turns)}"
        match message.get("method"):
            case "thread/start":
                thread = f"t{number}"
                held = {"activePermissionProfile": {"id": message["params"].get("permissions")}}
                opened = {"id": thread, "status": {"type": "idle"}}
                say({"id": number, "result": {"thread": opened, **held}})
            case "turn/start":
                turns.append({"threadId": message["params"]["threadId"], "turnId": f"u{number}"})
                began = {"id": f"u{number}", "status": "inProgress", "items": []}
                say({"id": number, "result": {"turn": began}})
            case "initialize":
                say({"id": number, "result": {"userAgent": "clock/0.163.0"}})
            case _ if number is not None:
                say({"id": number, "result": {"data": [], "nextCursor": None}})
    time.sleep(0.5)  # until what the turns' beginning costs is over
    ends = time.monotonic() + SECONDS
    while time.monotonic() < ends:
        for turn in turns:
            time.sleep(PAUSE)
            params = {**turn, "itemId": "i1", "delta": f"@{time.time():.6f} "}
            say({"method": "item/agentMessage/delta", "params": params})
    for turn in turns:
        ended = {"id": turn["turnId"], "status": "completed", "items": []}
        say({"method": "turn/completed", "params": {"threadId": turn["threadId"], "turn": ended}})
    sys.stdin.read()


def copy(sessions: int) -> None:
    """Be the peer, on the port that is printed."""
    command = [sys.executable, "-m", "tests.benchmarks.latency", "--codex", str(sessions)]
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as codex,
    ):
        assert codex.stdin is not None
        assert codex.stdout is not None
        print(listening.getsockname()[1], flush=True)
        watcher = listening.accept()[0]
        watcher.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(sessions):
            turn = {"id": number, "method": "turn/start", "params": {"threadId": f"t{number}"}}
            codex.stdin.write(json.dumps(turn).encode() + b"\n")
        while data := codex.stdout.read(65536):
            if b"turn/completed" in data:
                break
            watcher.sendall(data)
        codex.stdin.close()
        codex.stdout.read()  # the ends of the other turns


@contextmanager
def copied(sessions: int) -> Iterator[Watched]:
    """A connection to the peer."""
    command = [sys.executable, "-m", "tests.benchmarks.latency", "--copy", str(sessions)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as sock:
            yield sock, psutil.Process(process.pid)


@contextmanager
def watched(sessions: int) -> Iterator[Watched]:
    """A WebSocket of the product, in which so many sessions are about to stream."""
    command = f"{sys.executable} -m tests.benchmarks.latency --codex {sessions}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "--quiet", folder / "checkout"], check=True)  # noqa: S607 - the developer's git
        settings = {"CC_CODEX_COMMAND": command, "CC_MAX_SESSIONS": str(sessions)}
        server = Server(folder / "data", settings, is_fresh=True).start()
        assert server.process is not None
        try:
            with _websocket(int(server.url.rpartition(":")[2])) as sock:
                _run(server.url, folder / "checkout", sessions)
                yield sock, psutil.Process(server.process.pid)
        finally:
            server.stop()


def _websocket(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.sendall(
        b"GET /api/events/stream?type=session.output.delta HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    head = sock.recv(65536)
    assert head.startswith(b"HTTP/1.1 101"), head
    return sock


def _run(url: str, checkout: Path, sessions: int) -> None:
    with httpx.Client(base_url=url, timeout=60) as http:
        made = http.post("/api/repos", json={"localPath": str(checkout)})
        repository = made.raise_for_status().json()["id"]
        for _ in range(sessions):
            task = {"repositoryId": repository, "title": "T", "prompt": "Tell the time."}
            made = http.post("/api/tasks", json=task).raise_for_status()
            run = {"sandbox": "read-only"}
            http.post(f"/api/tasks/{made.json()['id']}/run", json=run).raise_for_status()


def delays(sock: socket.socket) -> list[float]:
    """Milliseconds from each delta's printing to its coming here, until none comes any more."""
    found: list[float] = []
    sock.settimeout(30.0)
    rest = b""
    while True:
        try:
            data = sock.recv(65536)
        except TimeoutError:
            break
        now = time.time()
        if not data:
            break
        rest += data
        last = 0
        for moment in _MOMENT.finditer(rest):
            found.append(1000 * (now - float(moment[1])))
            last = moment.end()
        rest = rest[last:][-4096:]
        sock.settimeout(SECONDS)
    assert found, "nothing came"
    return found


def main(sessions: int = SESSIONS, rounds: int = 3) -> None:
    """Take turns, and tell."""
    found: dict[str, list[float]] = {"Codex to watcher": [], "the lines, only copied": []}
    seconds = dict.fromkeys(found, 0.0)
    for _ in range(rounds):
        for name, connected in zip(found, (watched, copied), strict=True):
            with connected(sessions) as (sock, process):
                before = sum(process.cpu_times()[:2])
                found[name] += delays(sock)
                seconds[name] += sum(process.cpu_times()[:2]) - before
    print(f"{sessions} sessions")
    for name, each in found.items():
        cuts = statistics.quantiles(each, n=1000)
        late = sum(delay > LIMIT_MS for delay in each) / len(each)
        print(
            f"  {name:24} {len(each):6} deltas: median {cuts[499]:5.2f} ms, p99 {cuts[989]:6.2f}"
            f" ms, p99.9 {cuts[998]:6.2f} ms; {late:.2%} above {LIMIT_MS:.0f} ms;"
            f" {1e6 * seconds[name] / len(each):4.0f} µs of processor"
        )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--codex", number, *_]:  # Codex's own words follow
            be_codex(int(number))
        case ["--copy", number]:
            copy(int(number))
        case numbers:
            main(*map(int, numbers))
