"""A stream of events on trio, which goes on by itself.

It reads the connection with h11. A stream of httpx that is left before its end would leave
generators behind, of which trio warns.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import h11
import trio

from command_center_client.answers import decoded
from command_center_client.call import asked
from command_center_client.errors import (
    ClientError,
    NotCommandCenter,
    NotReachable,
    lasting,
    not_reached,
    refusal,
)
from command_center_client.place import SILENT_SECONDS, LogPlace

if TYPE_CHECKING:
    from command_center_client.shapes import AnyEvent

OK = 200
READ_BYTES = 65_536


class Events:
    """An iterator over events, without an end; `AsyncCommandCenter.events` makes one."""

    def __init__(
        self,
        lines: StreamLines,
        place: LogPlace,
        query: Mapping[str, object],
        *,
        on_open: Callable[[], None],
        on_loss: Callable[[ClientError, float], None],
    ) -> None:
        self._lines = lines
        self._on_open = on_open
        self._place = place
        self._query = query
        self._on_loss = on_loss
        self._unread: deque[str] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        while True:
            # The place moves on with the event that is handed out, never with one that still waits
            # here: who leaves the stream goes on from there.
            while self._unread:
                event = self._taken(self._unread.popleft())
                if event is not None:
                    return event
            try:
                if not self._lines.is_open:
                    self._place.begin()
                    await self._lines.open(asked({**self._query, **self._place.query()}))
                    self._on_open()
                self._unread.extend(await self._lines.more())
            except ClientError as error:
                problem = lasting(error)
                await self._lines.aclose()
                if problem is not None:
                    raise problem from error
                seconds = self._place.wait_seconds()
                self._on_loss(error, seconds)
                await trio.sleep(seconds)

    def _taken(self, line: str) -> AnyEvent | None:
        try:
            return next(self._place.take(line), None)
        except ValueError as error:
            raise NotCommandCenter(self._lines.url) from error


class StreamLines:
    """One connection to the stream at a time, read by lines.

    Attributes:
        url: the server's.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], context: ssl.SSLContext | None
    ) -> None:
        self.url = url
        self._headers = headers
        self._context = context
        self._stream: trio.SocketStream | trio.SSLStream[trio.SocketStream] | None = None
        self._http = h11.Connection(h11.CLIENT)
        self._rest = b""
        self._is_asked = False

    @property
    def is_open(self) -> bool:
        """Tell whether there is a connection."""
        return self._stream is not None

    async def open(self, query: str) -> None:
        """Connect, and ask for the stream.

        Raises:
            NotReachable: no server answers there.
            NotCommandCenter: something else does.
            CallRefused: the server refuses it, and says why.
        """
        split = urlsplit(self.url)
        host, is_encrypted = split.hostname or "", split.scheme == "https"
        self._http, self._rest = h11.Connection(h11.CLIENT), b""
        try:
            with trio.fail_after(SILENT_SECONDS):
                plain = await trio.open_tcp_stream(
                    host, split.port or (443 if is_encrypted else 80)
                )
                self._stream = plain
                if is_encrypted:
                    context = self._context or ssl.create_default_context()
                    self._stream = trio.SSLStream(
                        plain, context, server_hostname=host, https_compatible=True
                    )
                headers = [("Host", split.netloc), *self._headers.items()]
                request = h11.Request(
                    method="GET", target=f"/api/events/stream{query}", headers=headers
                )
                ask = self._http.send(request) or b""
                await self._stream.send_all(ask + (self._http.send(h11.EndOfMessage()) or b""))
        except (OSError, trio.TooSlowError, trio.BrokenResourceError) as error:
            raise not_reached(self.url, error) from error
        self._is_asked = True
        answer = await self._event()
        self._is_asked = False
        kind = dict(answer.headers).get(b"content-type", b"") if _is_answer(answer) else b""
        if _is_answer(answer) and answer.status_code != OK:
            raise refusal(self.url, answer.status_code, await self._told())
        if not kind.startswith(b"text/event-stream"):
            raise NotCommandCenter(self.url)

    async def more(self) -> list[str]:
        """Return the lines that come next, once there is one.

        Raises:
            NotReachable: the connection is lost, or silent for too long.
        """
        while b"\n" not in self._rest:
            event = await self._event()
            if not isinstance(event, h11.Data):
                raise NotReachable(self.url, "the stream ended")
            self._rest += bytes(event.data)
        whole, _, self._rest = self._rest.rpartition(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in whole.split(b"\n")]

    async def aclose(self) -> None:
        """Close the connection, if there is one; `open` makes another."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await trio.aclose_forcefully(stream)

    async def _told(self) -> Any:
        """Return the body of a refusal; None if it is no JSON."""
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += bytes(event.data)
        return decoded(body)

    async def _event(self) -> Any:
        if self._stream is None:
            raise NotReachable(self.url, "the connection is closed")
        try:
            while (event := self._http.next_event()) is h11.NEED_DATA:
                with trio.fail_after(SILENT_SECONDS):
                    self._http.receive_data(bytes(await self._stream.receive_some(READ_BYTES)))
        except h11.RemoteProtocolError as error:
            if self._is_asked:  # nothing has come yet that is HTTP
                raise NotCommandCenter(self.url) from error
            raise NotReachable(self.url, error) from error
        except (OSError, trio.TooSlowError, trio.BrokenResourceError) as error:
            raise NotReachable(self.url, error) from error
        return event


def _is_answer(event: object) -> bool:
    return isinstance(event, h11.Response)
