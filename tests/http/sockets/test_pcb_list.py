"""macOS's table of connections, in the form that Apple's headers give it."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address
from itertools import count
from typing import Any, ClassVar

import attrs
import pytest

from command_center.http.sockets.pcb_list import owner_in, read_pcb_list
from command_center.http.sockets.socket_owner import NOBODY, knows_itself, owner_on_macos

End = tuple[str, int]

ADA, EVE = 501, 502


class Generation(ctypes.Structure):
    """`struct xinpgen`, which begins the table and ends it."""

    _pack_ = 4
    _fields_: ClassVar = [
        ("xig_len", ctypes.c_uint32),
        ("xig_count", ctypes.c_uint32),
        ("xig_gen", ctypes.c_uint64),
        ("xig_sogen", ctypes.c_uint64),
    ]


class Connection(ctypes.Structure):
    """`struct xinpcb_n` of bsd/netinet/in_pcb.h; ports and addresses are in the net's order."""

    _pack_ = 4
    _fields_: ClassVar = [
        ("xi_len", ctypes.c_uint32),
        ("xi_kind", ctypes.c_uint32),
        ("xi_inpp", ctypes.c_uint64),
        ("inp_fport", ctypes.c_uint16),
        ("inp_lport", ctypes.c_uint16),
        ("inp_ppcb", ctypes.c_uint64),
        ("inp_gencnt", ctypes.c_uint64),
        ("inp_flags", ctypes.c_int),
        ("inp_flow", ctypes.c_uint32),
        ("inp_vflag", ctypes.c_ubyte),
        ("inp_ip_ttl", ctypes.c_ubyte),
        ("inp_ip_p", ctypes.c_ubyte),
        ("inp_dependfaddr", ctypes.c_uint32 * 4),
        ("inp_dependladdr", ctypes.c_uint32 * 4),
        ("inp4_ip_tos", ctypes.c_ubyte),
        ("inp_depend6", ctypes.c_uint32 * 3),
        ("inp_flowhash", ctypes.c_uint32),
        ("inp_flags2", ctypes.c_uint32),
    ]


class Socket(ctypes.Structure):
    """`struct xsocket_n` of bsd/sys/socketvar.h."""

    _pack_ = 4
    _fields_: ClassVar = [
        ("xso_len", ctypes.c_uint32),
        ("xso_kind", ctypes.c_uint32),
        ("xso_so", ctypes.c_uint64),
        ("so_type", ctypes.c_short),
        ("so_options", ctypes.c_uint32),
        ("so_linger", ctypes.c_short),
        ("so_state", ctypes.c_short),
        ("so_pcb", ctypes.c_uint64),
        ("xso_protocol", ctypes.c_int),
        ("xso_family", ctypes.c_int),
        ("so_qlen", ctypes.c_short),
        ("so_incqlen", ctypes.c_short),
        ("so_qlimit", ctypes.c_short),
        ("so_timeo", ctypes.c_short),
        ("so_error", ctypes.c_ushort),
        ("so_pgid", ctypes.c_int32),
        ("so_oobmark", ctypes.c_uint32),
        ("so_uid", ctypes.c_uint32),
        ("so_last_pid", ctypes.c_int32),
        ("so_e_pid", ctypes.c_int32),
    ]


@attrs.frozen
class Row:
    """A socket of a connection; one that is `gone` was closed, and let go of."""

    local: End
    foreign: End
    user: int
    is_gone: bool = False


def table_of(rows: Sequence[Row]) -> bytes:
    """Return the table that a kernel would give."""
    handles = count(0x7000_0000_0000_1000, 0x400)
    ends = padded(Generation(24, len(rows), 7, 9))
    parts = [ends]
    for row in rows:
        handle = next(handles)
        connection = Connection(0, 0x010, handle + 1, inp_gencnt=5, inp_ip_p=6, inp_flags2=~0)
        connection.inp_fport, connection.inp_lport = (
            socket.htons(port) for _, port in (row.foreign, row.local)
        )
        for name, (host, _) in (
            ("inp_dependfaddr", row.foreign),
            ("inp_dependladdr", row.local),
        ):
            address = ip_address(host)
            connection.inp_vflag |= 1 if address.version == 4 else 2
            raw = address.packed.rjust(16, b"\0")
            setattr(connection, name, (ctypes.c_uint32 * 4).from_buffer_copy(raw))
        owner = Socket(0, 0x001)
        if not row.is_gone:
            owner.xso_so, owner.so_pcb = handle, handle + 1
            owner.so_uid, owner.so_last_pid, owner.so_pgid = row.user, 4711, -1
        parts += [padded(connection), padded(owner)]
        # Buffers, statistics and the state of TCP, of whatever length.
        for kind, length in ((0x002, 32), (0x004, 30), (0x008, 136), (0x020, 204)):
            parts.append(padded((ctypes.c_uint32 * (length // 4))(length, kind)))
    return b"".join([*parts, ends])


def padded(record: Any) -> bytes:
    """Return a record with its length, and up to eight bytes."""
    raw = bytearray(record)
    raw[:4] = len(raw).to_bytes(4, sys.byteorder)
    return bytes(raw) + bytes(-len(raw) % 8)


def end(said: End) -> tuple[bytes, int]:
    return ip_address(said[0]).packed, said[1]


SERVER, SERVER6 = ("127.0.0.1", 8787), ("::1", 8787)
ROWS = [
    Row(SERVER, ("127.0.0.1", 50_001), ADA),
    Row(("127.0.0.1", 50_001), SERVER, EVE),
    Row(("::1", 50_001), SERVER6, ADA),
    Row(("127.0.0.1", 50_002), SERVER, ADA, is_gone=True),
    Row(("127.0.0.1", 50_003), ("127.0.0.1", 9999), EVE),
    Row(("127.0.0.1", 50_003), SERVER, 0),
    Row(("::ffff:127.0.0.1", 50_004), ("::ffff:127.0.0.1", 8787), EVE),
]


@pytest.mark.parametrize(
    ("client", "server", "owner"),
    [
        (("127.0.0.1", 50_001), SERVER, EVE),
        (("::1", 50_001), SERVER6, ADA),
        (("127.0.0.1", 50_003), SERVER, 0),
        (("127.0.0.1", 50_004), SERVER, EVE),
        (("127.0.0.1", 50_002), SERVER, None),
        (("127.0.0.1", 50_005), SERVER, None),
        (("127.0.0.2", 50_001), SERVER, None),
        (("127.0.0.1", 50_001), SERVER6, None),
    ],
)
def test_the_clients_socket_of_a_connection_has_its_owner(
    client: End, server: End, owner: int | None
) -> None:
    assert owner == owner_in(table_of(ROWS), end(client), end(server))
    told = owner_on_macos(client, server, lambda: table_of(ROWS))
    assert (NOBODY if owner is None else owner) == told


@pytest.mark.parametrize("rows", [1, 0x10])
def test_a_count_is_taken_for_no_record(rows: int) -> None:
    many = [ROWS[1], *[ROWS[0]] * (rows - 1)]
    assert EVE == owner_in(table_of(many), end(("127.0.0.1", 50_001)), end(SERVER))


def test_what_has_another_form_tells_nothing() -> None:
    client = ("127.0.0.1", 50_001)
    for table in (table_of(ROWS)[:100], bytes(64), b"\xff" * 64):
        with pytest.raises(OSError, match="another form"):
            owner_in(table, end(client), end(SERVER))
        assert owner_on_macos(client, SERVER, partial(bytes, table)) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no users by number")
def test_it_is_believed_only_by_who_finds_their_own_connection_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owners = iter([ADA, EVE, 0, None])

    def believed(user: int, owner: int | None) -> bool:
        monkeypatch.setattr(os, "geteuid", lambda: user)

        def look(client: End, server: End) -> int | None:
            rows = [] if owner is None else [Row(client, server, owner)]
            return owner_on_macos(client, server, lambda: table_of(rows))

        return knows_itself(look)

    assert [True, False, False, False] == [believed(ADA, owner) for owner in owners]
    assert not believed(0, 0)  # zeros stand in many places


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_elsewhere_there_is_no_such_table() -> None:
    with pytest.raises(OSError, match="no table of connections"):
        read_pcb_list()
