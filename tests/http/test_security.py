from __future__ import annotations

import base64
import math
import time
from collections.abc import Mapping
from typing import Any

import attrs
import msgspec
import pytest
import trio
from quart import Response, request, websocket
from quart_trio import QuartTrio
from trio.testing import MockClock
from trio_websocket import connect_websocket_url

from command_center.http.decoding import json_response
from command_center.http.errors import install_error_handlers
from command_center.http.security import Policy, WrongTokens, install_gate, with_port
from command_center.http.serving import BoundAddress
from command_center.http.signin import COOKIE, cookie_value
from tests.http.live import client_of, exchange, served

TOKEN = "a-token-of-32-characters-or-more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def guarded_app(policy: Policy | None = None) -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    install_gate(app, policy or Policy(token=TOKEN, hosts=frozenset({"cc.example.com"})))

    @app.get("/")
    async def page() -> Response:
        return Response("<!doctype html>", content_type="text/html")

    @app.route("/api/things", methods=["GET", "POST", "DELETE"])
    @app.post("/api/telegram/webhook")
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
    return guarded_app(Policy())


async def refusal_of(
    headers: Mapping[str, str],
    *,
    method: str = "GET",
    path: str = "/api/things",
    app: QuartTrio | None = None,
) -> tuple[int, str]:
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


# Host


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:1", "127.0.0.1:8787", "[::1]", "[::1]:8787", "cc.example.com:443"],
)
async def test_a_name_of_this_server_is_taken(host: str) -> None:
    assert 200 == await status_of(BEARER | {"Host": host})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8787",
        "127.0.0.1.nip.io",
        "127.0.0.1@evil.example",
        "evil.example#localhost",
        "localhost:",
        "localhost:99999999",
        "localhost:8787:1",
        "localhost ",
        "localhost.",
        "[::1",
        "::1",
        "0.0.0.0",
        "xn--localhost",
        "",
    ],
)
async def test_a_rebound_name_is_421(host: str) -> None:
    async with served(guarded_app()) as address:
        sent = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        answer = await exchange(address, sent.encode())
        expected = 200 if host.strip() == "localhost" else 421
        assert expected == int(answer.split()[1])


async def test_a_rebound_websocket_is_421() -> None:
    async with served(open_app()) as address:
        assert 421 == await handshake(address, {"Host": "evil.example"})


async def test_a_configured_name_may_have_its_port() -> None:
    app = guarded_app(Policy.of(listen_on="0.0.0.0", allowed_hosts=["cc.lan:1"], token=None))
    assert 200 == await status_of({"Host": "cc.lan:1"}, app=app)
    app = guarded_app(Policy.of(listen_on="0.0.0.0", allowed_hosts=["cc.lan:1"], token=None))
    assert 421 == await status_of({"Host": "cc.lan:2"}, app=app)


@pytest.mark.parametrize(
    ("listen_on", "expected"),
    [
        ("192.0.2.7", {"192.0.2.7"}),
        ("::1", {"[::1]"}),
        ("2001:DB8::1", {"[2001:db8::1]"}),
        ("0.0.0.0", set()),
        ("::", set()),
    ],
)
def test_the_address_that_is_listened_on_is_a_name(listen_on: str, expected: set[str]) -> None:
    assert expected == Policy.of(listen_on=listen_on, token=None).hosts


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


# The token


async def test_the_token_opens() -> None:
    assert 200 == await status_of(BEARER)
    assert 200 == await status_of({"Authorization": f"bearer  {TOKEN}"})


async def test_without_a_token_set_everybody_may() -> None:
    assert 200 == await status_of({}, app=open_app())


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN.upper()}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        "Bearer \u00e9".encode().decode("latin-1"),
    ],
)
async def test_anything_else_is_401(header: str) -> None:
    async with client_of(guarded_app()) as client:
        answer = await client.get(
            "/api/things", headers=[(b"authorization", header.encode("latin-1"))]
        )
    assert 401 == answer.status_code == answer.json()["error"]["statusCode"]
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in answer.text


async def test_no_header_is_401() -> None:
    status, message = await refusal_of({})
    assert (401, True) == (status, "Authorization: Bearer" in message)


def signed_in(*, token: str = TOKEN, seconds: int = 3600) -> str:
    """A browser's cookie, beside others."""
    return f"a=b; {COOKIE}={cookie_value(token, int(time.time()) + seconds)}; c"


async def test_the_cookie_of_a_sign_in_opens() -> None:
    assert 200 == await status_of({"Cookie": signed_in()})
    assert 200 == await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": "same-origin"})


@pytest.mark.parametrize(
    "cookie",
    [
        f"{COOKIE}={TOKEN}",
        signed_in(token="another"),
        signed_in(seconds=-1),
        signed_in().replace(f"{COOKIE}=", f"{COOKIE}=9"),
        signed_in().replace(COOKIE, f"x{COOKIE}"),
    ],
    ids=["the token itself", "of another token", "ended", "with a later end", "of another name"],
)
async def test_another_cookie_is_401_and_no_guess(cookie: str) -> None:
    app = guarded_app()
    async with client_of(app) as client:
        for _ in range(30):
            answer = await client.get("/api/things", headers={"Cookie": cookie})
            assert 401 == answer.status_code
        assert 200 == (await client.get("/api/things", headers=BEARER)).status_code


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_the_cookie_opens_nothing_for_another_sites_page(site: str) -> None:
    assert 401 == await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": site})
    refused = await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": site}, method="POST")
    assert 403 == refused
    origin = {"Cookie": signed_in(), "Origin": "http://127.0.0.1:9999"}
    assert 403 == await status_of(origin, method="POST")


async def test_two_authorizations_are_400() -> None:
    async with client_of(guarded_app()) as client:
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
        assert 400 == (await client.get("/api/things", headers=twice)).status_code


@pytest.mark.parametrize(
    "query",
    [
        f"token={TOKEN}",
        "access_token=x",
        "access-token=x",
        "Api_Key=x",
        "cc_api_token=x",
        "authorization=Bearer%20x",
        f"limit={TOKEN}",
        f"q=1&%74oken={TOKEN}",
    ],
)
async def test_a_token_in_the_url_is_refused_even_beside_the_header(query: str) -> None:
    for path in (f"/?{query}", f"/api/things?{query}", f"/api/telegram/webhook?{query}"):
        status, message = await refusal_of(BEARER, path=path)
        assert (400, True) == (status, "does not belong in a URL" in message)
    async with served(guarded_app()) as address:
        assert 400 == await handshake(address, BEARER, f"/api/socket?{query}")


async def test_guessing_is_limited_and_says_until_when() -> None:
    policy = Policy(token=TOKEN, wrong_tokens=3, wrong_token_seconds=60)
    async with client_of(guarded_app(policy)) as client:
        for _ in range(3):
            answer = await client.get("/api/things", headers={"Authorization": "Bearer wrong"})
            assert 401 == answer.status_code
        answer = await client.get("/api/things", headers=BEARER)
        assert 429 == answer.status_code
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert 200 == (await client.get("/")).status_code


async def test_requests_without_a_token_are_no_guesses() -> None:
    policy = Policy(token=TOKEN, wrong_tokens=1)
    async with client_of(guarded_app(policy)) as client:
        for _ in range(5):
            assert 401 == (await client.get("/api/things")).status_code
        assert 200 == (await client.get("/api/things", headers=BEARER)).status_code


async def test_the_wait_after_wrong_tokens_ends(autojump_clock: MockClock) -> None:
    wrong = WrongTokens(limit=2, seconds=60)
    wrong.add("192.0.2.1")
    assert 0 == wrong.seconds_to_wait("192.0.2.1")
    await trio.sleep(20)
    wrong.add("192.0.2.1")
    assert math.isclose(40, wrong.seconds_to_wait("192.0.2.1"))
    assert 0 == wrong.seconds_to_wait("192.0.2.2")
    await trio.sleep(40)
    assert 0 == wrong.seconds_to_wait("192.0.2.1")


async def test_the_memory_of_wrong_tokens_is_bounded() -> None:
    wrong = WrongTokens(limit=1, seconds=60)
    for number in range(2 * WrongTokens.LARGEST):
        wrong.add(str(number))
    assert WrongTokens.LARGEST == len(wrong._windows)
    assert wrong.seconds_to_wait(str(2 * WrongTokens.LARGEST - 1)) > 0


# WebSockets


def subprotocols_of(token: str) -> str:
    encoded = base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    return f"cc.v1, cc.bearer.{encoded}"


@pytest.mark.parametrize(
    "headers",
    [
        BEARER,
        {"Cookie": signed_in()},
        {"Sec-WebSocket-Protocol": subprotocols_of(TOKEN)},
    ],
)
async def test_a_websocket_may_bring_its_token_in_three_ways(headers: dict[str, str]) -> None:
    async with served(guarded_app()) as address:
        assert 101 == await handshake(address, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer x"},
        {"Cookie": f"{COOKIE}={TOKEN}"},
        {"Sec-WebSocket-Protocol": "cc.v1"},
        {"Sec-WebSocket-Protocol": subprotocols_of("x")},
        {"Sec-WebSocket-Protocol": subprotocols_of(TOKEN).partition(", ")[2]},
        {"Sec-WebSocket-Protocol": "cc.v1, cc.bearer.***"},
        {"Sec-WebSocket-Protocol": "cc.v1, cc.bearer._w"},
        {"Authorization": "Bearer x", "Cookie": signed_in()},
    ],
)
async def test_a_websocket_without_the_token_is_401(headers: dict[str, str]) -> None:
    async with served(guarded_app()) as address:
        assert 401 == await handshake(address, headers)


async def test_the_subprotocol_token_is_neither_chosen_nor_seen_by_the_app() -> None:
    async with served(guarded_app()) as address, trio.open_nursery() as nursery:
        offered = [part.strip() for part in subprotocols_of(TOKEN).split(",")]
        url = f"ws://localhost:{address.port}/api/socket"
        socket = await connect_websocket_url(nursery, url, subprotocols=offered)
        seen = await socket.get_message()
        assert "cc.v1" == socket.subprotocol
        assert "cc.v1" in seen
        assert "cc.bearer" not in seen
        await socket.aclose()


# Other sites' pages


def origins(port: int) -> dict[str, bool]:
    return {
        f"http://localhost:{port}": True,
        "http://localhost:1": False,
        "http://localhost": False,
        f"https://localhost:{port}": True,
        f"http://127.0.0.1:{port}": False,
        "http://evil.example": False,
        f"http://evil.example:{port}": False,
        f"http://localhost:{port}.evil.example": False,
        "null": False,
        "": False,
        "file://": False,
        f"chrome-extension://localhost:{port}": False,
        "https://cc.example.com": True,
        "https://cc.example.com.evil.example": False,
    }


async def test_only_a_page_of_this_server_may_open_a_websocket() -> None:
    async with served(guarded_app()) as address:
        for origin, ours in origins(address.port).items():
            status = await handshake(address, BEARER | {"Origin": origin})
            assert (origin, 101 if ours else 403) == (origin, status)


@pytest.mark.parametrize("method", ["POST", "DELETE", "BREW"])
async def test_only_a_page_of_this_server_may_change_something(method: str) -> None:
    async with served(guarded_app()) as address:
        for origin, ours in origins(address.port).items():
            head = f"Host: localhost:{address.port}\r\nOrigin: {origin}\r\nConnection: close"
            sent = (
                f"{method} /api/things HTTP/1.1\r\n{head}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            )
            status = int((await exchange(address, sent.encode())).split()[1])
            assert (origin, not ours) == (origin, status == 403)


@pytest.mark.parametrize(
    ("site", "status"),
    [("same-origin", 200), ("none", 200), ("same-site", 403), ("cross-site", 403), ("x", 403)],
)
async def test_a_browser_says_where_a_change_comes_from(site: str, status: int) -> None:
    headers = BEARER | {"Sec-Fetch-Site": site}
    assert status == await status_of(headers, method="POST")
    assert 200 == await status_of(headers, method="GET")


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


async def test_a_stranger_is_told_so_before_a_body_is_read() -> None:
    async with served(guarded_app()) as address:
        head = "POST /api/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
        async with await trio.open_tcp_stream("127.0.0.1", address.port) as stream:
            await stream.send_all(head.encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 401")


# Answers


async def test_every_answer_carries_the_browsers_restraints() -> None:
    async with client_of(guarded_app()) as client:
        for path in ("/", "/nope", "/api/things", "/?token=x"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "nosniff" == headers["x-content-type-options"]
            assert "no-referrer" == headers["referrer-policy"]
            assert "same-origin" == headers["cross-origin-resource-policy"]
            assert "server" not in headers


async def test_answers_of_the_api_are_not_stored_unless_the_app_says_so() -> None:
    async with client_of(open_app()) as client:
        assert "no-store" == (await client.get("/api/things")).headers["cache-control"]
        assert "no-cache" == (await client.get("/api/cached")).headers["cache-control"]
        assert "cache-control" not in (await client.get("/")).headers


def test_the_token_does_not_show_in_the_policy() -> None:
    assert TOKEN not in repr(Policy(token=TOKEN))


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Policy().token = None  # type: ignore[misc]


@pytest.mark.parametrize("text", ["", ":", "a:b", "a b", "a/b", "[::1]:x", "[x]", "é"])
def test_what_is_no_authority_has_no_name(text: str) -> None:
    assert with_port(text) is None


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


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://cc.example.com", 200),
        ("http://cc.example.com", 200),
        ("http://cc.example.com:3000", 403),
    ],
)
async def test_a_page_on_another_port_of_a_configured_name_is_another_sites(
    origin: str, status: int
) -> None:
    headers = {**BEARER, "Host": "cc.example.com", "Origin": origin}
    async with client_of(guarded_app()) as client:
        answer = await client.delete("/api/things", headers=headers)
    assert status == answer.status_code


async def test_a_cookie_does_not_renew_itself() -> None:
    app = guarded_app()

    @app.post("/api/signin")
    async def sign_in() -> Response:
        return json_response({})

    cookie = {"Cookie": f"{COOKIE}={signed_in()}"}
    assert 401 == (await refusal_of(cookie, method="POST", path="/api/signin", app=app))[0]


async def test_a_head_that_comes_at_once_is_measured_too() -> None:
    async with served(guarded_app()) as address:
        head = b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 9000 + b"\r\n"
        answer = await exchange(address, head)
    assert answer.startswith(b"HTTP/1.1 431 ")
