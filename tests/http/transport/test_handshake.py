"""The handshake of a WebSocket: taken, refused, answered otherwise, or never answered."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import structlog
import trio
import trio.testing
from wsproto.frame_protocol import Opcode

from command_center.http.transport.channel import ConnectionLimits
from command_center.http.wire.asgi import App, Message, Receive, Scope, Send
from tests.http.transport.connected import connected, everything, until
from tests.http.transport.websockets import (
    ACCEPTED,
    accepting,
    client_of,
    closing,
    echo,
    error_in,
    frame,
    handshake,
    opened,
)


async def test_the_app_is_told_the_request_and_may_choose_a_subprotocol() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        scopes.append(scope)
        headers = [(b"x-y", b"z")]
        await send({"type": "websocket.accept", "subprotocol": "b", "headers": headers})

    async with client_of(app) as client:
        assert "b" == client.subprotocol
        assert (b"x-y", b"z") in client.handshake_headers
    assert ("websocket", "ws", "/socket", ["a", "b"]) == tuple(
        scopes[0][key] for key in ("type", "scheme", "path", "subprotocols")
    )


async def test_subprotocols_may_come_in_several_lines() -> None:
    offered: list[str] = []

    async def app(scope: Scope, _: Receive, __: Send) -> None:
        offered.extend(scope["subprotocols"])

    lines = {"Sec-WebSocket-Protocol": "a, b", "sec-websocket-protocol": "c"}
    with structlog.testing.capture_logs():
        async with connected(app) as server:
            await server.exchange(handshake(lines))
    assert ["a", "b", "c"] == offered


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Sec-WebSocket-Version": "12"}, 426),
        ({"Sec-WebSocket-Version": None}, 426),
        ({"Sec-WebSocket-Key": None}, 400),
        ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
        ({"Sec-WebSocket-Key": "no base64 at all!!!!!!!=="}, 400),
        ({"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}, 400),
        ({"Content-Length": "2"}, 400),
        ({"Transfer-Encoding": "chunked"}, 400),
    ],
)
async def test_a_handshake_that_is_none_is_refused(
    changes: Mapping[str, str | None], status: int
) -> None:
    async with connected(accepting) as server:
        answer = await server.exchange(handshake(changes))
    assert (status, status) == error_in(answer)
    if status == 426:
        assert b"sec-websocket-version: 13" in answer.lower()
        assert b"connection: upgrade" in answer.lower()


@pytest.mark.parametrize(
    "asked",
    [
        handshake({"Upgrade": "h2c"}),
        handshake({"Connection": "keep-alive"}),
        handshake({"Connection": "keep-alive, Upgrade"}).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_without_both_words_or_in_http_1_0_it_is_a_plain_request(asked: bytes) -> None:
    kinds: list[str] = []

    async def app(scope: Scope, _: Receive, send: Send) -> None:
        kinds.append(scope["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"here"})

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(asked)
        await until(stream, b"here")
    assert ["http"] == kinds


async def test_a_websocket_may_be_one_of_the_protocols_that_are_offered() -> None:
    async with connected(accepting) as server, await server.connect() as stream:
        await stream.send_all(handshake({"Upgrade": "h2c, websocket"}))
        assert ACCEPTED in await until(stream, b"\r\n\r\n")


async def test_the_app_may_answer_the_handshake_with_an_answer_of_its_own() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"999")]
        start = {"type": "websocket.http.response.start", "status": 404, "headers": headers}
        await send(start)
        body = {"type": "websocket.http.response.body", "body": b'{"error":', "more_body": True}
        await send(body)
        await send({"type": "websocket.http.response.body", "body": b'{"statusCode":404}}'})

    async with connected(app) as server:
        answer = await server.exchange(handshake())
    assert (404, 404) == error_in(answer)
    assert b"\r\ndate: " in answer


async def test_a_close_before_the_handshake_is_403() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.close", "code": 1008})

    async with connected(app) as server:
        assert (403, 403) == error_in(await server.exchange(handshake()))


@pytest.mark.parametrize(
    "refusal",
    [
        [{"type": "websocket.close", "code": 1008}],
        [
            {"type": "websocket.http.response.start", "status": 403, "headers": []},
            {"type": "websocket.http.response.body", "body": b"no"},
        ],
    ],
)
async def test_a_handshake_may_be_refused_while_another_task_of_the_app_receives(
    refusal: list[Message],
) -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                while True:
                    await receive()

            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            for message in refusal:
                await send(message)
            nursery.cancel_scope.cancel()

    with structlog.testing.capture_logs() as logs:
        async with connected(app) as server:
            answer = await server.exchange(handshake())
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert [] == logs


async def failing(_: Scope, __: Receive, ___: Send) -> None:
    raise RuntimeError("hunter2")


async def silent(_: Scope, __: Receive, ___: Send) -> None:
    pass


@pytest.mark.parametrize("app", [failing, silent])
async def test_an_app_that_fails_before_the_handshake_is_500(app: App) -> None:
    with structlog.testing.capture_logs():
        async with connected(app) as server:
            answer = await server.exchange(handshake())
    assert (500, 500) == error_in(answer)
    assert b"hunter2" not in answer


async def test_bytes_before_the_handshakes_answer_wait_for_it() -> None:
    async with connected(echo) as server, await server.connect() as stream:
        await stream.send_all(handshake() + frame(Opcode.TEXT, b"early"))
        assert (await until(stream, b"early")).startswith(b"HTTP/1.1 101 ")


async def test_what_comes_behind_an_early_close_is_no_failure() -> None:
    async def app(_: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send, {"type": "websocket.accept"})
            while (await receive())["type"] != "websocket.disconnect":
                pass

    def slow(stream: trio.SocketStream) -> None:
        send_all = stream.send_all

        async def send(data: bytes) -> None:
            await send_all(data)
            await trio.testing.wait_all_tasks_blocked(0.01)

        stream.send_all = send  # type: ignore[method-assign,assignment]

    with structlog.testing.capture_logs() as logs:
        async with connected(app, prepare=slow) as server, await server.connect() as stream:
            await stream.send_all(handshake() + frame(Opcode.CLOSE, (1000).to_bytes(2, "big")))
            await until(stream, closing(1000))
            await stream.send_all(b"x")
            await stream.send_eof()
            assert b"" == await everything(stream)
    assert [] == logs


async def test_no_more_than_a_message_waits_for_the_handshakes_answer() -> None:
    codes: list[int] = []
    ended = trio.Event()

    async def app(_: Scope, receive: Receive, __: Send) -> None:
        assert {"type": "websocket.connect"} == await receive()
        codes.append((await receive())["code"])
        ended.set()

    async with (
        connected(app, ConnectionLimits(message_bytes=1000)) as server,
        await server.connect() as stream,
    ):
        await stream.send_all(handshake())
        for _ in range(11):
            await stream.send_all(bytes(100))
        await ended.wait()
    assert [1009] == codes


async def test_a_stray_byte_behind_the_handshake_ends_that_connection_alone() -> None:
    async with connected(echo) as server:
        answer = await server.exchange(handshake() + b"xxxxxxxxxxxxxxxx")
        assert closing(1002)[-2:] in answer
        async with opened(server) as stream:
            await stream.send_all(frame(Opcode.TEXT, b"hello"))
            await until(stream, b"hello")
