"""Headers that every answer has, whoever gives it."""

from __future__ import annotations

import pytest
import trio

from command_center.http.wire.security_headers import (
    EVERY_ANSWER,
    OF_DOCUMENTS,
    with_security_headers,
)
from tests.http.guarded import BEARER, guarded_app, open_app
from tests.http.live import client_of, exchange, served


async def test_every_answer_carries_the_security_headers() -> None:
    async with client_of(guarded_app()) as client:
        for path in ("/", "/nope", "/api/things", "/?token=x"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            for closed in ("frame-ancestors", "base-uri", "form-action"):  # which no default closes
                assert f"{closed} 'none'" in policy
            assert "unsafe" not in policy
            assert "nosniff" == headers["x-content-type-options"]
            assert "no-referrer" == headers["referrer-policy"]
            assert "microphone=(self)" in headers["permissions-policy"]
            assert "same-origin" == headers["cross-origin-opener-policy"]
            assert "same-origin" == headers["cross-origin-resource-policy"]
            assert "server" not in headers


async def test_answers_of_the_api_are_not_stored_unless_the_app_says_so() -> None:
    async with client_of(open_app()) as client:
        assert "no-store" == (await client.get("/api/things")).headers["cache-control"]
        assert "no-cache" == (await client.get("/api/cached")).headers["cache-control"]
        assert "cache-control" not in (await client.get("/")).headers


def test_what_an_answer_brings_itself_is_not_said_twice() -> None:
    own = (b"cache-control", b"no-cache")
    assert [own, *EVERY_ANSWER] == with_security_headers([own], private=True)


def test_a_part_of_a_page_has_all_but_what_means_something_to_documents_alone() -> None:
    for kind in (b"text/javascript; charset=utf-8", b"text/css; charset=utf-8"):
        own = (b"content-type", kind)
        told = dict(with_security_headers([own], private=False))
        assert OF_DOCUMENTS == {name for name, _ in EVERY_ANSWER} - told.keys()
    for kind in (b"text/html; charset=utf-8", b"application/json", b"image/svg+xml"):
        told = dict(with_security_headers([(b"content-type", kind)], private=False))
        assert {name for name, _ in EVERY_ANSWER} <= told.keys()


@pytest.mark.parametrize("path", ["/api/socket", "/nowhere"])
async def test_a_handshake_that_is_refused_carries_them_too(path: str) -> None:
    bearer = f"Authorization: {BEARER['Authorization']}" if path == "/nowhere" else "X: y"
    async with (
        served(guarded_app()) as address,
        await trio.open_tcp_stream("127.0.0.1", address.port) as stream,
    ):
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n{bearer}\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = await stream.receive_some()
    assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404"))
    for name, value in EVERY_ANSWER:
        assert b"%s: %s" % (name, value) in answer


async def test_an_answer_to_an_absolute_target_is_not_stored_either() -> None:
    async with served(open_app()) as address:
        target = f"http://127.0.0.1:{address.port}/api/things"
        request = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = await exchange(address, request.encode())
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"cache-control: no-store\r\n" in answer
