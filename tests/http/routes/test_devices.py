"""Devices over real sockets: tokens, cookies, expiry, and what ends with a device."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio_websocket import ConnectionClosed, open_websocket_url

from command_center.actors.devices import roster as rosters
from command_center.actors.devices.roster import hash_of
from command_center.http.middleware.signin import COOKIE, DEVICE_LIFE_SECONDS
from command_center.store import devices
from tests.http.devices import Server, bearer, server
from tests.http.guarded import TOKEN, subprotocols_of

STREAM = "/api/events/stream"
TASK: dict[str, Any] = {"repositoryId": 1, "title": "a", "prompt": "b"}


async def test_a_token_is_shown_once_and_only_its_hash_is_stored(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        made = await at.device("work", "read")
        assert ["read", "work"] == made["scopes"]
        token = made.pop("token")
        assert made == (await at.root.get("/api/devices/1")).json()
        assert [made] == (await at.root.get("/api/devices")).json()["items"]
        (told,) = await at.events("device.created")
        assert {"id": 1, "name": "Phone", "expiresAt": None, "paired": False} == {
            name: value for name, value in told["data"].items() if name != "scopes"
        }
    for file in tmp_path.glob("center.sqlite3*"):
        assert token.encode() not in file.read_bytes()
    with closing(sqlite3.connect(tmp_path / "center.sqlite3")) as db:
        assert [(1, hash_of(token))] == db.execute(
            "SELECT device_id, token_hash FROM device_tokens"
        ).fetchall()


async def test_a_device_is_let_in_after_a_restart_and_a_revoked_one_is_not(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        kept, revoked = await at.device("read"), await at.device("read")
        gone = await at.root.delete("/api/devices/2?requestedBy=me")
        assert (200, "Phone") == (gone.status_code, gone.json()["name"])
        (told,) = await at.events("device.revoked")
        assert ("me", {"id": 2, "name": "Phone"}) == (told["actor"], told["data"])
    async with server(tmp_path) as at:
        async with at.client(kept) as http:
            assert 200 == (await http.get("/api/tasks")).status_code
        async with at.client(revoked) as http:
            assert 401 == (await http.get("/api/tasks")).status_code
        assert 404 == (await at.root.get("/api/devices/2")).status_code
        assert 3 == (await at.device("read"))["id"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"scopes": []},
        {"scopes": ["everything"]},
        {"scopes": "read"},
        {"expiresAt": "2001-01-31T07:05:09Z"},
        {"expiresAt": "soon"},
    ],
)
async def test_what_is_wrong_with_a_device_is_told(tmp_path: Path, wrong: dict[str, Any]) -> None:
    async with server(tmp_path) as at:
        body = {"name": "a", "scopes": ["read"], **wrong}
        answer = await at.root.post("/api/devices", json=body)
        assert 400 == answer.status_code
        assert next(iter(wrong)) in answer.json()["error"]["message"]
        await at.device("read")
        assert 400 == (await at.root.patch("/api/devices/1", json=wrong)).status_code


async def test_a_device_gives_others_no_more_than_it_has(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        await at.device("approve", "read")
        async with at.client(await at.device("admin", "read")) as http:
            more = {"name": "a", "scopes": ["read", "approve"]}
            refused = await http.post("/api/devices", json=more)
            assert (403, "approve") == (refused.status_code, scope_in(refused))
            refused = await http.patch("/api/devices/2", json={"scopes": ["admin", "land"]})
            assert (403, "land") == (refused.status_code, scope_in(refused))
            for change in ({"scopes": ["approve"]}, {"expiresAt": "2999-01-31T07:05:09Z"}):
                assert 200 == (await http.patch("/api/devices/1", json=change)).status_code
            refused = await http.patch("/api/devices/1", json={"expiresAt": None})
            assert (403, "approve") == (refused.status_code, scope_in(refused))
            assert (
                201
                == (await http.post("/api/devices", json={**more, "scopes": ["read"]})).status_code
            )


def scope_in(answer: httpx.Response) -> str:
    scope: str = answer.json()["error"]["facts"]["scope"]
    return scope


@pytest.mark.parametrize("name", ["", " ", "a\n", "a\nb", "a\u202eb", "\x00", "a\u200bb", "\x85"])
async def test_a_device_has_a_name_that_is_shown_as_it_is(tmp_path: Path, name: str) -> None:
    async with server(tmp_path) as at:
        wanted = {"name": name, "scopes": ["read"]}
        assert 400 == (await at.root.post("/api/devices", json=wanted)).status_code
        seen = {**wanted, "name": "Zoë 👨\u200d👩"}
        assert 201 == (await at.root.post("/api/devices", json=seen)).status_code
        assert 400 == (await at.root.patch("/api/devices/1", json={"name": name})).status_code


async def test_a_change_is_told_with_both_states(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        await at.device("read")
        for _ in range(2):
            changes = {"name": "Tablet", "scopes": ["work", "read"], "requestedBy": "me"}
            answer = await at.root.patch("/api/devices/1", json=changes)
            assert ("Tablet", ["read", "work"]) == (answer.json()["name"], answer.json()["scopes"])
        (told,) = await at.events("device.updated")
        assert {"from": "Phone", "to": "Tablet"} == told["data"]["changes"]["name"]
        assert {"from": ["read"], "to": ["read", "work"]} == told["data"]["changes"]["scopes"]


async def test_a_change_may_depend_on_what_was_seen(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        token = await at.device("read")
        tag = (await at.root.get("/api/devices/1")).headers["ETag"]
        change, seen = {"name": "Tablet"}, {"If-Match": tag}
        async with at.client(token) as http:
            assert 200 == (await http.get("/api/devices/current")).status_code
        now = await at.root.get("/api/devices/1", headers={"If-None-Match": tag})
        assert (200, True) == (now.status_code, now.json()["lastSeenAt"] is not None)
        assert 200 == (await at.root.patch("/api/devices/1", json=change, headers=seen)).status_code
        assert 412 == (await at.root.delete("/api/devices/1", headers=seen)).status_code


async def test_a_device_may_ask_who_it_is(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        everything = ["read", "work", "approve", "land", "operate", "admin"]
        answer = (await at.root.get("/api/devices/current")).json()
        assert {"device": None, "scopes": everything} == answer
        async with at.client(await at.device("approve")) as http:
            told = (await http.get("/api/devices/current")).json()
            assert (1, ["approve"]) == (told["device"]["id"], told["scopes"])


async def test_a_device_that_has_expired_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server(tmp_path) as at, at.client(await at.device("read")) as http:
        soon = (datetime.now(UTC) + timedelta(seconds=60)).isoformat()
        assert 200 == (await at.root.patch("/api/devices/1", json={"expiresAt": soon})).status_code
        assert 200 == (await http.get("/api/tasks")).status_code
        cookie = await cookie_of(http)
        monkeypatch.setattr(rosters, "seconds_until", lambda _: -1.0)
        answers = [await http.get("/api/tasks") for _ in range(25)]  # right, so no guesses
        assert {401} == {answer.status_code for answer in answers}
        assert 'device:1 "Phone" expired' in answers[0].json()["error"]["message"]
        async with httpx.AsyncClient(base_url=at.address.url, headers=cookie) as browser:
            assert 401 == (await browser.get("/api/tasks")).status_code


async def cookie_of(http: httpx.AsyncClient) -> dict[str, str]:
    """Sign in; return the cookie as a header."""
    answer = await http.post("/api/signin")
    assert 204 == answer.status_code
    value = SimpleCookie(answer.headers["set-cookie"])[COOKIE].value
    http.cookies.clear()
    return {"Cookie": f"{COOKIE}={value}"}


async def test_a_browser_trades_a_devices_token_for_a_cookie_of_the_device(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("read")) as http:
        cookie = await cookie_of(http)
        async with httpx.AsyncClient(base_url=at.address.url, headers=cookie) as browser:
            assert 200 == (await browser.get("/api/tasks")).status_code
            assert 403 == (await browser.post("/api/tasks", json=TASK)).status_code
            other_site = {"Sec-Fetch-Site": "cross-site"}
            assert 403 == (await browser.get("/api/tasks", headers=other_site)).status_code
            assert 401 == (await browser.post("/api/signin")).status_code
            await at.root.delete("/api/devices/1")
            assert 401 == (await browser.get("/api/tasks")).status_code


async def test_a_devices_cookie_ends_with_the_device(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        for device, most in (
            (await at.device("read"), DEVICE_LIFE_SECONDS),
            (await at.device("read", expiresAt=ends), 3600),
        ):
            async with at.client(device) as http:
                answer = await http.post("/api/signin")
            seconds = int(SimpleCookie(answer.headers["set-cookie"])[COOKIE]["max-age"])
            assert most - 300 < seconds <= most


async def test_cookies_of_devices_cannot_be_made_up(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        first, second = await at.device("read"), await at.device("read", "work")
        async with at.client(first) as http:
            value = (await cookie_of(http))["Cookie"]
        assert second["id"] == 2
        made_up = [
            value.replace("=d1.", "=d2."),
            value.replace("=d1.", "="),
            value[:-1] + "g",
            value.replace("=d1.", "=d1.9"),
            value.replace("=d1.", "=d3."),
        ]
        async with httpx.AsyncClient(base_url=at.address.url) as browser:
            for each in made_up:
                answer = await browser.get("/api/tasks", headers={"Cookie": each})
                assert 401 == answer.status_code, each
            assert 200 == (await browser.get("/api/tasks", headers={"Cookie": value})).status_code


async def test_guesses_of_devices_tokens_are_limited_as_the_servers(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("read")) as http:
        wrong = {"Authorization": "Bearer ccd_" + "x" * 43}
        statuses = [(await at.root.get("/api/tasks", headers=wrong)).status_code for _ in range(21)]
        assert [401] * 20 + [429] == statuses
        assert 429 == (await http.get("/api/tasks")).status_code


async def test_a_devices_token_in_a_url_is_refused_by_its_value(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        device = await at.device("read")
        async with at.client(device) as http:
            answer = await http.get("/api/tasks", params={"query": device["token"]})
        assert 400 == answer.status_code
        assert "Do not put a token in a URL" in answer.json()["error"]["message"]


async def test_a_device_is_not_told_whether_a_guess_is_the_token_of_another(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        device, other = await at.device("read"), await at.device("read")
        async with at.client(device) as http:
            for guess in (TOKEN, other["token"], "a-wrong-guess-of-32-characters!!"):
                answer = await http.get("/api/tasks", params={"query": guess})
                assert 200 == answer.status_code, guess
        answer = await at.root.get("/api/tasks", params={"query": other["token"]})
        assert 400 == answer.status_code


async def test_a_device_is_last_seen_when_it_asked_and_that_outlives_the_server(
    tmp_path: Path,
) -> None:
    async with server(tmp_path) as at:
        assert (await at.device("read"))["lastSeenAt"] is None
        async with at.client(await at.device("read")) as http:
            await http.get("/api/tasks")
        first, second = (await at.root.get("/api/devices")).json()["items"]
        assert first["lastSeenAt"] is None
        assert second["lastSeenFrom"] == "127.0.0.1"
        assert second["createdAt"] <= second["lastSeenAt"]
    async with server(tmp_path) as at:
        stored = await at.center.storage.read(lambda db: devices.get(db, 2))
        assert second["lastSeenAt"] == stored.last_seen_at


async def test_of_many_requests_few_are_written_down(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("read")) as http:
        before = units_of(at)
        for _ in range(50):
            await http.get("/api/tasks")
        assert units_of(at) - before <= 2


def units_of(at: Server) -> int:
    count: Any = at.center.system.snapshot_of("/store").description["units"]
    return int(count)


@pytest.mark.parametrize("act", ["revoke", "narrow"])
async def test_a_websocket_is_closed_with_its_devices_access(tmp_path: Path, act: str) -> None:
    async with server(tmp_path) as at:
        device, other = await at.device("read"), await at.device("read")
        url = at.address.url.replace("http", "ws") + STREAM + "?after=0"
        async with websocket(url, device) as socket, websocket(url, other) as others:
            await socket.get_message()
            await others.get_message()
            with trio.fail_after(20):
                await end(at, device["id"], act)
                code, reason = await reason_of(socket)
            assert (1008, True) == (code, "access of this device" in reason)
            await at.root.post("/api/tasks", json=TASK)
            while "task.created" not in await others.get_message():
                pass


@asynccontextmanager
async def websocket(url: str, device: dict[str, Any]) -> AsyncIterator[Any]:
    headers = [(name.encode(), value.encode()) for name, value in bearer(device).items()]
    async with open_websocket_url(url, extra_headers=headers) as connection:
        try:
            yield connection
        finally:
            await connection._stream.aclose()


async def reason_of(socket: Any) -> tuple[int, str]:
    """Read to the end; return the code and the reason with which the server closed."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await socket.get_message()
    reason = closed.value.reason
    assert reason is not None
    return reason.code, reason.reason or ""


async def end(at: Server, device_id: int, act: str) -> None:
    """End what a device may do, in one of the ways."""
    if act == "revoke":
        answer = await at.root.delete(f"/api/devices/{device_id}")
    else:
        answer = await at.root.patch(f"/api/devices/{device_id}", json={"scopes": ["work"]})
    assert answer.status_code == 200


@pytest.mark.parametrize("act", ["revoke", "narrow"])
async def test_an_event_stream_ends_with_its_devices_access(tmp_path: Path, act: str) -> None:
    async with server(tmp_path) as at, at.client(device := await at.device("read")) as http:
        headers = {"Accept": "text/event-stream"}
        with trio.fail_after(20):
            async with http.stream("GET", f"{STREAM}?after=0", headers=headers) as answer:
                parts = answer.aiter_raw()
                await anext(parts)
                await end(at, device["id"], act)
                async for _ in parts:
                    pass
        wanted = 401 if act == "revoke" else 403
        assert wanted == (await http.get(f"{STREAM}?after=0", headers=headers)).status_code


async def test_a_websocket_may_bring_its_token_as_a_subprotocol(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        device = await at.device("read")
        lines = {
            "Host": f"127.0.0.1:{at.address.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade, close",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": subprotocols_of(device["token"]),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(20):
                async with await trio.open_tcp_stream("127.0.0.1", at.address.port) as stream:
                    await stream.send_all(f"GET {STREAM} HTTP/1.1\r\n{head}\r\n".encode())
                    answer = await stream.receive_some()
            nursery.cancel_scope.cancel()
        assert answer.startswith(b"HTTP/1.1 101")
        assert device["token"].encode() not in answer


async def test_without_a_token_of_the_server_everybody_is_let_in_as_before(tmp_path: Path) -> None:
    async with server(tmp_path, token=None) as at:
        device = await at.device("read")
        async with httpx.AsyncClient(base_url=at.address.url) as anybody:
            assert 201 == (await anybody.post("/api/tasks", json=TASK)).status_code
            assert (
                201
                == (
                    await anybody.post(
                        "/api/tasks", json=TASK, headers={"Authorization": "Bearer x"}
                    )
                ).status_code
            )
        async with at.client(device) as http:
            assert 403 == (await http.post("/api/tasks", json=TASK)).status_code
            await at.root.delete("/api/devices/1")
            assert 401 == (await http.post("/api/tasks", json=TASK)).status_code


async def test_a_devices_row_that_was_changed_past_the_store_lets_nobody_in(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        device, other = await at.device("read"), await at.device("read")
    with closing(sqlite3.connect(tmp_path / "center.sqlite3")) as db, db:
        db.execute("UPDATE devices SET scopes = '[\"admin\"]' WHERE id = 1")
    async with server(tmp_path) as at:
        for each, status in ((device, 401), (other, 200)):
            async with at.client(each) as http:
                assert status == (await http.get("/api/tasks")).status_code
        assert [1] == (await at.root.get("/api/devices")).json()["damaged"]


async def test_devices_are_let_in_while_their_actor_restarts(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("read")) as http:
        order = {"reason": "a test", "confirm": True}
        answer = await at.root.post("/api/runtime/actors/devices/restart", json=order)
        assert 200 == answer.status_code
        assert 200 == (await http.get("/api/tasks")).status_code
        assert 2 == (await at.device("read"))["id"]
