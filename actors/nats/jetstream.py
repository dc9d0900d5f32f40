"""JetStream: streams that keep messages, and publishing that is acknowledged.

A publisher may say how the stream must end for its message to be stored. So of several that expect
the same end only one succeeds, and all others hear of it: that is a fence and a lease at once.

The API: ADR-1 in https://github.com/nats-io/nats-architecture-and-design and what
it refers to.
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

import attrs
import msgspec
from msgspec import UNSET, UnsetType

from command_center.actors.nats.client import NatsClient
from command_center.actors.nats.errors import (
    JetStreamRefused,
    NatsProtocolError,
    NoResponders,
    WrongLastSequence,
)
from command_center.actors.nats.headers import NO_HEADERS, NatsHeaders, decode_headers
from command_center.actors.nats.wire import check_subject

T = TypeVar("T")

STREAM_NOT_FOUND: Final = 10059
MESSAGE_NOT_FOUND: Final = 10037
NAME_IN_USE: Final = 10058

_WRONG_LAST_SEQUENCE: Final = (10071, 10164)
_UNAVAILABLE: Final = 503


class StreamConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A stream, as it is to be; fields that are unset are the server's to choose.

    Attributes:
        name: its name.
        subjects: patterns whose messages it keeps.
        num_replicas: servers that each have all of it.
        storage: on the disk, or in memory.
        retention: messages stay until a limit takes them.
        discard: a full stream refuses what is new, or lets go what is old.
        max_bytes: of all of it; -1 without a limit.
        max_msgs_per_subject: newest messages that are kept of each subject; -1 without a limit.
        max_msg_size: bytes of a message; -1 without a limit.
        duplicate_window: nanoseconds in which a message's id is known.
        allow_direct: any replica may answer reads, also one that is behind.
        deny_delete: no message may be deleted by itself.
        allow_rollup_hdrs: a message may take the place of all before it.
    """

    name: str
    subjects: tuple[str, ...] | UnsetType = UNSET
    num_replicas: int = 1
    storage: Literal["file", "memory"] = "file"
    retention: Literal["limits"] = "limits"
    discard: Literal["old", "new"] = "old"
    max_bytes: int = -1
    max_msgs_per_subject: int = -1
    max_msg_size: int = -1
    duplicate_window: int | UnsetType = UNSET
    allow_direct: bool = False
    deny_delete: bool = False
    allow_rollup_hdrs: bool = False


class StreamState(msgspec.Struct, frozen=True):
    """Contents of a stream: how many messages and bytes, and the first and the last sequence."""

    messages: int
    bytes: int
    first_seq: int
    last_seq: int


class StreamPeer(msgspec.Struct, frozen=True):
    """A server that has a copy of the stream, and is not its leader; `lag` is in messages."""

    name: str
    current: bool = False
    offline: bool = False
    lag: int = 0


class StreamCluster(msgspec.Struct, frozen=True):
    """The servers of a stream: its leader, if there is one now, and the others."""

    leader: str = ""
    replicas: tuple[StreamPeer, ...] = ()


class StreamInfo(msgspec.Struct, frozen=True):
    """A stream, as it is."""

    config: StreamConfig
    state: StreamState
    cluster: StreamCluster = StreamCluster()


@attrs.frozen
class PublishAck:
    """A message is stored on as many servers as the stream wants.

    Attributes:
        stream: the name of the stream.
        sequence: the message's number in it.
        is_duplicate: a message of that id was there before; nothing was stored now.
    """

    stream: str
    sequence: int
    is_duplicate: bool


@attrs.frozen
class StreamMessage:
    """A message that a stream keeps.

    Attributes:
        subject: the subject that it was published to.
        sequence: its number in the stream.
        payload: its content.
        headers: what it has beside the payload.
        pending: messages of the stream that follow it by now; None where nobody says.
    """

    subject: str
    sequence: int
    payload: bytes
    headers: NatsHeaders = NO_HEADERS
    pending: int | None = None


class _Fault(msgspec.Struct, frozen=True):
    code: int
    err_code: int = 0
    description: str = ""


class _Answer(msgspec.Struct, frozen=True):
    error: _Fault | None = None


class _Ack(msgspec.Struct, frozen=True):
    stream: str
    seq: int
    duplicate: bool = False


class _Stored(msgspec.Struct, frozen=True):
    subject: str
    seq: int
    data: str = ""
    hdrs: str = ""


class _StoredAnswer(msgspec.Struct, frozen=True):
    message: _Stored


class _Subjects(msgspec.Struct, frozen=True):
    subjects: dict[str, int] = {}


class _SubjectsAnswer(msgspec.Struct, frozen=True):
    state: _Subjects = _Subjects()
    total: int = 0


class _Purged(msgspec.Struct, frozen=True):
    purged: int


class JetStream:
    """The streams of a cluster, by a client that is connected to it.

    Args:
        client: it.
        timeout: seconds until when a server must have answered.
    """

    def __init__(self, client: NatsClient, *, timeout: float = 5.0) -> None:
        self.client = client
        self.timeout = timeout

    async def publish(
        self,
        subject: str,
        payload: bytes = b"",
        *,
        expect_stream: str | None = None,
        expect_last: int | None = None,
        expect_last_of_subject: int | None = None,
        message_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the server is not asked again
    ) -> PublishAck:
        """Publish, and return once the message is stored on as many servers as the stream wants.

        Whoever hears another error than WrongLastSequence or JetStreamRefused does not know what
        became of it.

        Args:
            subject: a subject of the stream.
            payload: the content.
            expect_stream: the name that the stream must have.
            expect_last: the sequence with which the stream must end.
            expect_last_of_subject: the sequence of the last message of that subject.
            message_id: a second message of that id is not stored, for as long as the stream knows.
            headers: beside the payload.
            timeout: seconds; those of this object unless given.

        Raises:
            WrongLastSequence: the stream or the subject ends otherwise; nothing was stored.
            JetStreamRefused: nothing was stored for another reason.
            NoResponders: no stream keeps the subject, or none of its servers leads now.
            as ``NatsClient.request`` otherwise.
        """
        sent = dict(headers or {})
        for name, value in (
            ("Nats-Expected-Stream", expect_stream),
            ("Nats-Expected-Last-Sequence", expect_last),
            ("Nats-Expected-Last-Subject-Sequence", expect_last_of_subject),
            ("Nats-Msg-Id", message_id),
        ):
            if value is not None:
                sent[name] = str(value)
        answer = await self.client.request(
            subject, payload, timeout=self.timeout if timeout is None else timeout, headers=sent
        )
        ack = _decode(answer.payload, _Ack)
        return PublishAck(ack.stream, ack.seq, ack.duplicate)

    async def create_stream(self, config: StreamConfig) -> StreamInfo:
        """Make a stream; one that is just so already is left as it is.

        Raises:
            JetStreamRefused: it cannot be, or there is another one of that name.
        """
        return await self.ask(f"STREAM.CREATE.{config.name}", config, StreamInfo)

    async def subjects_of(self, name: str, pattern: str) -> tuple[str, ...]:
        """Return the subjects of a stream's messages that match a pattern.

        Raises:
            JetStreamRefused: there is no such stream, or no leader.
        """
        asked = {"subjects_filter": check_subject(pattern, is_pattern=True)}
        found: dict[str, int] = {}
        while True:
            part = await self.ask(
                f"STREAM.INFO.{name}", {**asked, "offset": len(found)}, _SubjectsAnswer
            )
            found |= part.state.subjects
            if not part.state.subjects or len(found) >= part.total:
                return tuple(found)

    async def update_stream(self, config: StreamConfig) -> StreamInfo:
        """Change a stream that exists.

        Raises:
            JetStreamRefused: there is none, or it cannot be changed so.
        """
        return await self.ask(f"STREAM.UPDATE.{config.name}", config, StreamInfo)

    async def stream_info(self, name: str) -> StreamInfo:
        """Return how a stream is, as its leader says.

        Raises:
            JetStreamRefused: there is none (``STREAM_NOT_FOUND``), or no leader.
        """
        return await self.ask(f"STREAM.INFO.{name}", {}, StreamInfo)

    async def purge_stream(
        self, name: str, *, up_to: int | None = None, subject: str | None = None
    ) -> int:
        """Remove messages, and return how many: all, those before a sequence, or of a subject.

        Args:
            name: the stream's.
            up_to: the first sequence that stays.
            subject: a pattern; messages of others stay.
        """
        asked: dict[str, Any] = {}
        if up_to is not None:
            if up_to <= 1:
                return 0  # a server would take that for all of the stream
            asked["seq"] = up_to
        if subject is not None:
            asked["filter"] = check_subject(subject, is_pattern=True)
        return (await self.ask(f"STREAM.PURGE.{name}", asked, _Purged)).purged

    async def delete_stream(self, name: str) -> None:
        """Remove a stream and all that it keeps."""
        await self.ask(f"STREAM.DELETE.{name}", {}, msgspec.Raw)

    async def get_message(self, name: str, sequence: int) -> StreamMessage:
        """Return a message of a stream, as the stream's leader has it.

        Raises:
            JetStreamRefused: it is not there (``MESSAGE_NOT_FOUND``).
        """
        return await self._get(name, {"seq": sequence})

    async def last_message(self, name: str, subject: str) -> StreamMessage:
        """Return the last message of a subject, as the stream's leader has it.

        Raises:
            JetStreamRefused: there is none (``MESSAGE_NOT_FOUND``).
        """
        return await self._get(name, {"last_by_subj": check_subject(subject)})

    async def get_direct(self, name: str, sequence: int) -> StreamMessage:
        """Return a message of a stream that allows it, from any server that has it.

        That server may be behind: what is not there may be there elsewhere.

        Raises:
            JetStreamRefused: it is not there (``MESSAGE_NOT_FOUND``).
        """
        answer = await self.client.request(
            f"$JS.API.DIRECT.GET.{check_subject(name)}",
            msgspec.json.encode({"seq": sequence}),
            timeout=self.timeout,
        )
        if answer.headers.status is not None:
            code, words = answer.headers.status, answer.headers.description
            raise JetStreamRefused(code, MESSAGE_NOT_FOUND, words)
        subject, found = (answer.headers.get(f"Nats-{name}") for name in ("Subject", "Sequence"))
        if subject is None or found != str(sequence):
            raise NatsProtocolError("JetStream answered with another message.")
        return StreamMessage(subject, sequence, answer.payload, answer.headers)

    async def ask(self, subject: str, question: Any, kind: type[T]) -> T:
        """Ask JetStream's API, and return the answer; the subject is what follows ``$JS.API.``.

        Raises:
            JetStreamRefused: it says no.
            as ``NatsClient.request``.
        """
        try:
            answer = await self.client.request(
                f"$JS.API.{subject}", msgspec.json.encode(question), timeout=self.timeout
            )
        except NoResponders as error:
            raise JetStreamRefused(_UNAVAILABLE, 0, "there is no JetStream here") from error
        return _decode(answer.payload, kind)

    async def _get(self, name: str, asked: dict[str, Any]) -> StreamMessage:
        found = (await self.ask(f"STREAM.MSG.GET.{name}", asked, _StoredAnswer)).message
        try:
            head, payload = (
                base64.b64decode(text, validate=True) for text in (found.hdrs, found.data)
            )
        except ValueError as error:  # also of letters beyond ASCII
            raise NatsProtocolError("JetStream answered with a message that is none.") from error
        return StreamMessage(
            found.subject, found.seq, payload, decode_headers(head) if head else NO_HEADERS
        )


def is_unavailable(error: JetStreamRefused) -> bool:
    """Tell whether JetStream says that it cannot be used now, and may be soon."""
    return error.code == _UNAVAILABLE


def _decode(payload: bytes, kind: type[T]) -> T:
    """Return what JetStream answered, or raise what it refused with."""
    try:
        fault = msgspec.json.decode(payload, type=_Answer).error
        if fault is None:
            return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NatsProtocolError("JetStream answered what is no answer.") from error
    if fault.err_code in _WRONG_LAST_SEQUENCE:
        raise WrongLastSequence(fault.description)
    raise JetStreamRefused(fault.code, fault.err_code, fault.description)
