"""Carry what comes to a port of the loopback to a socket in the file system.

It runs in a network namespace that has no other way out: `python -m tests.end_to_end.carried PORT
SOCKET`. Sockets in the file system are the same in each.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from functools import partial

import trio


async def carry(
    there: Callable[[], Awaitable[trio.SocketStream]], stream: trio.SocketStream
) -> None:
    """Carry one connection to what is `there`."""

    async def pump(source: trio.SocketStream, target: trio.SocketStream) -> None:
        try:
            while data := await source.receive_some(64 * 1024):
                await target.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        nursery.cancel_scope.cancel()

    try:
        async with stream, await there() as other, trio.open_nursery() as nursery:
            nursery.start_soon(pump, stream, other)
            nursery.start_soon(pump, other, stream)
    except* OSError:
        pass


async def main(port: int, path: str) -> None:
    """Carry until it is ended."""
    there = partial(trio.open_unix_socket, path)
    await trio.serve_tcp(partial(carry, there), port, host="127.0.0.1")


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), sys.argv[2])
