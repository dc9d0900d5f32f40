"""Frames that are offered to a WebSocket go out whole and in order, or not at all."""

from __future__ import annotations

import trio
import trio.testing
from wsproto.frame_protocol import Opcode

from command_center.http.transport.websocket import FRAMES
from command_center.http.wire.asgi import Receive, Scope, Send
from tests.http.transport.connected import connected, everything
from tests.http.transport.websockets import (
    closing,
    frame,
    opened,
)


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
