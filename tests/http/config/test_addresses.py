"""Addresses under which the page opens, and the machine's own names."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import psutil
import pytest

from command_center.http.config.addresses import (
    Listening,
    is_name_in_tailnet,
    own_addresses,
    own_names,
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in a net, with what such machines have."""

    def of(*known: tuple[int, str]) -> list[SimpleNamespace]:
        return [SimpleNamespace(family=family, address=address) for family, address in known]

    interfaces = {
        "lo": of((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")),
        "wlan0": of(
            (socket.AF_INET6, "fd00::20"),
            (socket.AF_INET6, "fe80::1%wlan0"),
            (socket.AF_INET, "192.168.1.20"),
            (17, "00:11:22:33:44:55"),
        ),
        "docker0": of((socket.AF_INET, "172.17.0.1")),
    }
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces)
    monkeypatch.setattr(socket, "gethostname", lambda: "Box.fritz.box")


def test_addresses_are_those_that_others_may_reach(machine: None) -> None:
    assert ["192.168.1.20", "fd00::20"] == own_addresses()


def test_names_are_in_lower_case_and_known_to_multicast_dns(
    machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ["box.fritz.box", "box", "box.local"] == own_names()
    for name in ("localhost", "", "a b", "x\n"):
        monkeypatch.setattr(socket, "gethostname", lambda name=name: name)
        assert [] == own_names()


def test_who_listens_on_every_address_is_told_all_of_them(machine: None) -> None:
    by_host = {
        "0.0.0.0": ("http://192.168.1.20:8787", "http://127.0.0.1:8787"),
        "::": ("http://[fd00::20]:8787", "http://[::1]:8787"),  # and of IPv4 to none
    }
    for host, (in_the_net, here) in by_host.items():
        assert [
            "http://cc.example.com:8787",
            "http://other:80",
            in_the_net,
            "http://box.local:8787",
            here,
        ] == Listening(host, 8787, ("cc.example.com", "other:80")).urls()


def test_who_listens_on_one_address_is_told_that(machine: None) -> None:
    assert ["http://127.0.0.1:1"] == Listening("127.0.0.1", 1).urls()
    assert ["http://192.168.1.20:1"] == Listening("192.168.1.20", 1).urls()
    assert ["http://localhost:1"] == Listening("localhost", 1).urls()


def test_behind_a_proxy_names_are_those_of_its_encrypted_side(machine: None) -> None:
    found = Listening("127.0.0.1", 1, ("cc.example.com",), is_proxied=True).urls()
    assert ["https://cc.example.com", "http://127.0.0.1:1"] == found


@pytest.mark.parametrize(
    ("name", "is_own"),
    [
        ("box.tail1a2b.ts.net", True),
        ("other.tail1a2b.ts.net", False),
        ("box.ts.net", False),
        ("box.evil.example", False),
        ("box.a.b.ts.net", False),
        ("box.tail1a2b.ts.net.evil.example", False),
    ],
)
def test_a_name_in_a_tailnet_is_of_the_machine_that_has_it(name: str, is_own: bool) -> None:  # noqa: FBT001 - a parameter
    assert is_own is is_name_in_tailnet(name, ("box", "box.local"))
