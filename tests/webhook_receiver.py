"""A receiver of webhooks on loopback, which verifies signatures by the specification's words."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import attrs
import h11
import trio


@attrs.frozen
class Delivery:
    """A delivery that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """Return the event that it is."""
        return json.loads(self.body)

    def is_signed_by(self, secret: str) -> bool:
        """Verify it as a receiver does, for whom it is no older than a minute."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        moment = self.headers["webhook-timestamp"]
        said = f"{self.headers['webhook-id']}.{moment}.".encode() + self.body
        proof = base64.b64encode(hmac.digest(key, said, "sha256")).decode()
        return f"v1,{proof}" == self.headers["webhook-signature"] and (
            abs(time.time() - int(moment)) < 60
        )


@attrs.frozen
class Reply:
    """The answer to a delivery; without a status there is none."""

    status: int | None = 204
    headers: dict[str, str] = attrs.field(factory=dict)


@attrs.define
class Receiver:
    """The state of the receiver, and what a test may do to it."""

    url: str = ""
    came: list[Delivery] = attrs.field(factory=list)
    replies: deque[Reply] = attrs.field(factory=deque)
    by_path: dict[str, Reply] = attrs.field(factory=dict)
    news: trio.Event = attrs.field(factory=trio.Event)

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until what came is as wanted."""
        with trio.fail_after(60):
            while not wanted():
                await self.news.wait()

    async def take(self, count: int, path: str = "/") -> list[Delivery]:
        """Wait for so many deliveries at a path."""
        await self.until(lambda: len(self.at(path)) >= count)
        return self.at(path)

    def at(self, path: str) -> list[Delivery]:
        """Return what came at a path."""
        return [delivery for delivery in self.came if delivery.path == path]

    def note(self, delivery: Delivery) -> Reply:
        """Keep a delivery, and say what is answered."""
        self.came.append(delivery)
        self.news.set()
        self.news = trio.Event()
        if delivery.path in self.by_path:
            return self.by_path[delivery.path]
        return self.replies.popleft() if self.replies else Reply()


@asynccontextmanager
async def webhook_receiver() -> AsyncIterator[Receiver]:
    """Serve a receiver on a free port of the loopback."""
    receiver = Receiver()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            partial(trio.serve_tcp, partial(_serve, receiver), 0, host="127.0.0.1")
        )
        receiver.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        yield receiver
        nursery.cancel_scope.cancel()


async def _serve(receiver: Receiver, stream: trio.SocketStream) -> None:
    connection = h11.Connection(h11.SERVER)

    async def event() -> Any:
        while (found := connection.next_event()) is h11.NEED_DATA:
            connection.receive_data(await stream.receive_some())
        return found

    async with stream:
        try:
            while isinstance(head := await event(), h11.Request):
                body = b""
                while isinstance(part := await event(), h11.Data):
                    body += part.data
                headers = {name.decode(): value.decode() for name, value in head.headers}
                reply = receiver.note(Delivery(head.target.decode(), headers, body))
                if reply.status is None:
                    await trio.sleep_forever()
                answered = [*reply.headers.items(), ("Content-Length", "0")]
                if reply.status == 204:
                    answered = [*reply.headers.items()]
                for said in (
                    h11.Response(status_code=reply.status, headers=answered),
                    h11.EndOfMessage(),
                ):
                    await stream.send_all(connection.send(said) or b"")
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            return
