"""An app behind the gate, and what it answers to whom."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping

import msgspec
import trio
from quart import Response, request, websocket
from quart_trio import QuartTrio

from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.middleware.signin import COOKIE, SignIns
from command_center.http.transport.listen import BoundAddress
from command_center.http.wire.codec import json_response
from command_center.http.wire.problems import install_error_handlers
from tests.http.live import client_of

TOKEN = "a-token-of-32-characters-or-more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEY = b"k" * 32


def guarded_app(policy: Policy | None = None) -> QuartTrio:
    """The app, for who has the token; or under another policy."""
    app = QuartTrio(__name__)
    install_error_handlers(app)
    install_gate(
        app, policy or Policy(token=TOKEN, hosts=frozenset({"cc.example.com"}), sign_in_key=KEY)
    )

    @app.get("/")
    async def page() -> Response:
        return Response("<!doctype html>", content_type="text/html")

    @app.route("/api/things", methods=["GET", "POST", "DELETE"])
    @app.post("/api/telegram/webhook")
    @app.post("/api/uploads")
    async def things() -> Response:
        data = await request.get_data()
        return json_response({"bytes": len(data)})

    @app.get("/api/cached")
    async def cached() -> Response:
        return json_response({}, headers={"Cache-Control": "no-cache"})

    @app.websocket("/api/socket")
    async def socket() -> None:
        await websocket.accept()
        seen = [*websocket.headers.values(), *websocket.requested_subprotocols]
        await websocket.send(msgspec.json.encode(seen).decode())

    return app


def open_app() -> QuartTrio:
    """The app, for everybody."""
    return guarded_app(Policy())


async def refusal_of(
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    path: str = "/api/things",
    app: QuartTrio | None = None,
) -> tuple[int, str]:
    """Return how a request is refused, and in which words."""
    async with client_of(app or guarded_app()) as client:
        answer = await client.request(method, path, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == error["statusCode"]
    return answer.status_code, error["message"]


async def status_of(
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    path: str = "/api/things",
    app: QuartTrio | None = None,
) -> int:
    """Return what a request is answered with."""
    async with client_of(app or guarded_app()) as client:
        return (await client.request(method, path, headers=headers)).status_code


async def handshake(
    address: BoundAddress, headers: Mapping[str, str], path: str = "/api/socket"
) -> int:
    """The status that a WebSocket handshake with these headers gets."""
    lines = {
        "Host": f"localhost:{address.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
        await stream.send_all(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode())
        answer = await stream.receive_some()
    if not answer.startswith(b"HTTP/1.1 101"):
        assert b"content-type: application/json" in answer
    return int(answer.split()[1])


def signed_in(*, token: str = TOKEN, key: bytes = KEY, seconds: int = 3600) -> str:
    """A browser's cookie, beside others."""
    return f"a=b; {COOKIE}={SignIns(token, key).value(int(time.time()) + seconds)}; c"


def subprotocols_of(token: str) -> str:
    """Return how a WebSocket brings a token among its subprotocols."""
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return f"cc.v1, cc.bearer.{encoded}"
