"""The time that a server takes to close all of its WebSockets, and its processor time for that.

Run it with `python -m tests.benchmarks.closing [clients]`. The clients are sockets in a process of
their own, which answer the close as RFC 6455 wants it, or, as others, leave it unanswered. The
server is one that a user starts, and is ended by a signal.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.fanout import spent
from tests.checkout import ROOT
from tests.end_to_end.server import Server

CLIENTS: Final = 4000
HEAD: Final = (
    b"GET /api/events/stream?type=benchmark.event HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
RESTARTS: Final = (1012).to_bytes(2, "big")
"""The begin of a close frame of a server that restarts, after its two bytes of length."""
ANSWER: Final = b"\x88\x82\x00\x00\x00\x00" + RESTARTS
"""The answer, masked by zeros."""
PING: Final = b"\x89\x00"
PONG: Final = b"\x8a\x80\x00\x00\x00\x00"


def be_clients(port: int, clients: int, *, answers: bool) -> None:
    """Be all of them: a line on stdout when they are there, and one when all are closed."""
    selector = selectors.DefaultSelector()
    for _ in range(clients):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.sendall(HEAD)
        while b"\r\n\r\n" not in sock.recv(65536):
            pass
        selector.register(sock, selectors.EVENT_READ)
        for key, _ in selector.select(0):  # meanwhile others are pinged
            hear(key.fileobj, answers=False)
    os.write(1, b"ready\n")
    told = 0
    while selector.get_map():
        for key, _ in selector.select():
            came = hear(key.fileobj, answers=answers)
            told += RESTARTS in came
            if not came:
                selector.unregister(key.fileobj)
                key.fileobj.close()  # type: ignore[union-attr]
    os.write(1, b"%d\n" % told)


def hear(sock: Any, *, answers: bool) -> bytes:
    """Read what has come, and answer a ping, or a close; return nothing at the end."""
    try:
        came: bytes = sock.recv(65536)
        if answers and RESTARTS in came:
            sock.sendall(ANSWER)
        elif PING in came:
            sock.sendall(PONG)
    except OSError:
        return b""
    return came


def measure(clients: int, *, answers: bool) -> str:
    """One server and its clients, from the signal to its end."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {"CC_CODEX_RUNNER_MODE": "stub", "CC_LOG_LEVEL": "warning"}
        server = Server(Path(folder) / "data", settings, is_fresh=True).start()
        port = server.url.rpartition(":")[2]
        command = [sys.executable, "-m", "tests.benchmarks.closing", "clients"]
        arguments = [port, str(clients), *(["answers"] if answers else [])]
        with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert isinstance(server.process, subprocess.Popen)
            before = spent(server.process.pid)
            began = time.perf_counter()
            server.process.send_signal(signal.SIGTERM)
            told = int(process.stdout.readline())
            closed = time.perf_counter() - began
            ended, took = 0.0, 0.0
            if sys.platform != "win32":
                _, _, usage = os.wait4(server.process.pid, 0)
                ended = time.perf_counter() - began
                took = usage.ru_utime + usage.ru_stime - before
    return (
        f"{told} of {clients} told, all closed after {closed:.2f} s, "
        f"ended after {ended:.2f} s, {took:.2f} s of the processor"
    )


def main(clients: int) -> None:
    """Measure, and print."""
    for answers in (True, False):
        print(f"{'answer' if answers else 'silent'}: {measure(clients, answers=answers)}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["clients"]:
        be_clients(int(sys.argv[2]), int(sys.argv[3]), answers="answers" in sys.argv)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else CLIENTS)
