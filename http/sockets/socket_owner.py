"""The user whose process has the other end of a connection, where the system tells.

Linux tells it by its diagnosis of sockets (sock_diag(7)), which finds the one socket of two
addresses in less than a millisecond, however many there are. macOS has a table of them all
(`pcb_list`). That is believed where the server has found a connection of its own in it, as its own:
its form is Apple's, and may change. Zeros anywhere look like root's id, so root does not use it.
Elsewhere only a process's own user may look, so nobody is told.

A socket that its process has closed has no owner any more, and Linux shows root's id in its place;
its inode is 0. So nobody passes for root by sending something and closing at once.

A command of a terminal asks the same of the server's end, so this module begins at once: it imports
the standard library alone.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from functools import cache, cached_property
from ipaddress import IPv6Address, ip_address
from typing import Final, TypeAlias

from command_center.http.sockets.pcb_list import owner_in, read_pcb_list

Look: TypeAlias = Callable[[tuple[str, int], tuple[str, int]], int | None]

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


class Peer:
    """The other end of a connection."""

    def __init__(self, client: tuple[str, int], server: tuple[str, int]) -> None:
        self.client, self.server = client, server

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
    return _of_own_connection(owner_of) is not None


def _of_own_connection(look: Look) -> int | None:
    """Look for the owner of a connection that this process makes with itself."""
    with socket.create_server(("127.0.0.1", 0)) as here:
        address = here.getsockname()
        with socket.create_connection(address[:2]) as there:
            return look(there.getsockname(), address)


def owner_of(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """Return the id of the user whose process has the client's end of a connection of TCP.

    It is `NOBODY` where no process has it any more, and None where the system does not tell.
    """
    look = _owner_by_table if sys.platform == "darwin" else _owner_by_diagnosis
    return look(client, server)


def listener_of(server: tuple[str, int]) -> int | None:
    """Return the id of the user whose process listens at an address that a connection leads to.

    It is `NOBODY` where no process does, and None where the system does not tell.
    """
    nowhere = "::" if ":" in server[0] else "0.0.0.0"  # noqa: S104 - nothing listens there
    found = owner_of(server, (nowhere, 0))
    if found == NOBODY and sys.platform == "darwin":  # its table has no other address for it
        found = owner_of((nowhere, server[1]), (nowhere, 0))
    return found


def _owner_by_table(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    return owner_on_macos(client, server) if _macos_is_believed() else None


def _owner_by_diagnosis(client: tuple[str, int], server: tuple[str, int]) -> int | None:
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


def owner_on_macos(
    client: tuple[str, int], server: tuple[str, int], read: Callable[[], bytes] = read_pcb_list
) -> int | None:
    """Return the same by macOS's table, which `read` returns."""
    (_, source), (_, target) = _packed(client[0]), _packed(server[0])
    try:
        found = owner_in(read(), (source, client[1]), (target, server[1]))
    except OSError:
        return None
    return NOBODY if found is None else found


@cache
def _macos_is_believed() -> bool:
    return knows_itself(owner_on_macos)


def knows_itself(look: Look) -> bool:
    """Return True if this process, which is not root's, is told of a connection of its own."""
    return sys.platform != "win32" and os.geteuid() in {_of_own_connection(look)} - {0}


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
