"""The gate, attacked: paths, sites, bodies; beside it `hosts`, `throttle`, `authentication`."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import structlog
import trio

from command_center.http.middleware.gate import Gate, Policy
from command_center.http.wire.asgi import Message
from tests.http.guarded import (
    BEARER,
    TOKEN,
    guarded_app,
    handshake,
    open_app,
    refusal_of,
    status_of,
)
from tests.http.live import client_of, exchange, served


async def test_an_absolute_target_is_judged_by_what_it_says() -> None:
    async with served(guarded_app()) as address:

        async def status(target: str) -> int:
            sent = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            return int((await exchange(address, sent.encode())).split()[1])

        assert 401 == await status("http://localhost/api/things")
        assert 200 == await status("http://localhost/")
        assert 200 == await status("http://localhost")
        assert 421 == await status("http://evil.example/")
        assert 421 == await status("http://user@localhost/")
        assert 400 == await status("ftp://localhost/api/things")
        assert 400 == await status("*")
        assert 400 == await status("localhost:80")


# Paths around the token


@pytest.mark.parametrize(
    "path",
    [
        "/api/things",
        "/api/things/",
        "/api/nope",
        "/api",
        "/%61pi/things",
        "/api%2fthings",
        "/api/telegram/webhook/",
        "/api/telegram/webhook/../things",
        "/api/telegram/../things",
    ],
)
async def test_no_spelling_of_a_path_gets_around_the_token(path: str) -> None:
    assert 401 == await status_of({}, path=path)


@pytest.mark.parametrize(
    "path", ["//api/things", "/./api/things", "/x/../api/things", "/API/things"]
)
async def test_another_spelling_is_another_path(path: str) -> None:
    async with served(guarded_app()) as address:
        sent = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert 404 == int((await exchange(address, sent.encode())).split()[1])


async def test_no_insertion_into_a_path_gets_around_the_token() -> None:
    path = "/api/things"
    inserted = ["/", "//", "%2f", ".", "/.", "/..", "/./", "%2e", ";", "?", "#", "%00", "\\", "%5c"]
    inserted += ["*", "@", ":", "http:", "//localhost", "%", "%61", "&", "=", "~"]
    async with served(guarded_app()) as address:
        for place in range(len(path) + 1):
            for text in inserted:
                target = path[:place] + text + path[place:]
                sent = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                answer = await exchange(address, sent.encode())
                assert (target, False) == (target, b'"bytes"' in answer)


@pytest.mark.parametrize("path", ["/api/things%00", "/%0d%0aSet-Cookie:x", "/%7f"])
async def test_control_characters_in_a_path_are_400(path: str) -> None:
    assert 400 == await status_of(BEARER, path=path)


async def test_what_is_not_under_api_needs_no_token() -> None:
    assert 200 == await status_of({}, path="/")


async def test_the_webhook_checks_its_own_secret() -> None:
    assert 200 == await status_of({}, method="POST", path="/api/telegram/webhook")


@pytest.mark.parametrize(
    "query",
    [
        f"token={TOKEN}",
        "access_token=x",
        "access-token=x",
        "Api_Key=x",
        "cc_api_token=x",
        "authorization=Bearer%20x",
        f"q=1&%74oken={TOKEN}",
    ],
)
async def test_a_token_in_the_url_is_refused_even_beside_the_header(query: str) -> None:
    for path in (f"/?{query}", f"/api/things?{query}", f"/api/telegram/webhook?{query}"):
        status, message = await refusal_of(BEARER, path=path)
        assert (400, True) == (status, "Do not put a token in a URL" in message)
    async with served(guarded_app()) as address:
        assert 400 == await handshake(address, BEARER, f"/api/socket?{query}")


async def test_a_token_in_the_url_is_told_by_its_value_to_who_knows_it_and_to_nobody_else() -> None:
    query = f"limit={TOKEN}"
    assert 400 == (await refusal_of(BEARER, path=f"/api/things?{query}"))[0]
    async with client_of(guarded_app()) as client:
        for path in ("/", "/api/things", "/api/telegram/webhook"):
            guesses = [TOKEN, "another-token-of-32-characters"]
            answers = [await client.get(f"{path}?limit={guess}") for guess in guesses]
            assert answers[0].status_code == answers[1].status_code
            assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("x", 403)],
)
async def test_a_browser_says_where_a_request_comes_from(site: str, status: int) -> None:
    headers = BEARER | {"Sec-Fetch-Site": site}
    assert status == await status_of(headers, method="POST")
    assert status == await status_of(headers, method="GET")
    async with client_of(open_app()) as client:
        assert 200 == (await client.get("/", headers=headers)).status_code
        assert status == (await client.get("/api/things", headers=headers)).status_code


async def test_a_websocket_without_an_origin_is_another_sites_where_the_browser_says_so() -> None:
    async with served(guarded_app()) as address:
        here = {"Origin": f"http://localhost:{address.port}"}
        assert 403 == await handshake(address, BEARER | {"Sec-Fetch-Site": "cross-site"})
        assert 101 == await handshake(address, BEARER | {"Sec-Fetch-Site": "cross-site"} | here)
        assert 101 == await handshake(address, BEARER | {"Sec-Fetch-Site": "same-origin"})


@pytest.mark.parametrize("method", ["get", "Post", "head"])
async def test_a_method_in_small_letters_is_another_one(method: str) -> None:
    async with served(open_app()) as address:
        sent = f"{method} /api/things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        assert (await exchange(address, sent.encode())).startswith(b"HTTP/1.1 501 ")


async def test_no_other_origin_is_permitted_to_read() -> None:
    async with client_of(open_app()) as client:
        preflight = {
            "Origin": "http://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        for answer in (
            await client.options("/api/things", headers=preflight),
            await client.get("/api/things", headers={"Origin": "http://evil.example"}),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "line",
    [
        "Host: localhost",
        "Origin: http://localhost",
        "Sec-Fetch-Site: same-origin",
        "Authorization: Bearer x",
        "Content-Type: application/json",
    ],
)
async def test_what_decides_is_not_said_twice(line: str) -> None:
    """Whoever stands before the server might take the other one for what is meant."""
    head = f"Host: localhost\r\nContent-Length: 0\r\n{line}\r\n"
    twice = head if line.startswith("Host") else f"{head}{line}\r\n"
    async with served(open_app()) as address:
        sent = f"POST /api/things HTTP/1.1\r\n{twice}Connection: close\r\n\r\n"
        assert (await exchange(address, sent.encode())).startswith(b"HTTP/1.1 400 ")


async def test_a_query_of_very_many_parameters_is_400() -> None:
    assert 400 == (await refusal_of(BEARER, path=f"/api/things?{'a&' * 1001}"))[0]


# Bodies


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
async def test_a_form_of_another_page_is_415(content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    async with client_of(open_app()) as client:
        answer = await client.post("/api/things", content=b'{"a": 1}', headers=headers)
    assert 415 == answer.status_code == answer.json()["error"]["statusCode"]


async def test_a_body_up_to_the_limit_reaches_the_app_whole() -> None:
    limit = Policy().body_limit
    async with client_of(open_app()) as client:
        answer = await client.post(
            "/api/things", content=b"1" * limit, headers={"Content-Type": "application/json"}
        )
        assert {"bytes": limit} == answer.json()


async def test_a_file_is_bytes_by_its_name_and_has_a_limit_of_its_own() -> None:
    policy = Policy(body_limit=10, file_limit=20)
    async with client_of(guarded_app(policy)) as client:

        async def status(method: str, kind: str, size: int) -> int:
            headers = {"Content-Type": kind}
            answer = await client.request(
                method, "/api/uploads", content=b"1" * size, headers=headers
            )
            return answer.status_code

        assert 200 == await status("POST", "application/octet-stream", 20)
        assert 413 == await status("POST", "application/octet-stream", 21)
        for kind in ("application/json", "text/plain", "image/png"):
            assert 415 == await status("POST", kind, 20)
        assert 405 == await status("PATCH", "application/octet-stream", 10)
        assert 413 == await status("PATCH", "application/octet-stream", 11)  # which sends no file


async def test_a_body_that_announces_too_much_is_413_before_it_comes() -> None:
    async with served(open_app()) as address:
        head = (
            "POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {50 * 1024 * 1024}\r\n\r\n"
        )
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(head.encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 413")


async def test_a_body_that_grows_too_large_is_413() -> None:
    async def endless() -> Any:
        for _ in range(2 * 1024):
            yield b" " * 1024

    async with client_of(open_app()) as client:
        answer = await client.post(
            "/api/things", content=endless(), headers={"Content-Type": "application/json"}
        )
        assert 413 == answer.status_code == answer.json()["error"]["statusCode"]


async def test_a_body_that_never_ends_is_408() -> None:
    async with served(guarded_app(Policy(body_seconds=0.05))) as address:
        head = (
            "POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 10\r\n\r\n12345"
        )
        answer = await exchange(address, head.encode())
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"statusCode":408' in answer


@pytest.mark.parametrize(
    "body",
    [b"-2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"2;" + b"a" * 100_000, b"2\r\n{}0\r\n"],
    ids=["a negative size", "a size with a prefix", "an endless extension", "no end of a chunk"],
)
async def test_a_body_that_is_framed_wrongly_is_400_and_no_fault_of_ours(body: bytes) -> None:
    head = (
        b"POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with structlog.testing.capture_logs() as logs:
        async with served(open_app()) as address:
            answer = await exchange(address, head + body)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"statusCode":400' in answer
    assert [] == logs


async def test_a_body_in_very_many_parts_holds_nobody_up() -> None:
    """The parts come at once, so that the connection's task need not wait for any of them."""
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async def parts() -> Message:
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Message) -> None:
        assert "http.response" in message["type"]

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/things",
        "raw_path": b"/api/things",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"transfer-encoding", b"chunked")],
    }
    gate = Gate(open_app(), Policy(body_limit=10_000))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count_turns)
        await gate(scope, parts, send)
        nursery.cancel_scope.cancel()
    assert turns >= 100


async def test_a_stranger_is_told_so_before_a_body_is_read() -> None:
    async with served(guarded_app()) as address:
        head = "POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(head.encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 401")


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Policy().token = None  # type: ignore[misc]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/api", "/api/", "/api/things/"])
async def test_a_slash_at_the_end_opens_nothing(path: str) -> None:
    assert 401 == (await refusal_of({}, path=path))[0]


@pytest.mark.parametrize("target", [b"http://[::1", b"http://[zz]/"])
async def test_a_target_that_is_no_address_is_400(target: bytes) -> None:
    async with served(guarded_app()) as address:
        answer = await exchange(
            address, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_that_comes_at_once_is_measured_too() -> None:
    async with served(guarded_app()) as address:
        head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 9000 + b"\r\n"
        answer = await exchange(address, head)
    assert answer.startswith(b"HTTP/1.1 431 ")
