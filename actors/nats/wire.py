"""The protocol of NATS without a socket: bytes in, operations out, and lines to send.

Everything that comes is bounded, for a server may be hostile or broken: a line, a payload, and what
a number may say. What is wrong ends the connection, since nobody knows where the next line begins.

The protocol: https://docs.nats.io/reference/reference-protocols/nats-protocol.
"""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

import attrs
import msgspec

from command_center.actors.nats.errors import InvalidSubject, NatsProtocolError
from command_center.actors.nats.headers import (
    NO_HEADERS,
    NatsHeaders,
    decode_headers,
    encode_headers,
)

MAX_LINE: Final = 65_536
"""Bytes of the longest line that is taken; INFO is the only long one."""

MAX_PAYLOAD: Final = 64 * 1024 * 1024
"""Bytes of the longest message that is taken: no server of NATS lets more through."""

_SIZE_DIGITS = len(str(MAX_PAYLOAD))
_TOKEN = re.compile(r"[^\s.\x00-\x1f\x7f]+(\.[^\s.\x00-\x1f\x7f]+)*")
_LONGEST_SUBJECT = 1024


class Info(msgspec.Struct, frozen=True):
    """The server's greeting, and what it says later of itself.

    Attributes:
        server_name: its name.
        version: its version.
        headers: messages may have headers.
        max_payload: bytes of the longest message that it takes.
        tls_required: it speaks TLS alone.
        tls_available: it speaks TLS to who asks for it.
        nonce: a text to sign, where it knows keys.
        ldm: it is about to stop, and wants us elsewhere (lame duck mode).
        jetstream: streams are to be had.
    """

    server_name: str = ""
    version: str = ""
    headers: bool = False
    max_payload: int = 1024 * 1024
    tls_required: bool = False
    tls_available: bool = False
    nonce: str = ""
    ldm: bool = False
    jetstream: bool = False


@attrs.frozen
class NatsMessage:
    """A message, as it came.

    Attributes:
        subject: the subject that it was published to.
        payload: its content.
        reply: the subject to which an answer goes; empty where none is wanted.
        headers: what it has beside the payload.
    """

    subject: str
    payload: bytes
    reply: str = ""
    headers: NatsHeaders = NO_HEADERS


@attrs.frozen
class NatsDelivery:
    """A message for the subscription of that number."""

    sid: int
    message: NatsMessage


@attrs.frozen
class Ping:
    """A question of the server's, which wants a pong."""


@attrs.frozen
class Pong:
    """The answer to the oldest ping that has none."""


@attrs.frozen
class NatsFault:
    """An error that the server tells; most end the connection."""

    reason: str


Operation: TypeAlias = Info | NatsDelivery | Ping | Pong | NatsFault


@attrs.frozen
class _Awaited:
    """The line of a message whose content is still to come; lengths are bytes."""

    sid: int
    subject: str
    reply: str
    headers_size: int
    size: int


class WireParser:
    """Turns bytes into operations, however they are cut."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._awaited: _Awaited | None = None
        self._searched = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing waits for the rest of it."""
        return not self._buffer and self._awaited is None

    def feed(self, data: bytes | bytearray) -> list[Operation]:
        """Take bytes, and return the operations that are whole now.

        Raises:
            NatsProtocolError: it is not NATS; the parser is of no more use.
        """
        self._buffer += data
        found: list[Operation] = []
        while (operation := self._next()) is not None:
            if not isinstance(operation, _Nothing):
                found.append(operation)
        return found

    def _next(self) -> "Operation | _Nothing | None":
        if self._awaited is not None:
            return self._content(self._awaited)
        end = self._buffer.find(b"\r\n", self._searched)
        if end < 0:
            if len(self._buffer) > MAX_LINE:
                raise NatsProtocolError("The server sent a line without an end.")
            self._searched = max(0, len(self._buffer) - 1)
            return None
        if end > MAX_LINE:
            raise NatsProtocolError("The server sent a line that is too long.")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        self._searched = 0
        return self._line(line)

    def _line(self, line: bytes) -> "Operation | _Nothing":
        word, _, rest = line.partition(b" ")
        match word.upper():
            case b"MSG" | b"HMSG":
                self._awaited = _awaited(rest.split(), has_headers=len(word) == len("HMSG"))
                return _NOTHING
            case b"PING":
                return Ping()
            case b"PONG":
                return Pong()
            case b"+OK":
                return _NOTHING
            case b"-ERR":
                return NatsFault(rest.decode("utf-8", "replace").strip().strip("'"))
            case b"INFO":
                try:
                    return msgspec.json.decode(rest, type=Info)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    raise NatsProtocolError("The server's INFO is none.") from error
            case _:
                raise NatsProtocolError(f"The server sent a line of another kind: {line[:40]!r}")

    def _content(self, awaited: _Awaited) -> "NatsDelivery | None":
        whole = awaited.size + 2
        if len(self._buffer) < whole:
            return None
        if self._buffer[awaited.size : whole] != b"\r\n":
            raise NatsProtocolError("A message is longer than it says.")
        headers = NO_HEADERS
        if awaited.headers_size:
            headers = decode_headers(bytes(self._buffer[: awaited.headers_size]))
        payload = bytes(self._buffer[awaited.headers_size : awaited.size])
        del self._buffer[:whole]
        self._awaited = None
        return NatsDelivery(
            awaited.sid, NatsMessage(awaited.subject, payload, awaited.reply, headers)
        )


@attrs.frozen
class _Nothing:
    """A line that needs nothing done."""


_NOTHING = _Nothing()


def _awaited(fields: list[bytes], *, has_headers: bool) -> _Awaited:
    numbers = 2 if has_headers else 1
    if len(fields) not in {numbers + 2, numbers + 3}:
        raise NatsProtocolError("The line of a message has too few or too many words.")
    subject, sid, *reply = fields[: len(fields) - numbers]
    sizes = [_number(field) for field in fields[len(fields) - numbers :]]
    headers_size = sizes[0] if has_headers else 0
    if not headers_size <= sizes[-1] <= MAX_PAYLOAD:
        raise NatsProtocolError("A message has an impossible length.")
    return _Awaited(_number(sid), _text(subject), _text(*reply), headers_size, sizes[-1])


def _text(field: bytes = b"") -> str:
    try:
        return field.decode()
    except UnicodeDecodeError as error:
        raise NatsProtocolError("A subject is no text.") from error


def _number(field: bytes) -> int:
    if not field.isdigit() or len(field) > 2 * _SIZE_DIGITS:
        raise NatsProtocolError("A number of a message is none.")
    return int(field)


def check_subject(subject: str, *, is_pattern: bool = False) -> str:
    """Return the subject, if it may be sent.

    Args:
        subject: words with dots between them.
        is_pattern: ``*`` may stand for a word, and ``>`` for the rest.

    Raises:
        InvalidSubject: it would be another line, or a pattern where one subject is meant.
    """
    words = subject.split(".")
    if (
        len(subject) > _LONGEST_SUBJECT
        or not _TOKEN.fullmatch(subject)
        or (not is_pattern and ("*" in words or ">" in words))
        or ">" in words[:-1]
    ):
        raise InvalidSubject(f"{subject[:80]!r} cannot be a subject of NATS.")
    return subject


def encode_publish(
    subject: str, payload: bytes, *, reply: str = "", headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the lines that publish a message.

    Raises:
        InvalidSubject: a subject or a header cannot be sent.
    """
    words = check_subject(subject) + (f" {check_subject(reply)}" if reply else "")
    head = encode_headers(headers or {})
    if head:
        line = f"HPUB {words} {len(head)} {len(head) + len(payload)}\r\n"
    else:
        line = f"PUB {words} {len(payload)}\r\n"
    return b"".join((line.encode(), head, payload, b"\r\n"))


def encode_subscribe(subject: str, sid: int, queue: str = "") -> bytes:
    """Return the line that subscribes to a pattern, in a group where `queue` names one.

    Raises:
        InvalidSubject: the pattern or the name of the group cannot be sent.
    """
    group = f" {check_subject(queue)}" if queue else ""
    return f"SUB {check_subject(subject, is_pattern=True)}{group} {sid}\r\n".encode()


def encode_unsubscribe(sid: int) -> bytes:
    """Return the line that ends a subscription."""
    return f"UNSUB {sid}\r\n".encode()
