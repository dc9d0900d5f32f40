from __future__ import annotations

import math

import pytest
import trio
from trio.testing import MockClock

from command_center.http.middleware.gate import Policy
from command_center.http.middleware.throttle import LOOPBACK, WrongGuesses, client_key
from tests.http.guarded import BEARER, KEY, TOKEN, guarded_app, signed_in
from tests.http.live import client_of, served


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
    wrong = WrongGuesses(limit=2, seconds=60)
    wrong.add("192.0.2.1")
    assert 0 == wrong.seconds_to_wait("192.0.2.1")
    await trio.sleep(20)
    wrong.add("192.0.2.1")
    assert math.isclose(40, wrong.seconds_to_wait("192.0.2.1"))
    assert 0 == wrong.seconds_to_wait("192.0.2.2")
    await trio.sleep(40)
    assert 0 == wrong.seconds_to_wait("192.0.2.1")


async def test_the_memory_of_wrong_tokens_is_bounded() -> None:
    wrong = WrongGuesses(limit=1, seconds=60)
    for number in range(2 * WrongGuesses.LARGEST):
        wrong.add(str(number))
    assert WrongGuesses.LARGEST == len(wrong._windows)
    assert wrong.seconds_to_wait(str(2 * WrongGuesses.LARGEST - 1)) > 0


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("127.0.0.1", LOOPBACK),
        ("127.8.9.10", LOOPBACK),
        ("::1", LOOPBACK),
        ("::ffff:127.0.0.2", LOOPBACK),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nowhere", "nowhere"),
    ],
)
def test_who_has_very_many_addresses_counts_as_one(client: str, expected: str) -> None:
    assert expected == client_key({"client": (client, 1)})


async def test_another_address_of_the_loopback_gives_no_more_guesses() -> None:
    policy = Policy(token=TOKEN, wrong_tokens=3)
    guess = b"GET /api/things HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n\r\n"
    async with served(guarded_app(policy)) as address:
        statuses = []
        for number in range(1, 6):
            stream = await trio.open_tcp_stream(
                "127.0.0.1", address.port, local_address=f"127.0.0.{number}"
            )
            async with stream:
                await stream.send_all(guess)
                statuses.append(int((await stream.receive_some()).split()[1]))
    assert [401] * 3 + [429] * 2 == statuses


async def test_who_is_signed_in_need_not_wait_for_the_guesses_of_others() -> None:
    policy = Policy(token=TOKEN, wrong_tokens=1, sign_in_key=KEY)
    async with client_of(guarded_app(policy)) as client:
        await client.get("/api/things", headers={"Authorization": "Bearer wrong"})
        assert 429 == (await client.get("/api/things", headers=BEARER)).status_code
        cookie = {"Cookie": signed_in()}
        assert 200 == (await client.get("/api/things", headers=cookie)).status_code
