"""The user whose process has the other end of a connection, where the system tells.

Linux tells it by its diagnosis of sockets (sock_diag(7)), which finds the one socket of two
addresses in less than a millisecond, however many there are. Elsewhere only a process's own user
may look, so nobody is told.

A socket that its process has closed has no owner any more, and the kernel shows root's id in its
place; its inode is 0. So nobody passes for root by sending something and closing at once.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from functools import cached_property
from ipaddress import IPv6Address, ip_address
from typing import Final

import attrs

PEER: Final = "command_center.peer"
"""The key of a scope under which its connection has the `Peer`."""

NOBODY: Final = -1
"""In the place of a user's id: no process has the socket."""

_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_ERROR: Final = 2
_TIMEOUT: Final = 1.0
_HEADER: Final = struct.Struct("=IHHII")
_REQUEST: Final = struct.Struct("=BBBxI")
_ADDRESSES: Final = struct.Struct("!HH16s16s")
_UID_AND_INODE: Final = struct.Struct("=II")
_UID_AT: Final = _HEADER.size + 64
"""The place of `idiag_uid` in an answer: behind the header and most of `inet_diag_msg`."""


@attrs.define(slots=False)
class Peer:
    """The other end of a connection."""

    client: tuple[str, int]
    server: tuple[str, int]

    @cached_property
    def owner(self) -> int | None:
        """Return the id of its user, `NOBODY`, or None where the system does not tell."""
        return owner_of(self.client, self.server)

    @property
    def is_stranger(self) -> bool:
        """Return True if it is known to be neither the server's own user nor root."""
        return sys.platform != "win32" and self.owner not in {None, 0, os.geteuid()}


def tells_owners() -> bool:
    """Return True if this system tells whose process has a socket."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        address = here.getsockname()
        with socket.create_connection(address[:2]) as there:
            return owner_of(there.getsockname(), address) is not None


def owner_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """Return the id of the user whose process has the client's end of a connection of TCP.

    It is `NOBODY` where no process has it any more, and None where the system does not tell.
    """
    try:
        answer = _asked(_question(client, server))
    except OSError:
        return None
    _, kind, *_ = _HEADER.unpack_from(answer)
    if kind == _ERROR:
        (number,) = struct.unpack_from("=i", answer, _HEADER.size)
        return NOBODY if number == -errno.ENOENT else None
    uid, inode = _UID_AND_INODE.unpack_from(answer, _UID_AT)
    return int(uid) if inode else NOBODY


def _asked(question: bytes) -> bytes:
    """Return the kernel's answer; raise OSError where there is nobody to ask."""
    if sys.platform == "linux":
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.settimeout(_TIMEOUT)
            kernel.send(question)
            return kernel.recv(4096)
    else:
        raise OSError(errno.ENOSYS, "no sock_diag")


def _question(client: tuple[str, int], server: tuple[str, int]) -> bytes:
    """Return the question for one socket: `inet_diag_req_v2` of <linux/inet_diag.h>."""
    family, source = _packed(client[0])
    _, target = _packed(server[0])
    every_state, any_interface, no_cookie = 0xFFFFFFFF, bytes(4), b"\xff" * 8
    body = (
        _REQUEST.pack(family, socket.IPPROTO_TCP, 0, every_state)
        + _ADDRESSES.pack(client[1], server[1], source, target)
        + any_interface
        + no_cookie
    )
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, 1, 0, 0) + body


def _packed(text: str) -> tuple[int, bytes]:
    """Return the family and the bytes of an address; one of IPv4 that IPv6 wraps is one of IPv4."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return (socket.AF_INET6 if address.version == 6 else socket.AF_INET), address.packed  # noqa: PLR2004 - IPv6
