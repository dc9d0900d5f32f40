"""hypercorn's faults: gone where our connection sits, and still there where it does not.

A test that fails because a fault is gone without the guard tells that hypercorn was repaired.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import hypercorn.trio.run
import pytest
import trio
import trio.testing
from quart import websocket
from quart_trio import QuartTrio

from command_center.http.transport import hypercorn_worker
from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.listen import BoundAddress
from command_center.http.wire.problems import UntestedHypercorn
from tests.http.live import served, stock_served

Serving: TypeAlias = Callable[..., AbstractAsyncContextManager[BoundAddress]]

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

both = pytest.mark.parametrize("guarded", [True, False])


def app() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.get("/")
    async def get() -> str:
        return "here"

    @app.websocket("/socket")
    async def socket() -> None:
        await websocket.accept()
        await websocket.receive()

    return app


def serving(guarded: bool) -> Serving:  # noqa: FBT001 - a parameter of the tests
    return served if guarded else stock_served


async def get(stream: trio.SocketStream) -> bytes:
    await stream.send_all(GET)
    answer = b""
    while not answer.endswith(b"here"):
        part = await stream.receive_some()
        assert part
        answer += part
    return answer


@both
async def test_a_byte_behind_an_upgrade_ends_no_server(guarded: bool) -> None:  # noqa: FBT001 - a parameter
    survived = False
    try:
        async with serving(guarded)(app()) as address:
            async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
                await stream.send_all(UPGRADE + b"x")
                assert b"HTTP/1.1" in await stream.receive_some()
            await trio.testing.wait_all_tasks_blocked()
            async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
                await get(stream)
            survived = True
    except* Exception:  # noqa: BLE001 - whatever ends it, it ends
        assert not survived
    assert guarded == survived


@both
async def test_an_idle_connection_is_closed_after_its_time(guarded: bool) -> None:  # noqa: FBT001 - a parameter
    limits = ConnectionLimits(idle=0.1)
    async with (
        serving(guarded)(app(), limits=limits, grace=0.1) as address,
        await trio.open_tcp_stream("127.0.0.1", address.port) as stream,
    ):
        await get(stream)
        closed = False
        with trio.move_on_after(0.5):
            closed = await stream.receive_some() == b""
    assert guarded == closed


@both
async def test_an_idle_client_does_not_hold_the_shutdown_up(guarded: bool) -> None:  # noqa: FBT001 - a parameter
    async with serving(guarded)(app(), grace=0.7) as address:
        stream = await trio.open_tcp_stream("127.0.0.1", address.port)
        await get(stream)
        began = trio.current_time()
    quick = trio.current_time() - began < 0.5
    await stream.aclose()
    assert guarded == quick


def test_the_installed_version_is_one_that_was_tested() -> None:
    hypercorn_worker.check_version()


def test_the_worker_looks_its_connection_up_where_we_sit() -> None:
    worker = hypercorn.trio.run.worker_serve
    assert {hypercorn_worker.SEAT, "trio", hypercorn_worker.LOOP} <= {*worker.__code__.co_names}
    assert worker.__closure__ is None
    assert worker.__defaults__ is None


async def test_another_version_is_not_served_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypercorn_worker, "TESTED", frozenset({"0.0.1"}))
    with pytest.raises(ExceptionGroup) as refused:
        async with served(app()):
            raise AssertionError("It serves.")
    (reason,) = refused.value.exceptions
    assert isinstance(reason, UntestedHypercorn)
    assert "Install hypercorn 0.0.1 beside it." in str(reason)
