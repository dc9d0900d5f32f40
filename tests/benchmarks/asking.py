"""A cheap client for benchmarks: raw sockets in one selector, so that the server is measured.

It shares the machine with the server, so what it takes, the server lacks. Each connection has one
request at a time.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack

import attrs
import psutil

ROUND_SECONDS = 1.0
HEAD = "Host: localhost\r\nAccept: */*\r\nUser-Agent: benchmark\r\n"


def post(path: str, body: bytes) -> bytes:
    """A POST of JSON."""
    head = (
        f"POST {path} HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@attrs.define
class Asked:
    """A server's process, and what the rounds of asking it gave.

    Attributes:
        context: the client's side of TLS, where the server speaks it.
    """

    process: psutil.Process
    port: int
    rates: list[float] = attrs.field(factory=list)
    microseconds: list[float] = attrs.field(factory=list)
    waits: list[float] = attrs.field(factory=list)
    context: ssl.SSLContext | None = attrs.field(default=None, kw_only=True)

    def round(self, sent: bytes, connections: int) -> None:
        """Ask for a while over some connections."""
        before, began = self._processor_seconds(), time.perf_counter()
        waits = list(_ask(self.port, sent, connections, self.context))
        self.rates.append(len(waits) / (time.perf_counter() - began))
        self.microseconds.append((self._processor_seconds() - before) / len(waits) * 1e6)
        self.waits += waits

    def forget(self) -> None:
        """Forget the rounds so far."""
        self.rates.clear()
        self.microseconds.clear()
        self.waits.clear()

    @property
    def rate(self) -> float:
        """Requests a second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def cost(self) -> float:
        """Microseconds of the server's processor time for a request, the median of the rounds."""
        return statistics.median(self.microseconds)

    def tell(self) -> str:
        """The figures in a line."""
        waits = statistics.quantiles(self.waits, n=100)
        return (
            f"{self.rate:6.0f}/s {self.cost:5.0f} µs of processor; "
            f"p50 {waits[49] * 1e3:5.1f} ms, p99 {waits[98] * 1e3:5.1f} ms"
        )

    def _processor_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def _ask(
    port: int, sent: bytes, connections: int, context: ssl.SSLContext | None
) -> Iterator[float]:
    """Yield how long each request took, in seconds."""
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        clients = [stack.enter_context(_connected(port, context)) for _ in range(connections)]
        began, came = {}, dict.fromkeys(range(connections), b"")
        for number, client in enumerate(clients):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ, number)
            began[number] = time.perf_counter()
            client.sendall(sent)
        ends = time.perf_counter() + ROUND_SECONDS
        while time.perf_counter() < ends:
            for key, _ in selector.select():
                number = key.data
                came[number] += clients[number].recv(65536)
                if _is_whole(came[number]):
                    now = time.perf_counter()
                    yield now - began[number]
                    began[number], came[number] = now, b""
                    clients[number].sendall(sent)


def _connected(port: int, context: ssl.SSLContext | None) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    return client if context is None else context.wrap_socket(client, server_hostname="localhost")


def _is_whole(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    assert head.startswith(b"HTTP/1.1 20"), answer
    return len(body) == int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
