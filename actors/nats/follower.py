"""A stream, read in its order: each message once, none left out, through lost servers and all.

It reads by consumers that live in the memory of one server and are made anew whenever one is lost,
from the last message on that was received. The server numbers what it delivers to a consumer
(ADR-17 in https://github.com/nats-io/nats-architecture-and-design), so a message that
was lost on the way shows itself.
"""

import math
import re
import secrets
from typing import Any, Final

import msgspec
import structlog
import trio

from command_center.actors.nats.client import NatsSubscription
from command_center.actors.nats.errors import (
    JetStreamRefused,
    MessagesDropped,
    NatsDisconnected,
    NatsProtocolError,
    NatsTimeout,
)
from command_center.actors.nats.jetstream import JetStream, StreamMessage, is_unavailable
from command_center.actors.nats.wire import NatsMessage

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BATCH: Final = 256
"""Messages that are asked for at once, and no more than so many wait here."""

BATCH_BYTES: Final = 16 * 1024 * 1024
"""Bytes of them."""

_NANOSECONDS: Final = 1_000_000_000
_EXPIRES: Final = 30.0
_GONE_AFTER: Final = 60.0
_PAUSE: Final = 0.2
_ACK_WORDS: Final = 9
_HEARTBEAT: Final = 100
_ENDED: Final = (404, 408)
_NUMBER: Final = re.compile("[0-9]{1,20}")


class StreamFollower:
    """Messages of a stream from a sequence on.

    Args:
        jetstream: where the stream is.
        stream: its name.
        after: the last sequence that is already known; 0 begins with the first.
        subject: a pattern; messages of others are left out. All are read unless given.
        heartbeat: seconds after which silence of the server means that the consumer is lost; a
            server that has nothing to send says so twice in them.
    """

    def __init__(
        self,
        jetstream: JetStream,
        stream: str,
        *,
        after: int = 0,
        subject: str | None = None,
        heartbeat: float = 2.0,
    ) -> None:
        self.stream = stream
        self.last = after
        self._jetstream = jetstream
        self._subject = subject
        self._heartbeat = heartbeat
        self._name: str | None = None
        self._inbox: NatsSubscription | None = None
        self._delivered = 0
        self._wanted = 0
        self._waited = 0.0

    async def receive(self) -> StreamMessage:
        """Wait for the message after the last one. Cancelled, it has taken none.

        Sequences increase. One may be left out: of a message that was removed from the stream.

        Raises:
            JetStreamRefused: there is no such stream, or it may not be read.
            NatsClosed: the client is closed.
        """
        while True:
            if (message := await self.receive_within(math.inf)) is not None:
                return message

    async def receive_within(self, seconds: float) -> StreamMessage | None:
        """Do as `receive`, and return None if no message came in so many seconds.

        Only the wait for a message is bounded. Where reading has to begin anew, that is done to its
        end. So who looks up again and again neither cuts that short nor misses that nothing comes.
        """
        until = trio.current_time() + seconds
        while True:
            try:
                if self._inbox is None:
                    await self._begin()
                if self._wanted <= 0:
                    await self._pull()
                message = await self._next(until)
            except (NatsDisconnected, NatsTimeout, MessagesDropped, NatsProtocolError) as error:
                await self._again(str(error))
            except JetStreamRefused as error:
                if not is_unavailable(error):
                    raise
                await self._again(str(error))
            else:
                if message is not None:
                    self.last = message.sequence
                    return message
                if trio.current_time() >= until:
                    return None

    def close(self) -> None:
        """Stop hearing; the server forgets the consumer by itself."""
        if self._inbox is not None:
            self._inbox.end()
        self._inbox = None
        self._name = None

    async def _again(self, reason: str) -> None:
        log.info("nats.consumer_lost", stream=self.stream, reason=reason)
        self.close()
        await trio.sleep(_PAUSE)
        await self._jetstream.client.wait_connected()

    async def _begin(self) -> None:
        name = f"cc_{secrets.token_hex(8)}"
        config: dict[str, Any] = {
            "name": name,
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.last + 1,
            "ack_policy": "none",
            "max_deliver": 1,
            "num_replicas": 1,
            "mem_storage": True,
            "inactive_threshold": int(_GONE_AFTER * _NANOSECONDS),
        }
        asked = f"CONSUMER.CREATE.{self.stream}.{name}"
        if self._subject is not None:
            config["filter_subject"] = self._subject
            if not {"*", ">"} & {*self._subject.split(".")}:  # no message can go to a pattern
                asked += f".{self._subject}"
        await self._jetstream.ask(
            asked,
            {"stream_name": self.stream, "config": config, "action": "create"},
            msgspec.Raw,
        )
        client = self._jetstream.client
        self._inbox = client.subscribe(client.new_inbox(), max_messages=2 * BATCH)
        self._name = name
        self._delivered = self._wanted = 0
        self._waited = 0.0

    async def _pull(self) -> None:
        if self._inbox is None:
            return
        asked = {
            "batch": BATCH,
            "max_bytes": BATCH_BYTES,
            "expires": int(_EXPIRES * _NANOSECONDS),
            "idle_heartbeat": int(self._heartbeat / 2 * _NANOSECONDS),
        }
        await self._jetstream.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{self.stream}.{self._name}",
            msgspec.json.encode(asked),
            reply=self._inbox.subject,
        )
        self._wanted = BATCH

    async def _next(self, until: float) -> StreamMessage | None:
        """Return the next message; None where the server said something else, or nothing yet."""
        if self._inbox is None:
            return None
        message: NatsMessage | None = None
        began = trio.current_time()
        with trio.move_on_at(min(until, began + self._heartbeat - self._waited)):
            message = await self._inbox.receive()
        self._waited = 0.0 if message else self._waited + trio.current_time() - began
        if message is None and self._waited < self._heartbeat:
            return None
        if message is None:
            raise NatsProtocolError(f"the server was silent for {self._heartbeat:g} seconds")
        status = message.headers.status
        if status is None:
            return self._in_order(message)
        if status == _HEARTBEAT:
            self._check_heartbeat(message)
        elif status in _ENDED or "MaxBytes" in message.headers.description:
            self._wanted = 0
        else:
            raise NatsProtocolError(f"{status} {message.headers.description}")
        return None

    def _check_heartbeat(self, message: NatsMessage) -> None:
        delivered = message.headers.get("Nats-Last-Consumer")
        if delivered is not None and delivered != str(self._delivered):
            raise NatsProtocolError("a message was lost on the way")

    def _in_order(self, message: NatsMessage) -> StreamMessage:
        """Return the message, if it is the one that was to come.

        Its reply subject says: ``$JS.ACK.stream.consumer.times.sequence.delivered.moment.pending``.
        """
        words = message.reply.split(".")
        numbers = words[-5:]
        if (
            len(words) != _ACK_WORDS
            or words[3] != self._name
            or not all(_NUMBER.fullmatch(number) for number in numbers)
        ):
            raise NatsProtocolError("a message came that nobody had asked for")
        _, sequence, delivered, _, pending = map(int, numbers)
        if delivered != self._delivered + 1 or sequence <= self.last:
            raise NatsProtocolError("a message was lost on the way")
        self._delivered = delivered
        self._wanted -= 1
        if self._inbox is not None:  # some may have come since, while the reader was busy
            pending = max(pending, self._inbox.held)
        return StreamMessage(message.subject, sequence, message.payload, message.headers, pending)
