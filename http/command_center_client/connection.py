"""The client for programs that wait: over the standard library's connection.

`import httpx` takes longer than a whole `command-center ls` may, so this one does without it.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast
from urllib.parse import urlsplit

from command_center_client.call import ApiCall, asked
from command_center_client.errors import (
    ClientError,
    NotCommandCenter,
    NotReachable,
    lasting,
    refusal,
)
from command_center_client.place import SILENT_SECONDS, LogPlace

if TYPE_CHECKING:
    import ssl

    from command_center_client.shapes import AnyEvent, ListPage

A = TypeVar("A")

ANSWER_SECONDS: Final = 75.0
"""Longer than the slowest answer: Codex has a minute to write the message of a commit."""


class CommandCenter:
    """A server of Command Center, over one connection that is opened when it is needed.

    Use it as a context manager, or `close` it. It is for one thread at a time.

    Attributes:
        url: where it is, without a path.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8787",
        *,
        token: str | None = None,
        cookie: str | None = None,
        context: ssl.SSLContext | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Speak to the server at `url`; nothing is sent yet.

        Raises:
            ValueError: that is no address.
        """
        split = urlsplit(url)
        try:
            self._port = split.port
        except ValueError:
            self._port = -1
        is_web = split.scheme in {"http", "https"} and not split.path.strip("/")
        if not (is_web and split.hostname) or self._port == -1:
            raise ValueError(f"{url!r} is no address. Write it as http://host:port.")
        self._host = split.hostname
        self._is_encrypted = split.scheme == "https"
        self.url = f"{split.scheme}://{split.netloc}"
        self._context = context
        self._seconds = seconds
        self._own = {"Accept": "application/json"}
        if token is not None:
            self._own["Authorization"] = f"Bearer {token}"
        elif cookie is not None:
            self._own["Cookie"] = cookie
        self._connection: http.client.HTTPConnection | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """Return what each request has, the token among it."""
        return self._own

    @property
    def context(self) -> ssl.SSLContext | None:
        """Return what its certificate is checked by; None for the system's authorities."""
        return self._context

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the next call opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(self, call: ApiCall[A]) -> A:
        """Return what the server answers; None if it answers with nothing.

        Raises:
            NotReachable: no server answers there.
            NotCommandCenter: something else does.
            CallRefused: the server refuses it, and says why.
        """
        answer = self._exchange(call)
        body = answer.read()
        told = _decoded(body)
        if answer.status >= http.client.BAD_REQUEST or (body and told is None):
            raise refusal(self.url, answer.status, told)
        return cast("A", told)

    def redeem(self, call: ApiCall[A]) -> tuple[A, str | None]:
        """Return what the server answers, and the cookie that comes with it."""
        answer = self._exchange(call)
        told = _decoded(answer.read())
        if answer.status >= http.client.BAD_REQUEST or told is None:
            raise refusal(self.url, answer.status, told)
        cookie = answer.getheader("Set-Cookie")
        return cast("A", told), None if cookie is None else cookie.partition(";")[0]

    def every(self, call: ApiCall[ListPage[A]]) -> Iterator[A]:
        """Yield the items of all pages of a list, each page when it is needed."""
        path, cursor = call.path, None
        while True:
            more = asked({"cursor": cursor}).replace("?", "&" if "?" in path else "?")
            page = self.send(ApiCall[Any](call.method, path + more, headers=call.headers))
            yield from page["items"]
            cursor = page["nextCursor"]
            if cursor is None:
                return

    def events(
        self,
        place: LogPlace | None = None,
        *,
        on_open: Callable[[], None] = lambda: None,
        on_loss: Callable[[ClientError, float], None] = lambda _error, _seconds: None,
        **query: object,
    ) -> Generator[AnyEvent, None, None]:
        """Yield events as they happen, without an end, a gap or a repeat.

        It begins after the `place`, or now; the place moves on with what is yielded. A lost
        connection is made again, with longer and longer pauses; `on_loss` is told why and for how
        many seconds it waits, and `on_open` whenever there is one. The query filters, as
        `docs/events.md` tells.

        Raises:
            LogChanged: the log is another one.
            CallRefused: the server does not let it go on.
            NotCommandCenter: something else answers there.
        """
        place = LogPlace() if place is None else place
        own = CommandCenter(self.url, context=self._context, seconds=SILENT_SECONDS)
        own._own = {**self._own, "Accept": "text/event-stream"}
        try:
            while True:
                try:
                    yield from own._until_lost(place, query, on_open)
                    problem: ClientError = NotReachable(self.url, "the stream ended")
                except ClientError as error:
                    problem = error
                last = lasting(problem)
                if last is not None:
                    raise last
                own.close()
                seconds = place.wait_seconds()
                on_loss(problem, seconds)
                time.sleep(seconds)
        finally:
            own.close()

    def _until_lost(
        self, place: LogPlace, query: dict[str, object], on_open: Callable[[], None]
    ) -> Iterator[AnyEvent]:
        place.begin()
        path = "/api/events/stream" + asked({**query, **place.query()})
        answer = self._exchange(ApiCall[Any]("GET", path))
        if answer.status != http.client.OK:
            raise refusal(self.url, answer.status, _decoded(answer.read()))
        if not (answer.getheader("Content-Type") or "").startswith("text/event-stream"):
            raise NotCommandCenter(self.url)
        on_open()
        while True:
            try:
                line = answer.readline()
            except (OSError, http.client.HTTPException) as error:
                raise NotReachable(self.url, error) from error
            if not line.endswith(b"\n"):
                return
            yield from place.take(line.decode().rstrip("\r\n"))

    def _exchange(self, call: ApiCall[Any]) -> http.client.HTTPResponse:
        """Send it, and return the answer with its body unread.

        A connection that the server has closed meanwhile is made again, but never to send a second
        time what might have been heard.
        """
        headers = {**self._own, **call.headers}
        body: bytes | None = None
        if isinstance(call.body, bytes):
            body, headers["Content-Type"] = call.body, "application/octet-stream"
        elif call.body is not None:
            body, headers["Content-Type"] = json.dumps(call.body).encode(), "application/json"
        was_open = self._connection is not None
        try:
            return self._attempt(call, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            is_idle_end = isinstance(error, http.client.RemoteDisconnected | BrokenPipeError)
            if not (was_open and is_idle_end and call.method == "GET"):
                raise self._failure(error) from error
        try:
            return self._attempt(call, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._failure(error) from error

    def _attempt(
        self, call: ApiCall[Any], body: bytes | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.request(call.method, call.path, body=body, headers=headers)
        return self._connection.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        if self._is_encrypted:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._seconds, context=self._context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _failure(self, error: Exception) -> ClientError:
        if isinstance(error, http.client.BadStatusLine) and not isinstance(error, OSError):
            return NotCommandCenter(self.url)
        return NotReachable(self.url, error)


def _decoded(body: bytes) -> Any:
    """Return what JSON says, or None if it is none."""
    try:
        return json.loads(body)
    except ValueError:
        return None
