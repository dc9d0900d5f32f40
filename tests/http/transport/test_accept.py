"""The loop that takes connections: it outlives whatever `accept` fails with."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterable

import pytest
import structlog
import trio
from trio.testing import MockClock

from command_center.http.transport.accept import (
    PAUSE_SECONDS,
    ROOM_SECONDS,
    accept,
    room_for_connections,
)


class Listener(trio.abc.Listener[trio.abc.Stream]):
    """Fails with these errors, one after the other; then it has one stream, and no more."""

    def __init__(self, errors: Iterable[OSError]) -> None:
        self._errors = iter(errors)
        self._has_more = True
        self.closed = False

    async def accept(self) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        for error in self._errors:
            raise error
        if not self._has_more:
            await trio.sleep_forever()
        self._has_more = False
        return trio.testing.memory_stream_pair()[0]

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


FULL = OSError(errno.EMFILE, "Too many open files")


async def taken_after(errors: Iterable[OSError], *, silent: int = 0) -> tuple[float, list[str]]:
    """After how long a connection was taken, and what the log was told.

    Of the connections that are there, `silent` can be ended.
    """
    listener = Listener(errors)
    taken: list[float] = []
    ends = iter([True] * silent)

    def make_room() -> bool:
        return next(ends, False)

    async def handler(_stream: object) -> None:
        taken.append(trio.current_time())
        nursery.cancel_scope.cancel()
        await trio.lowlevel.checkpoint()

    began = trio.current_time()
    with structlog.testing.capture_logs() as logs:
        async with trio.open_nursery() as nursery:
            await accept(handler, [listener], handler_nursery=nursery, make_room=make_room)
    assert listener.closed
    return taken[0] - began, [f"{line['event']}: {line['error']}" for line in logs]


async def test_without_a_free_descriptor_it_makes_room_waits_and_goes_on(
    autojump_clock: MockClock,
) -> None:
    waited, told = await taken_after([FULL] * 50, silent=20)
    assert pytest.approx(20 * ROOM_SECONDS + 30 * PAUSE_SECONDS) == waited
    assert [f"accept.failed: {FULL}"] == told


async def test_what_lasts_is_told_again_after_a_while(autojump_clock: MockClock) -> None:
    _, told = await taken_after([FULL] * 250)
    assert 3 == len(told)


async def test_an_error_that_nobody_thought_of_ends_nothing(autojump_clock: MockClock) -> None:
    _, told = await taken_after([OSError(errno.EPERM, "Forbidden by a firewall")])
    assert 1 == len(told)


if sys.platform != "win32":
    import resource

    def test_connections_leave_a_quarter_of_the_descriptors_to_others() -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))
            assert 300 == room_for_connections()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
