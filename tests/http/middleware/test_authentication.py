"""Requests with a token or cookie, and without."""

from __future__ import annotations

import hmac

import pytest
import trio
from quart import Response
from trio_websocket import connect_websocket_url

from command_center.http.middleware.gate import Policy
from command_center.http.middleware.signin import COOKIE
from command_center.http.wire.codec import json_response
from tests.http.guarded import (
    BEARER,
    TOKEN,
    guarded_app,
    handshake,
    open_app,
    refusal_of,
    signed_in,
    status_of,
    subprotocols_of,
)
from tests.http.live import client_of, served


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


async def test_the_token_is_compared_in_constant_time_and_so_is_the_cookie(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    def compare(one: bytes, other: bytes) -> bool:
        nonlocal compared
        compared += 1
        assert len(one) == len(other)
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    assert 401 == await status_of(BEARER)
    assert 401 == await status_of({"Cookie": signed_in()})
    assert 2 == compared


async def test_no_header_is_401() -> None:
    status, message = await refusal_of({})
    assert (401, True) == (status, "Authorization: Bearer" in message)


async def test_two_authorizations_are_400() -> None:
    async with client_of(guarded_app()) as client:
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer x")]
        assert 400 == (await client.get("/api/things", headers=twice)).status_code


def test_the_token_does_not_show_in_the_policy() -> None:
    assert TOKEN not in repr(Policy(token=TOKEN))


# The cookie


async def test_the_cookie_of_a_sign_in_opens() -> None:
    assert 200 == await status_of({"Cookie": signed_in()})
    assert 200 == await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": "same-origin"})


@pytest.mark.parametrize(
    "cookie",
    [
        f"{COOKIE}={TOKEN}",
        signed_in(token="another"),
        signed_in(key=b"another"),
        signed_in(seconds=-1),
        signed_in().replace(f"{COOKIE}=", f"{COOKIE}=9"),
        signed_in().replace(COOKIE, f"x{COOKIE}"),
    ],
    ids=[
        "the token itself",
        "of another token",
        "made up",
        "ended",
        "with a later end",
        "of another name",
    ],
)
async def test_another_cookie_is_401_and_no_guess(cookie: str) -> None:
    app = guarded_app()
    async with client_of(app) as client:
        for _ in range(30):
            answer = await client.get("/api/things", headers={"Cookie": cookie})
            assert 401 == answer.status_code
        assert 200 == (await client.get("/api/things", headers=BEARER)).status_code


async def test_any_of_several_cookies_of_the_name_signs_in() -> None:
    void, good = signed_in(token="another"), signed_in()
    for cookies in (f"{void}; {good}", f"{good}; {void}"):
        assert 200 == await status_of({"Cookie": cookies})
    assert 401 == await status_of({"Cookie": f"{void}; {void}"})


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_the_cookie_opens_nothing_for_another_sites_page(site: str) -> None:
    assert 403 == await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": site})
    refused = await status_of({"Cookie": signed_in(), "Sec-Fetch-Site": site}, method="POST")
    assert 403 == refused
    origin = {"Cookie": signed_in(), "Origin": "http://127.0.0.1:9999"}
    assert 403 == await status_of(origin, method="POST")


@pytest.mark.parametrize("path", ["/api/signin", "/api/signin/", "/%61pi/signin", "/api/signin%2f"])
async def test_a_cookie_does_not_renew_itself(path: str) -> None:
    app = guarded_app()

    @app.post("/api/signin")
    async def sign_in() -> Response:
        return json_response({})

    cookie = {"Cookie": signed_in()}
    assert 200 == await status_of(cookie, method="POST", app=app)
    assert 401 == await status_of(cookie, method="POST", path=path, app=app)
    assert 200 == await status_of(BEARER, method="POST", path=path, app=app)


async def test_a_cookie_does_not_help_to_try_out_tokens() -> None:
    cookie = {"Cookie": signed_in()}
    async with client_of(guarded_app()) as client:
        for guess in (TOKEN, "another-token-of-32-characters"):
            answer = await client.get(f"/api/things?limit={guess}", headers=cookie)
            assert (guess, 200) == (guess, answer.status_code)


# WebSockets


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
