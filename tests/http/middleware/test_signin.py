from __future__ import annotations

import stat
import sys
import time
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from quart_trio import QuartTrio

from command_center.actors.devices.roster import Roster
from command_center.http.app import install
from command_center.http.middleware.gate import Policy, install_gate
from command_center.http.middleware.signin import (
    COOKIE,
    KEY_FILE,
    LIFE_SECONDS,
    SignIns,
    sign_in_key,
)
from command_center.http.routes import signin
from command_center.http.wire.problems import install_error_handlers
from command_center.store.errors import DataFolderUnusable
from tests.http.live import client_of

TOKEN = "a-token-of-32-characters-or-more"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
KEY = b"k" * 32
OURS = SignIns(TOKEN, KEY)


def app_with(token: str | None) -> QuartTrio:
    app = QuartTrio(__name__)
    install_error_handlers(app)
    policy = Policy(token=token, sign_in_key=KEY)
    credentials = policy.credentials(Roster())
    install(app, signin.api, credentials)
    install_gate(app, policy, credentials)
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
    assert OURS.admits(cookie.value, time.time())
    assert TOKEN not in answer.headers["set-cookie"]


async def test_the_cookie_is_for_https_alone_where_the_page_came_over_https() -> None:
    app = QuartTrio(__name__)
    install(app, signin.api, Policy(token=TOKEN).credentials(Roster()))
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
    value = OURS.value(int(time.time()) + 60)
    async with client_of(app_with(TOKEN)) as client:
        answer = await client.post("/api/signout", headers={"Cookie": f"{COOKIE}={value}"})
    cookie = SimpleCookie(answer.headers["set-cookie"])[COOKIE]
    assert ("", "0") == (cookie.value, cookie["max-age"])


async def test_without_a_token_there_is_nothing_to_keep() -> None:
    async with client_of(app_with(None)) as client:
        answer = await client.post("/api/signin")
    assert (204, False) == (answer.status_code, "set-cookie" in answer.headers)


def test_a_cookie_stands_for_its_own_token_until_it_ends() -> None:
    value = OURS.value(1000)
    assert OURS.admits(value, 999)
    assert not OURS.admits(value, 1000)
    assert not SignIns("another", KEY).admits(value, 999)
    assert not SignIns(TOKEN, b"another").admits(value, 999)
    assert not OURS.admits(value.replace("1000", "2000"), 999)
    assert not OURS.admits(value.upper(), 999)
    assert not OURS.admits("", 0)


def test_neither_token_nor_key_shows() -> None:
    assert "SignIns()" == repr(OURS)


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = sign_in_key(tmp_path)
    assert 32 == len(key)
    assert key == sign_in_key(tmp_path)
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode)


def test_half_a_key_is_none(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"half")
    assert 32 == len(sign_in_key(tmp_path)) == len((tmp_path / KEY_FILE).read_bytes())


def test_where_no_key_can_be_kept_the_folder_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(DataFolderUnusable):
        sign_in_key(tmp_path / "nowhere")
