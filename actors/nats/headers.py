"""Headers of a message: ordered pairs, and the status with which servers answer by themselves.

The format is that of ADR-4 in https://github.com/nats-io/nats-architecture-and-design.
"""

import re
from collections.abc import Mapping

import attrs

from command_center.actors.nats.errors import InvalidSubject, NatsProtocolError

_VERSION = b"NATS/1.0"
_NAME = re.compile(r"[!-9;-~]+")
_VALUE = re.compile(r"[^\r\n]*")


@attrs.frozen
class NatsHeaders:
    """Headers that came with a message.

    Attributes:
        pairs: names, as they were written, and values without the space around them.
        status: the server's own answer, such as 503 where nobody hears a request; else None.
        description: words beside the status.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    status: int | None = None
    description: str = ""

    def get(self, name: str) -> str | None:
        """Return the first value of a header, whose name is compared to the letter."""
        return next((value for there, value in self.pairs if there == name), None)


NO_HEADERS = NatsHeaders()


def encode_headers(headers: Mapping[str, str]) -> bytes:
    """Return headers as they are sent; nothing where there are none.

    Raises:
        InvalidSubject: a name or a value would end the line, or a name has a colon or a space.
    """
    if not headers:
        return b""
    lines = [_VERSION]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise InvalidSubject(f"{name!r} cannot be a header with the value {value!r}.")
        lines.append(f"{name}: {value}".encode())
    return b"\r\n".join([*lines, b"", b""])


def decode_headers(data: bytes) -> NatsHeaders:
    """Return the headers that a server sent.

    Raises:
        NatsProtocolError: they are none.
    """
    first, *lines = data.decode("utf-8", "replace").split("\r\n")
    version = _VERSION.decode()
    if not first.startswith(version) or lines[-2:] != ["", ""]:
        raise NatsProtocolError("The headers of a message are none.")
    status, _, description = first.removeprefix(version).strip().partition(" ")
    if status and not (status.isascii() and status.isdigit() and len(status) == len("503")):
        raise NatsProtocolError("The status of a message is no number.")
    pairs: list[tuple[str, str]] = []
    for line in lines[:-2]:
        name, colon, value = line.partition(":")
        if not colon or not name:
            raise NatsProtocolError("A header of a message has no name.")
        pairs.append((name, value.strip()))
    return NatsHeaders(tuple(pairs), int(status) if status else None, description.strip())
