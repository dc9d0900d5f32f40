"""A push service for tests: RFC 8030's wire on loopback, a browser's keys, and every way to fail.

What it is sent is read as a browser reads it, by means of its own: the curve's arithmetic and the
key derivation are written out here, so that a mistake in ours is not made twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final, TypeAlias

import attrs
import h11
import trio
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

Point: TypeAlias = tuple[int, int] | None


def b64(data: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of a text in base64url."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def add(one: Point, other: Point) -> Point:
    """Add two points of P-256."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if one == other:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(count: int, point: Point) -> Point:
    """Add a point to itself."""
    found: Point = None
    while count:
        if count & 1:
            found = add(found, point)
        point, count = add(point, point), count >> 1
    return found


def encoded(point: Point) -> bytes:
    """Return a point, uncompressed."""
    assert point is not None
    return b"\x04" + point[0].to_bytes(32) + point[1].to_bytes(32)


def decoded(data: bytes) -> Point:
    """Return the point of an uncompressed one."""
    assert (65, 4) == (len(data), data[0])
    return int.from_bytes(data[1:33]), int.from_bytes(data[33:])


def hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    """Derive a key of at most 32 bytes (RFC 5869)."""
    key = hmac.digest(salt, secret, "sha256")
    return hmac.digest(key, info + b"\x01", "sha256")[:length]


@attrs.frozen
class Keys:
    """A browser's keys of one subscription."""

    private: int = attrs.field(factory=lambda: secrets.randbelow(N - 1) + 1)
    secret: bytes = attrs.field(factory=lambda: secrets.token_bytes(16))

    @property
    def shown(self) -> dict[str, str]:
        """Return what a page is told of them."""
        return {"p256dh": b64(encoded(times(self.private, G))), "auth": b64(self.secret)}

    def read(self, body: bytes) -> bytes:
        """Decrypt a message (RFC 8291)."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        theirs, sealed = body[21 : 21 + length], body[21 + length :]
        assert len(sealed) <= size
        shared = times(self.private, decoded(theirs))
        assert shared is not None
        ours = encoded(times(self.private, G))
        info = b"WebPush: info\0" + ours + theirs
        secret = hkdf(self.secret, shared[0].to_bytes(32), info, 32)
        key = hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
        nonce = hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(nonce, sealed, None)
        message, delimiter, rest = padded.rpartition(b"\x02")
        assert (b"\x02", b"") == (delimiter, rest.strip(b"\0"))
        return message


def is_signed(token: str, key: str) -> bool:
    """Verify a JWT by ES256, by the curve's own arithmetic."""
    said, _, proof = token.rpartition(".")
    r, s = int.from_bytes(unb64(proof)[:32]), int.from_bytes(unb64(proof)[32:])
    digest = int.from_bytes(hashlib.sha256(said.encode()).digest())
    inverse = pow(s, -1, N)
    point = add(times(digest * inverse % N, G), times(r * inverse % N, decoded(unb64(key))))
    return point is not None and point[0] % N == r


@attrs.frozen
class Left:
    """A message that was left here."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def claims(self) -> Any:
        """Return what the signature claims, which has to be right."""
        scheme, _, said = self.headers["authorization"].partition(" ")
        assert "vapid" == scheme
        parts = dict(part.strip().split("=", 1) for part in said.split(","))
        assert is_signed(parts["t"], parts["k"])
        return {**json.loads(unb64(parts["t"].split(".")[1])), "k": parts["k"]}


@attrs.frozen
class Reply:
    """The answer to a message; without a status the connection is left open, without one."""

    status: int | None = 201
    headers: dict[str, str | bytes] = attrs.field(factory=dict)
    drop: bool = False
    """True if the connection is closed, though the message was taken."""


@attrs.define
class PushService:
    """The state of the service, and what a test may do to it."""

    url: str = ""
    left: list[Left] = attrs.field(factory=list)
    replies: deque[Reply] = attrs.field(factory=deque)
    browsers: dict[str, Keys] = attrs.field(factory=dict)
    news: trio.Event = attrs.field(factory=trio.Event)
    connections: int = 0

    def subscription(self, name: str = "one") -> dict[str, Any]:
        """Return what a browser of this service says to whoever is to tell it."""
        keys = self.browsers.setdefault(name, Keys())
        return {"endpoint": f"{self.url}/push/{name}", "keys": keys.shown}

    def read(self, left: Left) -> Any:
        """Return what the browser reads."""
        return json.loads(self.browsers[left.path.rpartition("/")[2]].read(left.body))

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until what was left here is as wanted."""
        with trio.fail_after(60):
            while not wanted():
                await self.news.wait()

    async def take(self, count: int) -> list[Any]:
        """Wait for so many messages, and return what the browsers read."""
        await self.until(lambda: len(self.left) >= count)
        return [self.read(left) for left in self.left]

    def note(self, left: Left) -> Reply:
        """Keep a message, and say what is answered."""
        self.left.append(left)
        self.news.set()
        self.news = trio.Event()
        return self.replies.popleft() if self.replies else Reply()


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    """Serve a push service on a free port of the loopback."""
    service = PushService()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, partial(_serve, service), 0, host="127.0.0.1")
        )
        service.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield service
        nursery.cancel_scope.cancel()


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


async def _serve(service: PushService, stream: trio.SocketStream) -> None:
    service.connections += 1
    connection = h11.Connection(h11.SERVER)

    async def event() -> Any:
        while (found := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some())
        return found

    async with stream:
        try:
            while isinstance(head := await event(), h11.Request):
                body = b""
                while isinstance(part := await event(), h11.Data):
                    body += part.data
                headers = {n.decode(): value.decode() for n, value in head.headers}
                left = Left(head.target.decode(), headers, body, trio.current_time())
                assert b"POST" == head.method
                reply = service.note(left)
                if reply.drop:
                    return
                if reply.status is None:
                    await trio.sleep_forever()
                fields = {**reply.headers, "Content-Length": "0"}
                answered = [(name.encode(), _bytes(value)) for name, value in fields.items()]
                for said in (
                    h11.Response(status_code=reply.status, headers=answered),
                    h11.EndOfMessage(),
                ):
                    await stream.send_all(connection.send(said) or b"")
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            return
