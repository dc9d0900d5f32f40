"""The client for programs on trio, which wait for many things: over httpx, and streams."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import httpx
import trio

from command_center_client.answers import decoded, is_answer, lost, of_page
from command_center_client.call import ApiCall, asked
from command_center_client.connection import ANSWER_SECONDS
from command_center_client.errors import ClientError, NotReachable, not_reached, refusal
from command_center_client.following import Events, StreamLines
from command_center_client.place import LogPlace
from command_center_client.resending import Resending

if TYPE_CHECKING:
    from command_center_client.shapes import ListPage

A = TypeVar("A")


class AsyncCommandCenter:
    """A server of Command Center, as `CommandCenter`, but nothing blocks.

    Use it as an async context manager, or `aclose` it. Many tasks may use it at once.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8787",
        *,
        token: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Speak to the server at `url`; nothing is sent yet."""
        self._sent = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._context = context
        self.url = url.rstrip("/")
        self._is_encrypted = self.url.startswith("https:")
        self._http = httpx.AsyncClient(
            base_url=self.url,
            headers=self._sent,
            timeout=ANSWER_SECONDS,
            verify=(context or ssl.create_default_context()) if self._is_encrypted else False,
            trust_env=False,  # a proxy of the environment would read the token
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def send(self, call: ApiCall[A]) -> A:
        """Return what the server answers; it sends again and raises as `CommandCenter.send`."""
        call = call.keyed()
        attempts = Resending(call)
        while True:
            try:
                return cast("A", await self._exchanged(call))
            except ClientError as error:
                seconds = attempts.wait_seconds(error)
            await trio.sleep(seconds)

    async def _exchanged(self, call: ApiCall[Any]) -> Any:
        sent: dict[str, Any] = {"json": call.body}
        headers = dict(call.headers)
        if isinstance(call.body, bytes):
            sent = {"content": call.body}
            headers["Content-Type"] = "application/octet-stream"
        elif call.body is None:
            sent = {}
        try:
            answer = await self._http.request(call.method, call.path, headers=headers, **sent)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise not_reached(self.url, error) from error
        except httpx.HTTPError as error:
            raise lost(self.url, call, error) from error
        told, status = decoded(answer.content), answer.status_code
        if is_answer(status, answer.content, told):
            return told
        failure = refusal(self.url, status, told, retry_after=answer.headers.get("Retry-After"))
        if isinstance(failure, NotReachable):  # a proxy does not know whether it was heard
            raise lost(self.url, call, f"a proxy answers {status} in its place")
        raise failure

    async def every(self, call: ApiCall[ListPage[A]]) -> AsyncIterator[A]:
        """Yield the items of all pages of a list, each page when it is needed."""
        path, cursor = call.path, None
        while True:
            more = asked({"cursor": cursor}).replace("?", "&" if "?" in path else "?")
            page = await self.send(ApiCall[Any](call.method, path + more, headers=call.headers))
            items, cursor = of_page(self.url, page)
            for item in items:
                yield item
            if cursor is None:
                return

    @asynccontextmanager
    async def events(
        self,
        place: LogPlace | None = None,
        *,
        on_open: Callable[[], None] = lambda: None,
        on_loss: Callable[[ClientError, float], None] = lambda _error, _seconds: None,
        **query: object,
    ) -> AsyncIterator[Events]:
        """Open a stream of events as they happen, without an end, a gap or a repeat.

        It is as `CommandCenter.events`; at the end of the block its connection is closed.
        """
        headers = {**self._sent, "Accept": "text/event-stream"}
        lines = StreamLines(self.url, headers, self._context)
        try:
            place = LogPlace() if place is None else place
            yield Events(lines, place, query, on_open=on_open, on_loss=on_loss)
        finally:
            await lines.aclose()
