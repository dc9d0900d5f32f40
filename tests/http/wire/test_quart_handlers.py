from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import structlog
import trio
import trio.testing
from quart import Response, request, websocket
from quart_trio import QuartTrio

from command_center.http.wire.problems import install_error_handlers
from tests.http.live import client_of, served


def app() -> QuartTrio:
    app = QuartTrio(__name__)

    @app.get("/data")
    async def data() -> Response:
        return Response(b"0123456789", content_type="application/json")

    @app.get("/part")
    async def part() -> Response:
        response = Response(b"0123456789")
        await response.make_conditional(request, accept_ranges=True, complete_length=10)
        return response

    @app.get("/numbers")
    async def numbers() -> Response:
        async def generate() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"%d\n" % number

        return Response(generate())

    @app.post("/echo")
    async def echo() -> bytes:
        return await request.get_data(cache=False, as_text=False, parse_form_data=False)

    @app.get("/redirect")
    async def redirect() -> Response:
        return app.redirect("/data")  # type: ignore[return-value]

    return app


async def test_an_answer_made_at_once_has_its_length() -> None:
    async with client_of(app()) as client:
        answer = await client.get("/data")
        assert ("10", b"0123456789") == (answer.headers["content-length"], answer.content)
        assert "transfer-encoding" not in answer.headers


async def test_a_part_of_an_answer_is_that_part() -> None:
    async with client_of(app()) as client:
        answer = await client.get("/part", headers={"Range": "bytes=2-4"})
        assert (206, b"234") == (answer.status_code, answer.content)


async def test_a_stream_is_sent_as_it_is_made() -> None:
    async with client_of(app()) as client:
        assert "0\n1\n2\n" == (await client.get("/numbers")).text


async def test_a_redirection_is_an_answer_too() -> None:
    async with client_of(app()) as client:
        answer = await client.get("/redirect")
        assert (302, "/data") == (answer.status_code, answer.headers["location"])


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024])
async def test_a_body_is_there_when_the_handler_runs(size: int) -> None:
    async with client_of(app()) as client:
        assert size == len((await client.post("/echo", content=b"x" * size)).content)


async def test_what_a_request_has_begun_is_ended_though_its_client_has_left() -> None:
    begun, release, ended = trio.Event(), trio.Event(), trio.Event()
    slow = app()

    @slow.post("/slow")
    async def answer() -> str:
        begun.set()
        await release.wait()
        ended.set()
        return "done"

    async with served(slow) as address:
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(b"POST /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await begun.wait()
        await trio.testing.wait_all_tasks_blocked()
        release.set()
        await ended.wait()


async def test_a_stream_is_cut_when_its_client_leaves() -> None:
    cut = trio.Event()
    streaming = app()

    @streaming.get("/stream")
    async def stream() -> Response:
        async def forever() -> AsyncIterator[bytes]:
            try:
                yield b": hello\n\n"
                await trio.sleep_forever()
            finally:
                cut.set()

        return Response(forever(), content_type="text/event-stream")

    async with served(streaming) as address:
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as connection:
            await connection.send_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while b"hello" not in await connection.receive_some():
                pass
        await cut.wait()


@pytest.mark.parametrize(
    ("content_type", "ends"), [("text/event-stream", False), ("text/plain", True)]
)
async def test_only_an_event_stream_has_no_time_limit(content_type: str, ends: bool) -> None:  # noqa: FBT001 - a parameter
    streaming = app()
    streaming.config["RESPONSE_TIMEOUT"] = 0.05

    @streaming.get("/stream")
    async def stream() -> Response:
        async def forever() -> AsyncIterator[bytes]:
            yield b"x"
            await trio.sleep_forever()

        return Response(forever(), content_type=content_type)

    async with (
        served(streaming) as address,
        await trio.open_tcp_stream("127.0.0.1", address.port) as connection,
    ):
        await connection.send_all(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ended = False
        with trio.move_on_after(0.3):
            async for _ in connection:
                pass
            ended = True
    assert ends == ended


async def test_a_websockets_client_that_leaves_is_no_failure() -> None:
    listening = app()
    ended = trio.Event()

    @listening.websocket("/socket")
    async def socket() -> None:
        await websocket.accept()
        try:
            while True:
                await websocket.receive()
        finally:
            ended.set()

    install_error_handlers(listening)
    with structlog.testing.capture_logs() as logs:
        async with served(listening) as address:
            async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
                await stream.send_all(
                    b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                    b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                    b"Sec-WebSocket-Version: 13\r\n\r\n"
                )
                assert b"101" in await stream.receive_some()
            await ended.wait()
    assert [] == logs
