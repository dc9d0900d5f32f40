from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
import structlog
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream
from wsproto.frame_protocol import FrameProtocol, Opcode

from command_center.http.transport.channel import ConnectionLimits
from command_center.http.transport.websocket import FRAMES
from command_center.http.wire.asgi import App, Message, Receive, Scope, Send
from tests.http.transport.connected import Server, connected, everything, until

UPGRADE: Mapping[str, str] = {
    "Host": "localhost",
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
ACCEPTED = b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\0\0\0\0"


def handshake(changes: Mapping[str, str | None] = UPGRADE) -> bytes:
    headers = {**UPGRADE, **changes}
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if value is not None]
    return f"GET /socket HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


def frame(opcode: Opcode, payload: bytes = b"", *, final: bool = True) -> bytes:
    """A client's frame, masked with nothing."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes([(0x80 if final else 0) | opcode]) + length + MASK + payload


def frame_of_ours(opcode: Opcode, payload: bytes = b"") -> bytes:
    """A server's short frame."""
    return bytes([0x80 | opcode, len(payload)]) + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    """How a server's close frame ends."""
    payload = code.to_bytes(2, "big") + reason
    return bytes([0x80 | Opcode.CLOSE, len(payload)]) + payload


async def echo(_: Scope, receive: Receive, send: Send) -> None:
    assert {"type": "websocket.connect"} == await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def accepting(_: Scope, __: Receive, send: Send) -> None:
    await send({"type": "websocket.accept"})


@asynccontextmanager
async def client_of(app: App) -> AsyncIterator[WebSocketConnection]:
    async with connected(app) as server, websocket_to(server) as client:
        yield client


@asynccontextmanager
async def websocket_to(server: Server) -> AsyncIterator[WebSocketConnection]:
    async with await server.connect() as stream, trio.open_nursery() as nursery:
        yield await wrap_client_stream(
            nursery, stream, "localhost", "/socket", subprotocols=["a", "b"]
        )
        nursery.cancel_scope.cancel()


async def reason_of(client: WebSocketConnection) -> tuple[int, str | None]:
    """With what code and reason the server closes."""
    with pytest.raises(ConnectionClosed) as caught:
        await client.get_message()
    assert caught.value.reason is not None
    return caught.value.reason.code, caught.value.reason.reason


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[trio.SocketStream]:
    """A WebSocket of bytes, after its handshake."""
    async with await server.connect() as stream:
        await stream.send_all(handshake())
        assert ACCEPTED in await until(stream, b"\r\n\r\n")
        yield stream


def error_in(answer: bytes) -> tuple[int, int]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    return int(head.split()[1]), msgspec.json.decode(body)["error"]["statusCode"]


# The handshake


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


# Messages


async def test_messages_go_both_ways() -> None:
    async with client_of(echo) as client:
        for message in ("text \u00e9", b"bytes\xff", "", b"", "x" * 100_000):
            await client.send_message(message)
            assert message == await client.get_message()


async def test_a_message_in_pieces_arrives_whole_and_pings_between_are_answered() -> None:
    async with connected(echo) as server, opened(server) as stream:
        await stream.send_all(frame(Opcode.TEXT, b"one ", final=False))
        await stream.send_all(frame(Opcode.PING, b"ping"))
        await until(stream, bytes([0x80 | Opcode.PONG, 4]) + b"ping")
        await stream.send_all(frame(Opcode.CONTINUATION, b"two"))
        await until(stream, bytes([0x80 | Opcode.TEXT, 7]) + b"one two")


async def test_thousands_of_tiny_frames_let_others_have_their_turn() -> None:
    turns = 0

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        nonlocal turns
        await send({"type": "websocket.accept"})
        async with trio.open_nursery() as nursery:

            async def other() -> None:
                nonlocal turns
                while True:
                    await trio.lowlevel.checkpoint()
                    turns += 1

            nursery.start_soon(other)
            while (await receive()).get("text") != "last":
                pass
            nursery.cancel_scope.cancel()

    async with connected(app) as server, opened(server) as stream:
        await stream.send_all(frame(Opcode.TEXT) * 10_000 + frame(Opcode.TEXT, b"last"))
        await until(stream, closing(1000))
    assert turns > 10


async def test_pieces_of_nothing_take_no_memory() -> None:
    async with connected(echo) as server, opened(server) as stream:
        await stream.send_all(frame(Opcode.TEXT, b"a", final=False))
        await stream.send_all(frame(Opcode.CONTINUATION, final=False) * 10_000)
        await stream.send_all(frame(Opcode.PING))
        await until(stream, frame_of_ours(Opcode.PONG))
        (connection,) = server.connections._open
        assert connection._websocket is not None
        assert ["a"] == connection._websocket._parts
        await stream.send_all(frame(Opcode.CONTINUATION, b"b"))
        await until(stream, frame_of_ours(Opcode.TEXT, b"ab"))


async def test_frames_cut_anywhere_are_put_together() -> None:
    async with connected(echo) as server, opened(server) as stream:
        for byte in frame(Opcode.TEXT, b"hello") + frame(Opcode.TEXT, b"world"):
            await stream.send_all(bytes([byte]))
        await until(stream, b"world")


@pytest.mark.parametrize("pieces", [1, 40])
async def test_a_message_that_is_too_long_is_1009(pieces: int) -> None:
    async with (
        connected(echo, ConnectionLimits(message_bytes=1000)) as server,
        opened(server) as stream,
    ):
        await stream.send_all(
            frame(Opcode.TEXT, b"x" * (1001 if pieces == 1 else 100), final=False)
        )
        for _ in range(pieces - 1):
            await stream.send_all(frame(Opcode.CONTINUATION, b"x" * 100, final=False))
        assert closing(1009) in (await everything(stream)).replace(
            b"The message is too long.", b""
        ).replace(bytes([0x80 | Opcode.CLOSE, 26]), bytes([0x80 | Opcode.CLOSE, 2]))


async def test_a_text_is_measured_by_its_bytes() -> None:
    async with (
        connected(echo, ConnectionLimits(message_bytes=1000)) as server,
        opened(server) as stream,
    ):
        await stream.send_all(frame(Opcode.TEXT, "ü".encode() * 501))
        assert b"The message is too long." in await everything(stream)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x05hello", 1002),  # without a mask
        (b"\xf1\x80" + MASK, 1002),  # with reserved bits
        (frame(Opcode.CONTINUATION, b"x"), 1002),
        (frame(Opcode.PING, b"x", final=False), 1002),
        (frame(Opcode.TEXT, b"\xff"), 1007),
    ],
)
async def test_a_frame_that_is_none_is_told_its_code(sent: bytes, code: int) -> None:
    async with connected(echo) as server, opened(server) as stream:
        await stream.send_all(sent)
        answer = await everything(stream)
    assert (Opcode.CLOSE, code) == (answer[0] & 0x0F, int.from_bytes(answer[2:4], "big"))


# The close


async def test_a_clients_close_is_answered_and_told_to_the_app() -> None:
    received: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received.extend([await receive(), await receive()])

    async with client_of(app) as client:
        await client.aclose(4001, "enough")
        assert 4001 == client.closed.code  # type: ignore[union-attr]
    assert [{"type": "websocket.disconnect", "code": 4001}] * 2 == received


async def test_the_apps_close_has_its_code_and_reason() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1013, "reason": "resume"})
        await send({"type": "websocket.send", "text": "too late"})

    async with client_of(app) as client:
        assert (1013, "resume") == await reason_of(client)


async def test_an_app_that_returns_closes_with_1000() -> None:
    async with client_of(accepting) as client:
        assert (1000, None) == await reason_of(client)


async def test_an_app_that_fails_closes_with_1011() -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        raise RuntimeError("hunter2")

    with structlog.testing.capture_logs() as logs:
        async with client_of(app) as client:
            assert (1011, None) == await reason_of(client)
    assert ["request.failed"] == [line["event"] for line in logs]


async def test_a_client_that_vanishes_is_1006_and_what_is_sent_to_it_goes_nowhere() -> None:
    received: list[Message] = []
    done = trio.Event()

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received.append(await receive())
        await send({"type": "websocket.send", "text": "hello?"})
        done.set()

    async with connected(app) as server:
        async with opened(server):
            pass
        await done.wait()
    assert [{"type": "websocket.disconnect", "code": 1006}] == received


async def test_a_client_that_does_not_read_is_given_up() -> None:
    async def app(_: Scope, ___: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        for __ in range(1000):
            await send({"type": "websocket.send", "bytes": bytes(100_000)})

    async with connected(app, ConnectionLimits(write=0.05)) as server, opened(server):
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)


async def test_a_silent_client_is_pinged_and_lives_while_it_answers() -> None:
    async with (
        connected(echo, ConnectionLimits(heartbeat=0.05)) as server,
        opened(server) as stream,
    ):
        for _ in range(5):
            await until(stream, bytes([0x80 | Opcode.PING, 0]))
            await stream.send_all(frame(Opcode.PONG))
        await stream.send_all(frame(Opcode.TEXT, b"alive"))
        await until(stream, b"alive")


async def test_a_client_that_answers_no_ping_is_gone() -> None:
    received: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received.append(await receive())

    async with connected(app, ConnectionLimits(heartbeat=0.05)) as server, opened(server) as stream:
        assert bytes([0x80 | Opcode.PING, 0]) == await everything(stream)
    assert [{"type": "websocket.disconnect", "code": 1006}] == received


# Frames that are offered


def numbered(number: int) -> bytes:
    """A text frame of 70 KB, more than a socket takes of many."""
    payload = b"%08d" % number * 8750
    return b"\x81\x7f" + len(payload).to_bytes(8, "big") + payload


def numbers_in(frames: bytes) -> list[int]:
    """The numbers of whole frames, pongs left out; it fails where one was torn."""
    found = []
    start = 0
    while start < len(frames):
        if frames[start] == 0x80 | Opcode.PONG:
            start += 2 + frames[start + 1]
            continue
        number = int(frames[start + 10 : start + 18])
        size = len(numbered(number))
        assert numbered(number) == frames[start : start + size]
        found.append(number)
        start += size
    return found


async def test_offered_frames_are_sent_whole_and_in_order_whatever_else_is_sent() -> None:
    refusals = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal refusals
        await receive()
        await send({"type": "websocket.accept"})
        offer = scope["extensions"][FRAMES]["offer"]
        assert "websocket.receive" == (await receive())["type"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(discard, receive)
            for number in range(200):
                if not offer(numbered(number)):
                    refusals += 1
                    await send({"type": "websocket.send", "frames": numbered(number)})

    async with connected(app) as server, opened(server) as stream, trio.open_nursery() as nursery:

        async def ping() -> None:
            for _ in range(50):
                await stream.send_all(frame(Opcode.PING))
                await trio.testing.wait_all_tasks_blocked()

        await stream.send_all(frame(Opcode.TEXT, b"begin"))
        nursery.start_soon(ping)
        data = bytearray()
        while numbered(199) not in data[-80_000:]:
            data += await stream.receive_some(50_000)
        nursery.cancel_scope.cancel()
    assert list(range(200)) == numbers_in(bytes(data))
    assert 0 < refusals < 200


async def test_the_rest_of_an_offered_frame_follows_when_the_client_reads_again() -> None:
    offered: list[int] = []
    refused = trio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        offer = scope["extensions"][FRAMES]["offer"]
        assert "websocket.receive" == (await receive())["type"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(discard, receive)
            await trio.testing.wait_all_tasks_blocked()
            while len(offered) < 1000 and offer(numbered(len(offered))):
                offered.append(len(offered))
            refused.set()

    async with connected(app) as server, opened(server) as stream:
        await stream.send_all(frame(Opcode.TEXT, b"begin"))
        await refused.wait()
        expected = sum(len(numbered(number)) for number in offered)
        data = b""
        while len(data) < expected:
            data += await stream.receive_some()
    assert offered == numbers_in(data)
    assert len(offered) < 1000


async def test_nothing_is_taken_before_the_handshake_or_once_closing_has_begun() -> None:
    taken: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        offer = scope["extensions"][FRAMES]["offer"]
        await receive()
        taken.append(offer(b"\x81\x01a"))
        await send({"type": "websocket.accept"})
        await receive()
        taken.append(offer(b"\x81\x01b"))
        await send({"type": "websocket.close"})
        taken.append(offer(b"\x81\x01c"))

    async with connected(app) as server, opened(server) as stream:
        await stream.send_all(frame(Opcode.TEXT, b"begin"))
        assert b"\x81\x01b" + closing(1000) == await everything(stream)
    assert [False, True, False] == taken


async def test_what_is_offered_to_a_client_that_is_gone_goes_nowhere() -> None:
    taken: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        assert {"type": "websocket.disconnect", "code": 1006} == await receive()
        # The first finds the connection half open, the others find it reset.
        for _ in range(10):
            taken.append(scope["extensions"][FRAMES]["offer"](numbered(1)))
            await trio.testing.wait_all_tasks_blocked(0.01)

    async with connected(app) as server:
        async with opened(server):
            pass
        while len(server.connections) > 0:
            await trio.testing.wait_all_tasks_blocked(0.01)
    assert 10 == len(taken)


async def discard(receive: Receive) -> None:
    """Receive until the client is gone."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


# The server's end


async def test_at_the_end_every_websocket_closes_with_1012() -> None:
    async def deaf(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        await trio.sleep_forever()

    for app in (echo, deaf):
        async with connected(app) as server, opened(server) as stream:
            await trio.testing.wait_all_tasks_blocked()
            async with trio.open_nursery() as nursery:
                nursery.start_soon(server.connections.leave)
                answer = await everything(stream)
            assert closing(1012, b"The server restarts.") == answer
            assert 0 == len(server.connections)


async def test_at_the_end_a_client_that_answers_the_close_is_not_waited_for_longer() -> None:
    received: list[Message] = []

    async def app(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        received.append(await receive())

    async with (
        connected(app, ConnectionLimits(goodbye=5)) as server,
        websocket_to(server) as client,
    ):
        began = trio.current_time()
        await server.connections.leave()
        assert trio.current_time() - began < 1
        assert (1012, "The server restarts.") == await reason_of(client)
    assert [{"type": "websocket.disconnect", "code": 1012}] == received


async def test_at_the_end_a_handshake_without_answer_is_dropped() -> None:
    async def app(_: Scope, __: Receive, ___: Send) -> None:
        await trio.sleep_forever()

    async with connected(app) as server, await server.connect() as stream:
        await stream.send_all(handshake())
        await trio.testing.wait_all_tasks_blocked()
        await server.connections.leave()
        assert b"" == await everything(stream)


def test_the_frames_of_these_tests_are_what_a_client_would_send() -> None:
    expected = FrameProtocol(client=False, extensions=[]).send_data("hi", fin=True)
    assert expected[:1] + b"\x82" + MASK + expected[2:] == frame(Opcode.TEXT, b"hi")
