"""Quart's handling of a request: in the connection's own task, the answer in one piece.

quart-trio gives each request a nursery with two tasks, one to watch for the client's leaving and
one to answer. Most answers are made at once and have nothing to be told: here the body is read
first, then the handler runs, and a client that has left meanwhile is noticed when the answer is
sent. So what a request has begun is ended, whoever still listens. Only an answer that is a stream
is watched, and cut when its client leaves; and a handler may watch (see `leaving`).

An event stream has no time limit; other streams have the app's RESPONSE_TIMEOUT.

The handler shares its task, and so its context variables, with the other requests of its
connection: whoever binds some, clears them first.
"""

from __future__ import annotations

import math

import trio
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable
from quart.typing import ResponseTypes
from quart.utils import encode_headers
from quart.wrappers import Request, Response
from quart.wrappers.response import DataBody
from quart_trio.asgi import TrioASGIHTTPConnection, TrioASGIWebsocketConnection

from command_center.http.wire.leaving import let_watch


class Frames(bytes):
    """Whole WebSocket frames, encoded; for a connection that has the extension for them."""

    __slots__ = ()


class Streaming(TrioASGIWebsocketConnection):
    """A `Quart.asgi_websocket_class` whose WebSockets send frames that are encoded already."""

    async def send_data(self, send: ASGISendCallable, data: str | bytes) -> None:
        """Send a message, or frames as they are."""
        if isinstance(data, Frames):
            await send({"type": "websocket.send", "frames": data})  # type: ignore[arg-type]
        else:
            await super().send_data(send, data)


class Answering(TrioASGIHTTPConnection):
    """A `Quart.asgi_http_class` that answers in the task it is called in."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Read the body, run the handler, send its answer."""
        request = self._create_request_from_scope(send)
        body, more = bytearray(), True
        largest = self.app.config["MAX_CONTENT_LENGTH"] or math.inf
        while more and len(body) <= largest:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        request.body.set_result(bytes(body))
        let_watch(request.scope, receive)
        response = await self.app.handle_request(request)
        if isinstance(response, Response) and isinstance(response.response, DataBody):
            await send(
                {
                    "type": "http.response.start",
                    "status": response.status_code,
                    "headers": encode_headers(response.headers),
                }
            )
            made = response.response
            data = made.data[made.begin : made.end]
            await send({"type": "http.response.body", "body": data, "more_body": False})
        else:
            await self._stream(response, request, receive, send)

    async def _stream(
        self,
        response: ResponseTypes,
        request: Request,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.handle_messages, nursery, request, receive)
            with trio.move_on_after(self._seconds(response)):
                await self._send_response(send, response)
            nursery.cancel_scope.cancel()

    def _seconds(self, response: ResponseTypes) -> float:
        """Return how long the answer may take."""
        seconds: float | None = self.app.config["RESPONSE_TIMEOUT"]
        if isinstance(response, Response) and response.timeout is not Ellipsis:
            seconds = response.timeout
        elif response.mimetype == "text/event-stream":
            seconds = None
        return math.inf if seconds is None else seconds
