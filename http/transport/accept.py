"""Taking in connections, also where the process has no file descriptor left for another one.

Connections may have three quarters of the process's file descriptors (`room_for_connections`); the
rest is for what runs behind them: the database, and the pipes of git and of Codex. Where the limit
is reached, or was lowered meanwhile, a connection whose client is silent makes room for the next
(`Connections`). Nothing that `accept` fails with ends the loop: it tells the log, though not each
time, waits a moment and tries again; whoever connects meanwhile waits in the system's queue.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
import trio

if sys.platform != "win32":
    import resource

DESCRIPTORS = 10_240
"""File descriptors that macOS lets a process have at most."""

PAUSE_SECONDS = 0.1
"""Seconds from a failure until the next connection is taken."""

ROOM_SECONDS = 0.01
"""The same, where a connection ends to make room."""

SILENT_SECONDS = 10.0
"""Seconds that the log is silent about what it has told."""

Handler = Callable[[Any], Awaitable[object]]
"""A function that serves a stream, and closes it."""

log = structlog.get_logger("command_center.http")


def room_for_connections() -> float:
    """Return how many connections the process's free file descriptors are enough for."""
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            return soft * 3 // 4
    return math.inf


def ask_for_descriptors() -> None:
    """Raise the process's limit of file descriptors, which many systems begin low.

    What it starts inherits the limit.
    """
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            # Some systems have a lower limit than the one that they tell.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Occasional:
    """A log line of what may happen all the time; it is written every ten seconds at most."""

    def __init__(self, event: str) -> None:
        """Tell of `event`."""
        self._event = event
        self._next = -math.inf

    def tell(self, **facts: object) -> None:
        """Tell of it, unless that was done a moment ago."""
        now = trio.current_time()
        if now >= self._next:
            self._next = now + SILENT_SECONDS
            log.warning(self._event, **facts)


async def accept(
    handler: Handler,
    listeners: Sequence[trio.abc.Listener[Any]],
    *,
    handler_nursery: trio.Nursery,
    make_room: Callable[[], bool],
) -> None:
    """Serve what connects to `listeners`, until cancelled, and close them then.

    `handler` is run in `handler_nursery`. Where no connection can be taken, `make_room` is asked to
    end one of those that are there.
    """
    failed = Occasional("accept.failed")

    async def serve(listener: trio.abc.Listener[Any]) -> None:
        async with listener:
            while True:
                try:
                    stream = await listener.accept()
                except OSError as error:
                    failed.tell(error=str(error))
                    await trio.sleep(ROOM_SECONDS if make_room() else PAUSE_SECONDS)
                else:
                    handler_nursery.start_soon(handler, stream)

    async with trio.open_nursery() as nursery:
        for listener in listeners:
            nursery.start_soon(serve, listener)
