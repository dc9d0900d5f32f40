"""The kernel is asked whose process has the other end of a connection."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from command_center.http.sockets.socket_owner import NOBODY, Peer, owner_of, tells_owners

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

OTHER = 65534


@contextmanager
def connected(
    host: str = "127.0.0.1", listen_on: str = "127.0.0.1"
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection: the client's, and the server's."""
    family = socket.AF_INET6 if ":" in listen_on else socket.AF_INET
    with socket.create_server(
        (listen_on, 0), family=family, dualstack_ipv6=listen_on == "::"
    ) as listener:
        client = socket.create_connection((host, listener.getsockname()[1]))
        server, _ = listener.accept()
        with client, server:
            yield client, server


def own_id() -> int:
    found = 0
    if sys.platform != "win32":
        found = os.geteuid()
    return found


def become(user: int) -> None:
    if sys.platform != "win32":
        os.seteuid(user)


def ends(server: socket.socket) -> tuple[tuple[str, int], tuple[str, int]]:
    return server.getpeername()[:2], server.getsockname()[:2]


@pytest.mark.parametrize(
    ("host", "listen_on"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("127.0.0.1", "::"), ("::1", "::")],
)
def test_the_owner_is_told_whatever_the_family(host: str, listen_on: str) -> None:
    with connected(host, listen_on) as (_, server):
        assert own_id() == owner_of(*ends(server))
        assert not Peer(*ends(server)).is_stranger


def test_this_system_tells() -> None:
    assert tells_owners()


def test_a_socket_that_was_closed_is_nobodys_and_not_roots() -> None:
    with connected() as (client, server):
        found = ends(server)
        client.close()
        assert NOBODY == owner_of(*found)
        assert Peer(*found).is_stranger


def test_one_that_never_was_is_nobodys() -> None:
    assert NOBODY == owner_of(("127.0.0.1", 1), ("127.0.0.1", 2))


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root can be another user"
)
def test_another_users_socket_is_a_strangers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        become(OTHER)
        try:
            client = socket.create_connection(listener.getsockname())
        finally:
            become(0)
        server, _ = listener.accept()
        with client, server:
            assert OTHER == owner_of(*ends(server))
            assert Peer(*ends(server)).is_stranger


def test_half_closed_it_still_has_its_owner() -> None:
    with connected() as (client, server):
        client.shutdown(socket.SHUT_WR)
        assert own_id() == owner_of(*ends(server))
