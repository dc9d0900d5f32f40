"""The names of the server, and attacks by other names."""

from __future__ import annotations

import sys
from functools import partial

import pytest
import trio

from command_center.http.config.settings import load_settings
from command_center.http.middleware import hosts
from command_center.http.middleware.gate import Policy
from command_center.http.middleware.hosts import (
    AllowedHosts,
    WrongHost,
    configured_hosts,
    with_port,
)
from command_center.http.transport.listen import bind, serve_on
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


# A server that listens on every address


@pytest.fixture
def every_address(monkeypatch: pytest.MonkeyPatch) -> AllowedHosts:
    monkeypatch.setattr(hosts, "own_names", lambda: ["box.fritz.box", "box", "box.local"])
    policy = Policy.of(listen_on="0.0.0.0", token=TOKEN)
    return AllowedHosts(policy.hosts, knows_itself=policy.knows_itself)


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.20:8787",
        "192.168.1.20",
        "box",
        "Box.local:8787",
        "box.fritz.box",
        "box.tail1a2b.ts.net",
        "localhost",
    ],
)
def test_it_knows_its_machines_own_addresses_and_names(
    every_address: AllowedHosts, host: str
) -> None:
    assert with_port(host) == every_address.check(host, "192.168.1.20")


def test_an_address_of_ipv6_is_known_in_brackets(every_address: AllowedHosts) -> None:
    assert ("[fd00::20]", 8787) == every_address.check("[fd00::20]:8787", "fd00::20")


@pytest.mark.parametrize(
    "host",
    [
        "192.168.1.21:8787",
        "box.example",
        "other.local",
        "other.tail1a2b.ts.net",
        "192.168.1.20.nip.io",
        "0.0.0.0",
        "evil.example",
    ],
)
def test_it_refuses_a_rebound_name_still(every_address: AllowedHosts, host: str) -> None:
    with pytest.raises(WrongHost):
        every_address.check(host, "192.168.1.20")


def test_without_a_token_or_on_one_address_it_knows_what_is_listed_alone() -> None:
    for listen_on, token in (("0.0.0.0", None), ("127.0.0.1", TOKEN)):
        policy = Policy.of(listen_on=listen_on, token=token)
        assert not policy.knows_itself
        with pytest.raises(WrongHost):
            AllowedHosts(policy.hosts).check("192.168.1.20", "192.168.1.20")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address")
async def test_the_address_that_a_client_is_connected_to_is_known_over_a_socket() -> None:
    address = bind("0.0.0.0", 0)
    app = guarded_app(Policy.of(listen_on="0.0.0.0", token=TOKEN))
    shutdown = trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_on, app, address, shutdown=shutdown))
        for host, status in (("127.0.0.2", 200), ("127.0.0.3", 421)):
            async with await trio.open_tcp_stream("127.0.0.2", address.port) as stream:
                sent = f"GET / HTTP/1.1\r\nHost: {host}:1\r\nConnection: close\r\n\r\n"
                await stream.send_all(sent.encode())
                answer = b"".join([part async for part in stream])
            assert status == int(answer.split()[1])
        shutdown.set()


# What a person is told in a browser


async def test_a_browser_is_told_which_line_to_change() -> None:
    app = guarded_app(Policy.of(listen_on="127.0.0.1", token=TOKEN, allowed_hosts=["a.example"]))
    async with client_of(app) as client:
        headers = {"Host": "cc.example:8787", "Accept": "text/html,*/*"}
        answer = await client.get("/", headers=headers)
        assert (421, "text/html; charset=utf-8") == (
            answer.status_code,
            answer.headers["content-type"],
        )
        assert "<pre>CC_ALLOWED_HOSTS=a.example,cc.example</pre>" in answer.text
        assert "default-src" in answer.headers["content-security-policy"]
        for_programs = await client.get("/", headers={"Host": "cc.example"})
        assert "CC_ALLOWED_HOSTS" in for_programs.json()["error"]["message"]


@pytest.mark.parametrize("host", ["<script>alert(1)</script>", '"x"', "a b"])
async def test_no_markup_of_a_name_is_shown(host: str) -> None:
    async with served(guarded_app()) as address:
        sent = f"GET / HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        answer = await exchange(address, sent.encode())
    assert 421 == int(answer.split()[1])
    assert host.encode() not in answer
    assert b"CC_ALLOWED_HOSTS=cc.example.com,NAME" in answer
