"""WebSockets in the hands of a test: their frames as bytes, apps, and clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
import trio
import trio.testing
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream
from wsproto.frame_protocol import Opcode

from command_center.http.wire.asgi import App, Receive, Scope, Send
from tests.http.transport.connected import Server, connected, until

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
    """Return how a server's close frame ends."""
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
