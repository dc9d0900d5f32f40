"""The client for programs that wait: over the standard library's connection.

`import httpx` takes longer than a whole `command-center ls` may, so this one does without it.
"""

from __future__ import annotations

import http.client
import json
import select
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast
from urllib.parse import urlsplit

from command_center_client.address import address_of
from command_center_client.answers import decoded, is_answer, lost, of_page
from command_center_client.call import ApiCall, asked
from command_center_client.errors import (
    ClientError,
    NotCommandCenter,
    NotReachable,
    lasting,
    not_reached,
    refusal,
)
from command_center_client.place import SILENT_SECONDS, LogPlace
from command_center_client.resending import Resending

if TYPE_CHECKING:
    import socket
    import ssl

    from command_center_client.shapes import AnyEvent, ListPage

A = TypeVar("A")

ANSWER_SECONDS: Final = 75.0
"""Longer than the slowest answer: Codex has a minute to write the message of a commit."""

PIECE: Final = 64 * 1024
"""Bytes of an answer that are read at once."""

KEPT_SECONDS: Final = 20.0
"""A connection that was not used for so long is made anew; the server ends it a little later."""


class CommandCenter:
    """A server of Command Center, over one connection that is opened when it is needed.

    Use it as a context manager, or `close` it. It is for one thread at a time.

    Attributes:
        url: where it is, as `address_of` spells it.
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
            ValueError: that is no address, or has a password in it, or the token is none.
        """
        self.url = address_of(url)
        split = urlsplit(self.url)
        if token is not None and not (token.isascii() and token.isprintable()):
            raise ValueError("The token has characters that no token has.")
        self._host, self._port = split.hostname or "", split.port
        self._is_encrypted = split.scheme == "https"
        self._context = context
        self._seconds = seconds
        self._own = {"Accept": "application/json"}
        if token is not None:
            self._own["Authorization"] = f"Bearer {token}"
        elif cookie is not None:
            self._own["Cookie"] = cookie
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self._outlasts = False
        self._on_connect: Callable[[socket.socket], None] = lambda _sock: None
        self._on_open: Callable[[], None] = lambda: None
        self._on_loss: Callable[[ClientError, float], None] = lambda _error, _seconds: None

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

    def outlast(
        self, *, on_open: Callable[[], None], on_loss: Callable[[ClientError, float], None]
    ) -> None:
        """Wait from now on for as long as the server is away, as `events` does.

        A call that might be done twice is not sent again.
        """
        self._on_open, self._on_loss = on_open, on_loss
        self._outlasts = True

    def send(self, call: ApiCall[A]) -> A:
        """Return what the server answers; None if it answers with nothing.

        What takes an `Idempotency-Key` goes under one. If its answer is lost, it is sent again for
        some seconds, and done once.

        Raises:
            NotReachable: no server answers there.
            AnswerLost: it was sent, and may have been done.
            NotTrusted: the certificate is not one to trust.
            NotCommandCenter: something else answers there.
            CallRefused: the server refuses it, and says why.
            UnicodeEncodeError: a text has what is no letter, such as half of a pair.
        """
        told, _ = self._sent(call)
        return cast("A", told)

    def redeem(self, call: ApiCall[A]) -> tuple[A, str | None]:
        """Return what the server answers, and the cookie that comes with it."""
        told, answer = self._sent(call)
        cookie = answer.getheader("Set-Cookie")
        return cast("A", told), None if cookie is None else cookie.partition(";")[0]

    def pieces(self, call: ApiCall[Any]) -> Iterator[bytes]:
        """Yield an answer that is no JSON, such as a document, piece by piece.

        Raises:
            NotReachable: no server answers there, or the answer was cut off.
            NotTrusted: the certificate is not one to trust.
            CallRefused: the server refuses it, and says why.
        """
        answer = self._asked(call)
        if answer.status != http.client.OK:
            raise refusal(self.url, answer.status, decoded(self._body_of(answer, call)))
        try:
            while piece := answer.read1(PIECE):
                yield piece
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(call, error) from error
        finally:
            if not answer.isclosed():
                self.close()

    def every(self, call: ApiCall[ListPage[A]]) -> Iterator[A]:
        """Yield the items of all pages of a list, each page when it is needed."""
        path, cursor = call.path, None
        while True:
            more = asked({"cursor": cursor}).replace("?", "&" if "?" in path else "?")
            page = self.send(ApiCall[Any](call.method, path + more, headers=call.headers))
            items, cursor = of_page(self.url, page)
            yield from items
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
        own._on_connect = self._on_connect
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
        call = ApiCall[Any]("GET", path)
        with self._asked(call) as answer:
            if answer.status != http.client.OK:
                raise refusal(self.url, answer.status, decoded(self._body_of(answer, call)))
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
                try:
                    yield from place.take(line.decode(errors="replace").rstrip("\r\n"))
                except ValueError as error:
                    raise NotCommandCenter(self.url) from error

    def _sent(self, call: ApiCall[Any]) -> tuple[Any, http.client.HTTPResponse]:
        """Send it, again where that does nothing twice; return what is told, and the answer."""
        call = call.keyed()
        attempts = Resending(call, outlasts=self._outlasts)
        while True:
            try:
                told = self._exchanged(call)
            except ClientError as error:
                seconds = attempts.wait_seconds(error)
                self.close()
                self._on_loss(error, seconds)
                time.sleep(seconds)
            else:
                self._on_open()
                return told

    def _exchanged(self, call: ApiCall[Any]) -> tuple[Any, http.client.HTTPResponse]:
        answer = self._asked(call)
        body = self._body_of(answer, call)
        told, status = decoded(body), answer.status
        if is_answer(status, body, told):
            return told, answer
        failure = refusal(self.url, status, told, retry_after=answer.getheader("Retry-After"))
        if isinstance(failure, NotReachable):  # a proxy does not know whether it was heard
            raise self._lost(call, f"a proxy answers {status} in its place")
        raise failure

    def _body_of(self, answer: http.client.HTTPResponse, call: ApiCall[Any]) -> bytes:
        try:
            return answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._lost(call, error) from error

    def _asked(self, call: ApiCall[Any]) -> http.client.HTTPResponse:
        """Send it, and return the answer with its body unread.

        A connection that was kept may end just now; then a GET goes over another one.
        """
        headers = {**self._own, **call.headers}
        body: bytes | None = None
        if isinstance(call.body, bytes):
            body, headers["Content-Type"] = call.body, "application/octet-stream"
        elif call.body is not None:
            body = json.dumps(call.body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        while True:
            connection, was_kept = self._open()
            try:
                connection.request(call.method, call.path, body=body, headers=headers)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if not (was_kept and call.method == "GET" and isinstance(error, ConnectionError)):
                    raise self._lost(call, error) from error
            else:
                self._used = time.monotonic()
                return answer

    def _open(self) -> tuple[http.client.HTTPConnection, bool]:
        """Return a connection, and whether it has been used before."""
        kept = self._connection
        if kept is not None and kept.sock is not None:
            if time.monotonic() - self._used < KEPT_SECONDS and not _is_ended(kept.sock):
                return kept, True
            self.close()
        connection = self._connection = self._connect()
        try:
            connection.connect()
        except OSError as error:
            self.close()
            raise not_reached(self.url, error) from error
        try:
            self._on_connect(connection.sock)
        except BaseException:
            self.close()
            raise
        return connection, False

    def _connect(self) -> http.client.HTTPConnection:
        if self._is_encrypted:
            return http.client.HTTPSConnection(
                self._host, self._port, timeout=self._seconds, context=self._context
            )
        return http.client.HTTPConnection(self._host, self._port, timeout=self._seconds)

    def _lost(self, call: ApiCall[Any], problem: object) -> ClientError:
        is_cut = isinstance(problem, OSError | http.client.IncompleteRead)
        if isinstance(problem, http.client.HTTPException) and not is_cut:
            return NotCommandCenter(self.url)  # what came is no HTTP
        return lost(self.url, call, problem)


def _is_ended(kept: socket.socket) -> bool:
    """Return True if a connection on which nothing is asked has something to say: its end."""
    try:
        return bool(select.select([kept], [], [], 0)[0])
    except (OSError, ValueError):  # more files are open than select knows
        return True
