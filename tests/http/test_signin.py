from __future__ import annotations

import time
from http.cookies import SimpleCookie

from quart_trio import QuartTrio

from command_center.http.errors import install_error_handlers
from command_center.http.security import Policy, install_gate
from command_center.http.signin import COOKIE, LIFE_SECONDS, cookie_value, routes, stands_for
from tests.http.live import client_of

TOKEN = "a-token-of-32-characters-or-more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def app_with(token: str | None) -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    app.register_blueprint(routes(token))
    install_gate(app, Policy(token=token))
    return app


async def test_the_token_is_traded_for_a_cookie_that_scripts_cannot_read() -> None:
    async with client_of(app_with(TOKEN)) as client:
        answer = await client.post("/api/signin", headers=BEARER)
    assert 204 == answer.status_code
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert ("Strict", "/api", str(LIFE_SECONDS)) == (
        cookie["samesite"],
        cookie["path"],
        cookie["max-age"],
    )
    assert cookie["httponly"]
    assert not cookie["secure"]
    assert stands_for(cookie.value, TOKEN, time.time())
    assert TOKEN not in answer.headers["set-cookie"]


async def test_the_cookie_is_for_https_alone_where_the_page_came_over_https() -> None:
    app = QuartTrio(__name__)
    app.register_blueprint(routes(TOKEN))
    async with client_of(app) as client:
        answer = await client.post("/api/signin", headers={"Origin": "https://cc.example.com"})
    assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["secure"]


async def test_a_wrong_token_gets_no_cookie_and_has_to_wait_in_the_end() -> None:
    statuses = []
    async with client_of(app_with(TOKEN)) as client:
        for _ in range(21):
            answer = await client.post("/api/signin", headers={"Authorization": "Bearer wrong"})
            assert "set-cookie" not in answer.headers
            statuses.append(answer.status_code)
    assert [401] * 20 + [429] == statuses


async def test_signing_out_takes_the_cookie_back() -> None:
    value = cookie_value(TOKEN, int(time.time()) + 60)
    async with client_of(app_with(TOKEN)) as client:
        answer = await client.post("/api/signout", headers={"Cookie": f"{COOKIE}={value}"})
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert ("", "0") == (cookie.value, cookie["max-age"])


async def test_without_a_token_there_is_nothing_to_keep() -> None:
    async with client_of(app_with(None)) as client:
        answer = await client.post("/api/signin")
    assert (204, False) == (answer.status_code, "set-cookie" in answer.headers)


def test_a_cookie_stands_for_its_own_token_until_it_ends() -> None:
    value = cookie_value(TOKEN, 1000)
    assert stands_for(value, TOKEN, 999)
    assert not stands_for(value, TOKEN, 1000)
    assert not stands_for(value, "another", 999)
    assert not stands_for(value.replace("1000", "2000"), TOKEN, 999)
    assert not stands_for(value.upper(), TOKEN, 999)
    assert not stands_for("", TOKEN, 0)
