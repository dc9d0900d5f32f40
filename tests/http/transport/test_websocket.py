"""Messages on a WebSocket, and how it ends."""

from __future__ import annotations

import pytest
import structlog
import trio
import trio.testing
from wsproto.frame_protocol import FrameProtocol, Opcode

from command_center.http.transport.channel import ConnectionLimits
from command_center.http.wire.asgi import Message, Receive, Scope, Send
from tests.http.transport.connected import connected, everything, until
from tests.http.transport.websockets import (
    MASK,
    accepting,
    client_of,
    closing,
    echo,
    frame,
    frame_of_ours,
    handshake,
    opened,
    reason_of,
    websocket_to,
)

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
