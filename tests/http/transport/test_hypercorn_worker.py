"""hypercorn's faults: gone where our connection sits, and still there where it does not.

A test that fails because a fault is gone without the guard tells that hypercorn was repaired.
"""

from __future__ import annotations

import hypercorn.trio.run
import pytest
import structlog
import trio
import trio.testing
from quart import websocket
from quart_trio import QuartTrio

from command_center.http.transport import hypercorn_worker
from command_center.http.transport.channel import ConnectionLimits
from tests.http.live import served

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
        async with served(app(), guarded=guarded) as address:
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
        served(app(), guarded=guarded, limits=limits, grace=0.1) as address,
        await trio.open_tcp_stream("127.0.0.1", address.port) as stream,
    ):
        await get(stream)
        closed = False
        with trio.move_on_after(0.5):
            closed = await stream.receive_some() == b""
    assert guarded == closed


@both
async def test_an_idle_client_does_not_hold_the_shutdown_up(guarded: bool) -> None:  # noqa: FBT001 - a parameter
    async with served(app(), guarded=guarded, grace=0.7) as address:
        stream = await trio.open_tcp_stream("127.0.0.1", address.port)
        await get(stream)
        began = trio.current_time()
    quick = trio.current_time() - began < 0.5
    await stream.aclose()
    assert guarded == quick


def test_the_installed_version_is_one_that_was_tested() -> None:
    assert hypercorn_worker.fits()


def test_the_worker_looks_its_connection_up_where_we_sit() -> None:
    worker = hypercorn.trio.run.worker_serve
    assert {hypercorn_worker.SEAT, "trio", hypercorn_worker.LOOP} <= {*worker.__code__.co_names}
    assert worker.__closure__ is None
    assert worker.__defaults__ is None


async def test_another_version_is_served_as_it_is_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hypercorn_worker, "TESTED", frozenset({"0.0.1"}))
    with structlog.testing.capture_logs() as logs:
        async with (
            served(app(), grace=0.1) as address,
            await trio.open_tcp_stream("127.0.0.1", address.port) as stream,
        ):
            await get(stream)
    assert [("serving.unguarded", ["0.0.1"])] == [(line["event"], line["tested"]) for line in logs]
