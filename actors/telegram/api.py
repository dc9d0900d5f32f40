"""The Bot API's client: one method call is one HTTP request (https://core.telegram.org/bots/api).

**The token goes in last.** In the Bot API's addresses the token is part of the path, and httpx
shows addresses in its log lines and keeps them in its exceptions. So the client asks for
`/sendMessage`, and the transport below it, which logs and raises nothing of its own, puts
`/bot<token>` before that. What leaves this module are errors of `errors`, free of causes and
contexts, and with the token cut out of whatever the other side said.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any, Final

import attrs
import httpx
import msgspec
import trio

from command_center.actors.core.cancellable import cancellable
from command_center.actors.telegram.errors import (
    BotApiFailed,
    BotApiLimited,
    BotApiRefused,
    BotApiUnreachable,
    FileTooLarge,
    TokenRejected,
)
from command_center.actors.telegram.settings import TelegramSettings

LARGEST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of the largest answer that is read."""

FILE_SECONDS: Final = 25.0
"""Seconds that a file may take beyond those of a call."""

LONGEST_PAUSE: Final = 24 * 3600.0
"""Seconds that the Bot API may have this server wait."""

HIDDEN: Final = "[redacted]"


@attrs.frozen
class SentFile:
    """A file that a method takes beside its parameters.

    Attributes:
        field: the parameter that it is.
        name: what it is called where it is saved.
    """

    field: str
    name: str
    data: bytes
    media_type: str = "text/plain; charset=utf-8"


class _Refusal(msgspec.Struct, frozen=True):
    """Parameters of an answer that is not ok."""

    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _File(msgspec.Struct, frozen=True):
    """The place of a file that somebody sent: no path that leads anywhere else."""

    file_path: Annotated[
        str,
        msgspec.Meta(pattern=r"^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9_./-]*$", max_length=300),
    ]
    file_size: int = 0


class _Answer(msgspec.Struct, frozen=True):
    """Every answer of the Bot API."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw(b"null")
    error_code: int | None = None
    description: str = ""
    parameters: _Refusal = _Refusal()


class BotApi:
    """Calls of one bot. To be closed by whoever made it."""

    def __init__(self, settings: TelegramSettings) -> None:
        """Speak for the bot of the settings; nothing is sent yet."""
        self._token = settings.bot_token
        self._seconds = settings.call_seconds
        self._client = httpx.AsyncClient(
            base_url=settings.api_base,
            transport=_WithToken(settings.bot_token),
            event_hooks={"request": [cancellable]},
            timeout=httpx.Timeout(settings.call_seconds),
            headers={"User-Agent": "command-center"},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(
        self,
        method: str,
        params: Mapping[str, object] | None = None,
        *,
        extra_seconds: float = 0,
        upload: SentFile | None = None,
    ) -> Any:
        """Call a method and give its result as plain JSON.

        Args:
            method: its name, such as `sendMessage`.
            params: its parameters.
            extra_seconds: how much longer than usual the answer may take.
            upload: a file, for the methods that take one.

        Raises:
            BotApiUnreachable, BotApiLimited, BotApiFailed, BotApiRefused, TokenRejected.
        """
        content, media_type = encode(params or {}, upload)
        seconds = self._seconds + extra_seconds
        status, body = await self._exchange(method, content, media_type, seconds)
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            answer = None
        if answer is None:
            if status >= 500:  # noqa: PLR2004 - the statuses' own meaning
                raise BotApiFailed(method, status)
            raise BotApiUnreachable(method, f"status {status} without an answer of the Bot API")
        if answer.ok:
            return msgspec.json.decode(answer.result)
        raise self._error(method, answer.error_code or status, answer)

    async def fetch(self, file_id: str, most: int) -> bytes:
        """Fetch a file that somebody sent.

        Args:
            file_id: names it.
            most: bytes of the largest that is taken.

        Raises:
            FileTooLarge: it is larger, or larger than the Bot API gives.
            BotApiUnreachable, BotApiLimited, BotApiFailed, BotApiRefused, TokenRejected.
        """
        try:
            found = await self.call("getFile", {"file_id": file_id})
        except BotApiRefused as error:
            raise (FileTooLarge() if "too big" in str(error) else error) from None
        try:
            file = msgspec.convert(found, _File)
        except msgspec.ValidationError:
            raise BotApiUnreachable("getFile", "an answer without a file") from None
        if file.file_size > most:
            raise FileTooLarge
        path = file.file_path.replace("/", "%2F")  # the token goes in before the last part
        seconds = self._seconds + FILE_SECONDS
        status, body = await self._exchange(f"file/{path}", None, "", seconds, most=most)
        if status != HTTPStatus.OK:
            raise BotApiFailed("getFile", status)
        return body

    def _error(self, method: str, status: int, answer: _Answer) -> Exception:
        description = answer.description.replace(self._token, HIDDEN)[:500]
        if answer.parameters.retry_after is not None or status == 429:  # noqa: PLR2004 - as above
            pause = answer.parameters.retry_after or 1.0
            return BotApiLimited(method, min(max(0.0, pause), LONGEST_PAUSE))
        if status >= 500:  # noqa: PLR2004 - as above
            return BotApiFailed(method, status)
        if status == 401 or (status == 404 and description == "Not Found"):  # noqa: PLR2004 - as above
            return TokenRejected()
        return BotApiRefused(
            method, status, description, migrated_to=answer.parameters.migrate_to_chat_id
        )

    async def _exchange(
        self,
        method: str,
        content: bytes | None,
        media_type: str,
        seconds: float,
        *,
        most: int = LARGEST_ANSWER,
    ) -> tuple[int, bytes]:
        """Send and receive within a deadline. Nothing that httpx raises gets out of here.

        Without `content` something is fetched. The answer has `most` bytes.
        """
        reason = "it took too long"
        with trio.move_on_after(seconds) as call:
            try:
                timeout = httpx.Timeout(seconds)
                async with self._client.stream(
                    "GET" if content is None else "POST",
                    f"/{method}",
                    content=content,
                    headers={} if content is None else {"Content-Type": media_type},
                    timeout=timeout,
                ) as response:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > most:
                            reason = "the answer is too large"
                            call.cancel()  # to break off here would leave httpx's generators open
                    if len(body) <= most:
                        return response.status_code, bytes(body)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                reason = type(error).__name__
        raise BotApiUnreachable(method, reason)


def encode(params: Mapping[str, object], upload: SentFile | None) -> tuple[bytes, str]:
    """Return a call's body and its type: JSON, or a form where a file goes with it.

    In a form, what is no text is JSON (https://core.telegram.org/bots/api#making-requests).
    """
    if upload is None:
        return msgspec.json.encode(params), "application/json"
    fields = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in params.items()
    }
    file = (upload.name, upload.data, upload.media_type)
    form = httpx.Request("POST", "http://bot", data=fields, files={upload.field: file})
    return form.read(), form.headers["Content-Type"]


@cache
def _trusted() -> ssl.SSLContext:
    """Whom to trust. To read that takes long, so it is read once."""
    return httpx.create_ssl_context()


class _WithToken(httpx.AsyncBaseTransport):
    """Puts the token into the path, below everything that shows addresses."""

    def __init__(self, token: str) -> None:
        self._prefix = f"/bot{token}"
        self._transport = httpx.AsyncHTTPTransport(verify=_trusted())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        folder, _, method = request.url.raw_path.rpartition(b"/")
        wanted = method.replace(b"%2F", b"/")  # a file's path, which is one part until here
        url = request.url.copy_with(raw_path=folder + self._prefix.encode() + b"/" + wanted)
        return await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    async def aclose(self) -> None:
        await self._transport.aclose()
