"""A client that keeps a connection to one server of several, and comes back by itself.

``run`` is its life, for a background task of an actor or a nursery::

    client = NatsClient(NatsOptions(addresses=parse_addresses("nats://127.0.0.1:4222")))
    await nursery.start(client.run)  # returns when the first server has let us in
    hears = client.subscribe("greetings")
    await client.publish("greetings", b"hello")
    message = await hears.receive()

Nothing is kept for a connection that is not there: what cannot be sent now is refused, and a
request whose connection is lost fails. So its caller knows that it does not know, and decides. Only
subscriptions stand through it all; what was published meanwhile, they have missed.
"""

import itertools
import random
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Final

import attrs
import structlog
import trio

from command_center.actors.nats.connection import NatsConnection, NatsOptions, open_connection
from command_center.actors.nats.errors import (
    MessagesDropped,
    NatsClosed,
    NatsDisconnected,
    NatsProtocolError,
    NatsRefused,
    NatsTimeout,
    NatsUnavailable,
    NoResponders,
)
from command_center.actors.nats.wire import (
    NatsDelivery,
    NatsFault,
    NatsMessage,
    encode_publish,
    encode_subscribe,
    encode_unsubscribe,
)

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

_NO_RESPONDERS: Final = 503
_UNANSWERED: Final = 65_536
_CONNECT_FAULTS = (OSError, NatsRefused, NatsProtocolError)


class NatsSubscription:
    """Messages of a pattern, in the order in which the server sent them.

    It holds so many messages and so many bytes that are not received yet. What comes beyond is
    dropped, and the next ``receive`` tells it.
    """

    def __init__(
        self, client: "NatsClient", sid: int, subject: str, queue: str, limits: tuple[int, int]
    ) -> None:
        self.subject = subject
        self.queue = queue
        self._client = client
        self._sid = sid
        self._max_messages, self._max_bytes = limits
        self._held: deque[NatsMessage] = deque()
        self._bytes = 0
        self._dropped = 0
        self._is_over = False
        self._receivers = trio.lowlevel.ParkingLot()

    @property
    def held(self) -> int:
        """Return how many messages wait to be received."""
        return len(self._held)

    async def receive(self) -> NatsMessage:
        """Wait for a message. Cancelled, it has taken none.

        Raises:
            MessagesDropped: some came faster than they were received; those that are held follow.
            NatsClosed: the subscription or the client has ended, and nothing is held any more.
        """
        await trio.lowlevel.checkpoint()
        while True:
            if self._dropped:
                count, self._dropped = self._dropped, 0
                raise MessagesDropped(count)
            if self._held:
                message = self._held.popleft()
                self._bytes -= len(message.payload)
                return message
            if self._is_over:
                raise NatsClosed
            await self._receivers.park()

    def end(self) -> None:
        """Hear nothing more. What is held can still be received."""
        self._client.forget(self._sid)
        self.finish()

    def take(self, message: NatsMessage) -> None:
        """Hold a message, or drop it. The client's to call."""
        if (
            len(self._held) >= self._max_messages
            or self._bytes + len(message.payload) > self._max_bytes
        ):
            self._dropped += 1
        else:
            self._held.append(message)
            self._bytes += len(message.payload)
        self._receivers.unpark()

    def finish(self) -> None:
        """Let no receiver wait any more. The client's to call."""
        self._is_over = True
        self._receivers.unpark_all()


@attrs.define(eq=False)
class _Request:
    """A request without an answer yet."""

    subject: str
    answered: trio.Event = attrs.field(factory=trio.Event)
    answer: NatsMessage | Exception | None = None

    def settle(self, answer: NatsMessage | Exception) -> None:
        """Give it its answer; only the first one counts."""
        if self.answer is None:
            self.answer = answer
            self.answered.set()


class NatsClient:
    """A connection to a cluster of NATS servers.

    Attributes:
        reconnects: the number of times it has come back.
        last_error: the server's last refusal that did not end the connection, such as of a subject.
    """

    def __init__(self, options: NatsOptions) -> None:
        self.options = options
        self.reconnects = 0
        self.last_error: str | None = None
        self._connection: NatsConnection | None = None
        self._connected = trio.Event()
        self._why_not = "it was never made"
        self._is_closing = False
        self._is_over = False
        self._subscriptions: dict[int, NatsSubscription] = {}
        self._sids = itertools.count(1)
        self._inbox = f"{options.inbox}.{secrets.token_hex(12)}"
        self._tokens = itertools.count(1)
        self._requests: dict[str, _Request] = {}
        self._answers_sid = next(self._sids)
        self._reconnecting = trio.CancelScope()
        self._order = deque(random.sample(options.addresses, len(options.addresses)))

    @property
    def server(self) -> str | None:
        """Return the name of the server that it is connected to; None while there is none."""
        return self._connection.info.server_name if self._connection else None

    @property
    def max_payload(self) -> int | None:
        """Return the bytes of the longest message that the server takes; None without a server."""
        return self._connection.info.max_payload if self._connection else None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Connect, stay connected, and return once closed or drained. It runs once.

        Raises:
            NatsUnavailable: at first no server let us in. Later it tries for ever.
        """
        try:
            connection = await self._connect_once()
            self._begin(connection)
            task_status.started()
            while True:
                self._why_not = await connection.run(self.options.ping_seconds, self._take)
                self._lose()
                if self._is_closing:
                    return
                log.warning("nats.lost", server=str(connection.address), reason=self._why_not)
                # The one that failed comes last.
                self._order.remove(connection.address)
                self._order.append(connection.address)
                with self._reconnecting:
                    connection = await self._connect_again()
                if self._reconnecting.cancelled_caught:
                    return
                self._reconnecting = trio.CancelScope()
                self.reconnects += 1
                self._begin(connection)
        finally:
            self._is_closing = self._is_over = True
            self._lose()
            self._connected.set()
            for subscription in self._subscriptions.values():
                subscription.finish()

    async def wait_connected(self) -> None:
        """Wait until there is a connection.

        Raises:
            NatsClosed: there will be none.
        """
        await self._connected.wait()
        if self._is_over:
            raise NatsClosed

    async def publish(
        self,
        subject: str,
        payload: bytes = b"",
        *,
        reply: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a message, at most once. Return when it waits to be sent; ``flush`` waits for more.

        Raises:
            InvalidSubject: the subject or a header cannot be sent.
            PayloadTooLarge: it is longer than the server takes.
            NatsDisconnected: there is no connection now.
            NatsClosed: the client is closed or drains.
        """
        data = encode_publish(subject, payload, reply=reply, headers=headers)
        await self._send(data, len(payload))

    async def request(
        self,
        subject: str,
        payload: bytes = b"",
        *,
        timeout: float,  # noqa: ASYNC109 - the server is not asked again
        headers: Mapping[str, str] | None = None,
    ) -> NatsMessage:
        """Send a message, and return the first answer.

        Args:
            subject: the subject that somebody answers on.
            payload: the content.
            timeout: seconds until when the answer must be here.
            headers: beside the payload.

        Raises:
            NoResponders: nobody hears the subject.
            NatsTimeout: no answer came in time.
            NatsDisconnected: there is no connection, or it was lost before the answer.
            NatsRefused: we may not publish there.
            as ``publish`` otherwise.
        """
        token = str(next(self._tokens))
        request = _Request(subject)
        if len(self._requests) >= _UNANSWERED:
            raise NatsDisconnected("too many requests wait for an answer")
        self._requests[token] = request
        try:
            data = encode_publish(subject, payload, reply=f"{self._inbox}.{token}", headers=headers)
            with trio.move_on_after(timeout):
                await self._send(data, len(payload))
                await request.answered.wait()
        finally:
            del self._requests[token]
        if request.answer is None:
            raise NatsTimeout(subject, timeout)
        if isinstance(request.answer, Exception):
            raise request.answer
        if request.answer.headers.status == _NO_RESPONDERS and not request.answer.payload:
            raise NoResponders(subject)
        return request.answer

    def subscribe(
        self,
        subject: str,
        *,
        queue: str = "",
        max_messages: int = 65_536,
        max_bytes: int = 64 * 1024 * 1024,
    ) -> NatsSubscription:
        """Hear a pattern from now on, and again on each connection that comes.

        Args:
            subject: the pattern; ``*`` stands for a word, a last ``>`` for the rest.
            queue: a group, of which one member gets each message.
            max_messages: that are held until they are received.
            max_bytes: of their payloads together.

        Raises:
            InvalidSubject: the pattern cannot be sent.
            NatsClosed: the client is closed or drains.
        """
        if self._is_closing:
            raise NatsClosed
        sid = next(self._sids)
        line = encode_subscribe(subject, sid, queue)
        subscription = NatsSubscription(self, sid, subject, queue, (max_messages, max_bytes))
        self._subscriptions[sid] = subscription
        if self._connection is not None:
            self._connection.send_now(line)
        return subscription

    def new_inbox(self) -> str:
        """Return a subject of our own, which nobody else hears."""
        return f"{self.options.inbox}.{secrets.token_hex(12)}"

    async def flush(self) -> None:
        """Wait until the server has seen all that was sent before.

        Raises:
            NatsDisconnected: the connection was lost before; some of it may not have arrived.
        """
        await self._require().flush()

    async def drain(self) -> None:
        """Take nothing new, let what is under way arrive, and close.

        What subscriptions hold by then can still be received. Requests that wait are given up. A
        server that does not answer is waited for as long as a ping is.
        """
        if self._is_closing:
            return
        self._is_closing = True
        connection = self._connection
        if connection is not None:
            with trio.move_on_after(self.options.ping_seconds):
                try:
                    for sid in self._subscriptions:
                        connection.send_now(encode_unsubscribe(sid))
                    await connection.flush()
                except NatsDisconnected:
                    pass  # it is over: there is nothing left that could arrive
        self.close()

    def close(self) -> None:
        """Close at once: ``run`` returns, and what waits fails."""
        self._is_closing = True
        if self._connection is not None:
            self._connection.end("the client was closed")
        self._reconnecting.cancel()

    def forget(self, sid: int) -> None:
        """End a subscription. Its own to call."""
        if self._subscriptions.pop(sid, None) is not None and self._connection is not None:
            self._connection.send_now(encode_unsubscribe(sid))

    def _require(self) -> NatsConnection:
        if self._is_closing:
            raise NatsClosed
        if self._connection is None:
            raise NatsDisconnected(self._why_not)
        return self._connection

    async def _send(self, data: bytes, size: int) -> None:
        await self._require().send(data, size=size)

    def _begin(self, connection: NatsConnection) -> None:
        connection.send_now(encode_subscribe(f"{self._inbox}.*", self._answers_sid))
        for sid, subscription in self._subscriptions.items():
            connection.send_now(encode_subscribe(subscription.subject, sid, subscription.queue))
        self._connection = connection
        self._connected.set()

    def _lose(self) -> None:
        self._connection = None
        if not self._is_over:
            self._connected = trio.Event()
        for request in self._requests.values():
            request.settle(NatsDisconnected(self._why_not))

    def _take(self, operation: NatsDelivery | NatsFault) -> None:
        match operation:
            case NatsDelivery(sid, message) if sid == self._answers_sid:
                request = self._requests.get(message.subject.rpartition(".")[2])
                if request is not None:
                    request.settle(message)
            case NatsDelivery(sid, message):
                subscription = self._subscriptions.get(sid)
                if subscription is not None:
                    subscription.take(message)
            case NatsFault(reason):
                self.last_error = reason
                log.warning("nats.refused", reason=reason)
                self._refuse_requests(reason)

    def _refuse_requests(self, reason: str) -> None:
        """Fail the requests to a subject that the server has just refused to us."""
        _, is_publish, rest = reason.partition('Publish to "')
        subject = rest.partition('"')[0]
        for request in self._requests.values():
            if is_publish and request.subject == subject:
                request.settle(NatsRefused(reason))

    async def _connect_once(self) -> NatsConnection:
        reasons: dict[str, str] = {}
        for address in tuple(self._order):
            try:
                return await open_connection(address, self.options)
            except _CONNECT_FAULTS as error:
                reasons[str(address)] = str(error) or type(error).__name__
        raise NatsUnavailable(reasons)

    async def _connect_again(self) -> NatsConnection:
        backoff = self.options.backoff
        while True:
            try:
                return await self._connect_once()
            except NatsUnavailable as error:
                self._why_not = str(error)
            await trio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            backoff = min(2 * backoff, self.options.max_backoff)
