"""Pairing over real sockets: a code lets one device in, once, in its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno
import trio

from command_center.actors.contracts.devices import NewDevice
from command_center.actors.devices import pairing as codes
from command_center.actors.rules.errors import WrongCode
from command_center.http.middleware.signin import COOKIE
from tests.http.devices import Server, server

URLS = ("http://192.168.1.20:8787", "http://127.0.0.1:8787")
ALL_BUT_ADMIN = ["read", "work", "approve", "land", "operate"]


@asynccontextmanager
async def browser(at: Server) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that has not been here yet."""
    async with httpx.AsyncClient(base_url=at.address.url, timeout=30) as http:
        yield http


async def offer(at: Server, **wanted: Any) -> dict[str, Any]:
    answer = await at.root.post("/api/devices/pairings", json=wanted)
    assert 201 == answer.status_code, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_code_signs_a_browser_in_as_a_device_of_its_own(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        made = await offer(at, requestedBy="me")
        answer = await phone.post("/api/pair", json={"code": made["code"], "name": "iPhone"})
        assert 201 == answer.status_code
        device = answer.json()
        assert "/api/devices/1" == answer.headers["Location"]
        assert ("iPhone", ALL_BUT_ADMIN, True) == (
            device["name"],
            device["scopes"],
            device["isPaired"],
        )
        assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["httponly"]
        assert "token" not in answer.text
        assert 200 == (await phone.get("/api/tasks")).status_code
        assert 403 == (await phone.get("/api/devices")).status_code
        (told,) = await at.events("device.created")
        assert ("me", True) == (told["actor"], told["data"]["paired"])
        await at.root.delete("/api/devices/1")
        assert 401 == (await phone.get("/api/tasks")).status_code


async def test_a_code_gives_no_more_than_who_made_it_has(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        for scopes, given in ((["read", "admin"], ["read"]), (["admin"], ["admin"])):
            async with at.client(await at.device(*scopes)) as http, browser(at) as phone:
                made = (await http.post("/api/devices/pairings")).json()
                answer = await phone.post("/api/pair", json={"code": made["code"]})
                assert (given, "A paired device") == (
                    answer.json()["scopes"],
                    answer.json()["name"],
                )


async def test_the_name_that_a_code_was_made_for_counts(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        made = await offer(at, name="My phone", scopes=["read"], expiresAt="2999-01-01T00:00:00Z")
        answer = await phone.post("/api/pair", json={"code": made["code"], "name": "iPhone"})
        device = answer.json()
        assert ("My phone", ["read"]) == (device["name"], device["scopes"])
        assert "2999-01-01T00:00:00.000Z" == device["expiresAt"]


async def test_a_code_may_be_typed_in_any_way(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        code = (await offer(at))["code"]
        typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
        assert 201 == (await phone.post("/api/pair", json={"code": typed})).status_code


async def test_a_code_that_was_used_is_told_so(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone, browser(at) as other:
        code = (await offer(at))["code"]
        assert 201 == (await phone.post("/api/pair", json={"code": code})).status_code
        answer = await other.post("/api/pair", json={"code": code})
        assert (409, {"outcome": "used"}) == (answer.status_code, facts_of(answer))
        assert "set-cookie" not in answer.headers
        assert 1 == len((await at.root.get("/api/devices")).json()["items"])


async def test_a_code_that_has_expired_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes, "CODE_SECONDS", 0.0)
    async with server(tmp_path) as at, browser(at) as phone:
        code = (await offer(at))["code"]
        answer = await phone.post("/api/pair", json={"code": code})
        assert (409, {"outcome": "expired"}) == (answer.status_code, facts_of(answer))


def facts_of(answer: httpx.Response) -> Any:
    return answer.json()["error"]["facts"]


@pytest.mark.parametrize("act", ["revoke", "narrow"])
async def test_a_code_ends_with_the_access_of_the_device_that_made_it(
    tmp_path: Path, act: str
) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        device = await at.device("admin", "read")
        async with at.client(device) as http:
            code = (await http.post("/api/devices/pairings")).json()["code"]
        if act == "revoke":
            await at.root.delete(f"/api/devices/{device['id']}")
        else:
            await at.root.patch(f"/api/devices/{device['id']}", json={"scopes": ["read"]})
        answer = await phone.post("/api/pair", json={"code": code})
        assert (409, {"outcome": "withdrawn"}) == (answer.status_code, facts_of(answer))
        assert "set-cookie" not in answer.headers


async def test_guesses_at_once_are_no_more_than_guesses_in_turn(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        statuses: list[int] = []
        has_refused = trio.Event()

        async def guess() -> None:
            async with browser(at) as http:
                answer = await http.post("/api/pair", json={"code": "00000000"})
            statuses.append(answer.status_code)
            if len(statuses) == 5:
                has_refused.set()

        actor = "/api/runtime/actors/devices"
        order = {"requestedBy": "me", "reason": "to hold the answers"}
        assert 200 == (await at.root.post(f"{actor}/suspend", json=order)).status_code
        with trio.fail_after(30):
            async with trio.open_nursery() as nursery:
                for _ in range(25):
                    nursery.start_soon(guess)
                await has_refused.wait()
                assert [429] * 5 == statuses
                assert 200 == (await at.root.post(f"{actor}/resume", json=order)).status_code
        assert [401] * 20 + [429] * 5 == sorted(statuses)


async def test_codes_that_are_right_are_no_guesses(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        for _ in range(21):
            code = (await offer(at))["code"]
            assert 201 == (await phone.post("/api/pair", json={"code": code})).status_code


async def test_guesses_of_codes_are_limited_and_tokens_are_not_by_them(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as guesser:
        code = (await offer(at))["code"]
        statuses = [
            (await guesser.post("/api/pair", json={"code": f"0000000{count}"})).status_code
            for count in range(21)
        ]
        assert [401] * 20 + [429] == statuses
        refused = await guesser.post("/api/pair", json={"code": code})
        assert (429, True) == (refused.status_code, "Retry-After" in refused.headers)
        assert "wrong pairing codes" in refused.json()["error"]["message"]
        assert 200 == (await at.root.get("/api/tasks")).status_code


async def test_of_many_who_race_with_one_code_one_is_let_in(tmp_path: Path) -> None:
    async with server(tmp_path) as at:
        code = (await offer(at))["code"]
        statuses: list[int] = []

        async def race() -> None:
            async with browser(at) as phone:
                statuses.append((await phone.post("/api/pair", json={"code": code})).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(race)
        assert [201] + [409] * 7 == sorted(statuses)


async def test_a_page_of_another_site_cannot_sign_a_browser_in(tmp_path: Path) -> None:
    async with server(tmp_path) as at, browser(at) as phone:
        code = (await offer(at))["code"]
        for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await phone.post("/api/pair", json={"code": code}, headers=header)
            assert 403 == answer.status_code
        assert 201 == (await phone.post("/api/pair", json={"code": code})).status_code


async def test_a_device_lets_in_no_one_who_may_do_more(tmp_path: Path) -> None:
    async with server(tmp_path) as at, at.client(await at.device("admin", "read")) as http:
        answer = await http.post("/api/devices/pairings", json={"scopes": ["read", "land"]})
        assert (403, {"scope": "land"}) == (answer.status_code, facts_of(answer))
        made = await http.post("/api/devices/pairings", json={"scopes": ["read"]})
        async with browser(at) as phone:
            answer = await phone.post("/api/pair", json={"code": made.json()["code"]})
            assert 201 == answer.status_code
        told = (await at.events("device.created"))[-1]
        assert ("api", 'device:1 "Phone"') == (told["actor"], told["device"])


@pytest.mark.parametrize(
    "wrong", [{"name": " "}, {"scopes": []}, {"expiresAt": "2001-01-31T07:05:09Z"}]
)
async def test_what_is_wrong_with_a_device_is_told_before_there_is_a_code(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    async with server(tmp_path) as at:
        answer = await at.root.post("/api/devices/pairings", json=wrong)
        assert 400 == answer.status_code
        assert next(iter(wrong)) in answer.json()["error"]["message"]


async def test_an_offer_has_each_address_with_its_code_behind_the_sign_that_no_server_sees(
    tmp_path: Path,
) -> None:
    async with server(tmp_path, urls=URLS) as at:
        made = await offer(at)
        assert [f"{url}/#/pair/{made['code']}" for url in URLS] == [
            place["url"] for place in made["places"]
        ]
        for place in made["places"]:
            drawn = segno.make_qr(place["url"], error="m").matrix
            assert ["".join(map(str, row)) for row in drawn] == place["qr"]


async def test_only_so_many_codes_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes, "REMEMBERED", 2)
    known = codes.Codes()
    offer = codes.Offer(NewDevice(name="a", scopes=["read"]), frozenset())
    made = [known.offer(offer) for _ in range(3)]
    with pytest.raises(WrongCode):
        known.take(made[0])
    assert [offer, offer] == [known.take(code) for code in made[1:]]


async def test_the_addresses_are_told_with_what_leads_there(tmp_path: Path) -> None:
    urls = ["https://cc.example", "http://192.168.1.20:8787", "http://127.0.0.1:8787"]
    async with server(tmp_path, urls=urls) as at:
        found = (await at.root.get("/api/addresses")).json()["items"]
        assert urls == [one["url"] for one in found]
        assert [True, False, False] == [one["isEncrypted"] for one in found]
        assert [False, False, True] == [one["isLoopback"] for one in found]
        async with at.client(await at.device("work")) as http:
            assert 403 == (await http.get("/api/addresses")).status_code
