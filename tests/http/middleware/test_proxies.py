"""The client behind a reverse proxy, which only trusted ones may name."""

from __future__ import annotations

import httpx
import pytest

from command_center.http.middleware.gate import Policy
from command_center.http.middleware.proxies import TrustedProxies
from command_center.http.wire.problems import Refused
from tests.http.guarded import KEY, TOKEN, guarded_app
from tests.http.live import client_of

WRONG = {"Authorization": "Bearer wrong"}


def seen(
    forwarded: dict[str, str], *, peer: str = "10.0.0.2", trusted: str = "10.0.0.0/8"
) -> dict[str, object]:
    """The scope, and Host, once the proxies have been looked at."""
    scope: dict[str, object] = {"client": (peer, 4711), "scheme": "http"}
    headers = {name.lower().encode(): value.encode() for name, value in forwarded.items()}
    headers = {b"host": b"inner:1", **headers}
    TrustedProxies.of([trusted]).apply(scope, headers)
    return {**scope, "host": headers[b"host"].decode()}


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:5555", "192.0.2.7"),
        ("[2001:db8::7]:5555", "2001:db8::7"),
        ("2001:db8::7", "2001:db8::7"),
        ("203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("203.0.113.9, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
        ("10.1.1.1", "10.1.1.1"),
    ],
)
def test_the_client_is_the_last_that_is_no_trusted_proxy(told: str, client: str) -> None:
    assert (client, 0) == seen({"X-Forwarded-For": told})["client"]


def test_a_trusted_proxy_says_how_it_was_reached() -> None:
    told = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cc.example.com"}
    scope = seen(told)
    assert ("https", "cc.example.com") == (scope["scheme"], scope["host"])


def test_nobody_else_is_believed() -> None:
    told = {
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "cc.example.com",
    }
    scope = seen(told, peer="192.0.2.1")
    assert (("192.0.2.1", 4711), "http", "inner:1") == (
        scope["client"],
        scope["scheme"],
        scope["host"],
    )


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        seen({"X-Forwarded-For": "somebody"})
    assert 400 == refused.value.problem.status


async def guesses(client: httpx.AsyncClient, address: str) -> list[int]:
    """Return what three guesses of one client of the proxy are answered with."""
    headers = {**WRONG, "X-Forwarded-For": address}
    return [(await client.get("/api/things", headers=headers)).status_code for _ in range(3)]


@pytest.mark.parametrize("trusts", [True, False])
async def test_guesses_are_counted_by_the_proxys_client(trusts: bool) -> None:  # noqa: FBT001 - a parameter
    policy = Policy(
        token=TOKEN,
        sign_in_key=KEY,
        wrong_tokens=2,
        proxies=TrustedProxies.of(["127.0.0.1"] if trusts else []),
    )
    async with client_of(guarded_app(policy)) as client:
        assert [401, 401, 429] == await guesses(client, "192.0.2.7")
        others = [401, 401, 429] if trusts else [429, 429, 429]
        assert others == await guesses(client, "192.0.2.8")
