"""macOS's table of the connections of TCP, with the user that each socket is of.

It is what `netstat` shows (`sysctl net.inet.tcp.pcblist_n`), and any user may read it. It is a row
of records, each with its length and its kind in front and padded to eight bytes: for each
connection an `xinpcb_n`, which has its ends, then an `xsocket_n`, which has its owner, then others.
Their fields stand as in the headers of XNU (bsd/netinet/in_pcb.h and bsd/sys/socketvar.h), with no
more than four bytes between two of them.

A connection whose socket is gone has no owner any more, and zeros in its place, which are no root.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from typing import Final, TypeAlias

End: TypeAlias = tuple[bytes, int]
"""One end of a connection: the bytes of its address, and the port."""

NAME: Final = b"net.inet.tcp.pcblist_n"

TRIES: Final = 3
"""Times that the table is read, where it grows meanwhile."""

_RECORD: Final = struct.Struct("=II")
_CONNECTION: Final = 0x010
_SOCKET: Final = 0x001
_ENDS: Final = struct.Struct("!16xHH28x16s16s")
"""Of an `xinpcb_n`: the ports, the foreign one first, and so the addresses."""
_OWNER: Final = struct.Struct("=8xQ48xI")
"""Of an `xsocket_n`: a handle, which is 0 where there is no socket, and the user's id."""


def owner_in(table: bytes, client: End, server: End) -> int | None:
    """Return the id of the user whose socket the client's end of a connection is; None for nobody.

    Raises:
        OSError: it is no such table.
    """
    place, is_there = 0, False
    while place + _RECORD.size <= len(table):
        length, kind = _RECORD.unpack_from(table, place)
        if not _RECORD.size <= length <= len(table) - place:
            raise OSError(errno.EBADMSG, "The table of connections has another form")
        # The first record and the last one are shorter, and have a count in the place of a kind.
        if kind == _CONNECTION and length >= _ENDS.size:
            foreign_port, port, foreign, address = _ENDS.unpack_from(table, place)
            is_there = (port, foreign_port) == (client[1], server[1])
            is_there = is_there and _is(address, client[0]) and _is(foreign, server[0])
        elif kind == _SOCKET and length >= _OWNER.size and is_there:
            handle, user = _OWNER.unpack_from(table, place)
            return int(user) if handle else None
        place += -(-length // 8) * 8
    return None


def _is(found: bytes, wanted: bytes) -> bool:
    """Tell if it is that address; one of IPv4 stands in the last four bytes."""
    return found.endswith(wanted) and not any(found[: 10 if len(wanted) < len(found) else 0])


def read_pcb_list() -> bytes:
    """Return the table as it is now.

    Raises:
        OSError: this system has none, or does not give it.
    """
    if sys.platform == "darwin":
        read = ctypes.CDLL(None, use_errno=True).sysctlbyname
        for _ in range(TRIES):
            size = ctypes.c_size_t()
            if read(NAME, None, ctypes.byref(size), None, ctypes.c_size_t(0)):
                break
            table = ctypes.create_string_buffer(size.value)
            if not read(NAME, table, ctypes.byref(size), None, ctypes.c_size_t(0)):
                return table.raw[: size.value]
            if ctypes.get_errno() != errno.ENOMEM:
                break
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    raise OSError(errno.ENOSYS, "no table of connections")
