"""The names of the server, and attacks by other names."""

from __future__ import annotations

import pytest

from command_center.http.config.settings import load_settings
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.hosts import configured_hosts, with_port
from tests.http.guarded import BEARER, TOKEN, guarded_app, handshake, open_app, status_of
from tests.http.live import client_of, exchange, served


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


async def test_a_port_may_be_left_empty() -> None:
    async with served(guarded_app()) as address:
        sent = b"GET / HTTP/1.1\r\nHost: localhost:\r\nConnection: close\r\n\r\n"
        assert b"200" == (await exchange(address, sent)).split()[1]


async def test_a_rebound_websocket_is_421() -> None:
    async with served(open_app()) as address:
        assert 421 == await handshake(address, {"Host": "evil.example"})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("cc.lan:1", 200),
        ("cc.lan:2", 421),
        ("cc.lan", 421),
        ("[fd00::5]:8787", 200),
        ("[fd00::6]:1", 200),
        ("[fd00::6]:2", 421),
    ],
)
async def test_a_configured_name_may_have_its_port(host: str, status: int) -> None:
    settings = load_settings({"CC_ALLOWED_HOSTS": "cc.lan:1,fd00::5,[fd00::6]:1"})
    policy = Policy.of(listen_on="0.0.0.0", allowed_hosts=settings.allowed_hosts, token=None)
    assert status == await status_of({"Host": host}, app=guarded_app(policy))


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
    assert expected == configured_hosts(listen_on, [])


@pytest.mark.parametrize("text", ["", ":", "a:b", "a b", "a/b", "[::1]:x", "[x]", "é"])
def test_what_is_no_authority_has_no_name(text: str) -> None:
    assert with_port(text) is None


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
