"""The bridge from standard input and output to the `/mcp` of a server.

Each request is a task and has a connection of its own, so that none waits for another. What cancels
one is sent once the server has begun to answer it: over another connection it could be there first,
and would be lost. A request of a revision without sessions says in headers, too, what it is, and is
cancelled by leaving.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeGuard

import attrs
import httpx
import trio

SESSION: Final = "Mcp-Session-Id"
VERSION: Final = "MCP-Protocol-Version"

REVISION: Final = "io.modelcontextprotocol/protocolVersion"
NAMED: Final[Mapping[str, str]] = MappingProxyType({"tools/call": "name", "resources/read": "uri"})
"""The parameter of a method that stands in the header `Mcp-Name`, too."""

UNREACHABLE: Final = -32000
INVALID_REQUEST: Final = -32600
PARSE_ERROR: Final = -32700

MOST_AT_ONCE: Final = 64
"""Requests that are answered at once; more than the waits that a server lets stand."""

LEAVING_SECONDS: Final = 5.0
"""Time for what is being answered when there are no more lines. Waits end at once."""

_PIECE: Final = 65_536

RequestId: TypeAlias = int | str


@attrs.define(eq=False)
class PendingRequest:
    """A request that is being answered.

    Attributes:
        begun: the server has begun to answer it, or never will.
        is_cancelled: nobody waits for the answer any more.
        leaves: it ends when its connection does, and needs no word to the server.
    """

    leaves: bool = False
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    begun: trio.Event = attrs.field(factory=trio.Event, init=False)
    is_cancelled: bool = attrs.field(default=False, init=False)


@attrs.define(eq=False)
class StdioBridge:
    """Hands messages on, and answers back, as they come."""

    _client: httpx.AsyncClient
    _told: trio.MemorySendChannel[bytes]
    _session: dict[str, str] = attrs.field(factory=dict, init=False)
    _asked: dict[RequestId, PendingRequest] = attrs.field(factory=dict, init=False)

    async def serve(self, lines: AsyncIterator[bytes]) -> None:
        """Serve until there are no more lines; then the session ends, and with it its waits."""
        async with trio.open_nursery() as nursery:
            async for line in lines:
                if line.strip():
                    await self._take(line.strip(), nursery)
            nursery.cancel_scope.deadline = trio.current_time() + LEAVING_SECONDS
            for asked in list(self._asked.values()):
                await asked.begun.wait()
                if asked.leaves:
                    asked.scope.cancel()
            if self._session:
                with suppress(httpx.HTTPError):
                    await self._client.delete("/mcp", headers=self._session)

    async def _take(self, line: bytes, nursery: trio.Nursery) -> None:
        try:
            message = json.loads(line)
        except (ValueError, RecursionError) as error:
            self._fail(None, PARSE_ERROR, f"This line is no JSON: {error}")
            return
        if not isinstance(message, dict):
            self._fail(None, INVALID_REQUEST, "Send one message in each line, as an object.")
            return
        method = message.get("method")
        if method == "notifications/cancelled":
            nursery.start_soon(self._cancel, line, message)
        elif method is None or "id" not in message:
            # a notification, or an answer to what nobody asked
            await self._hand_on(line, None, headers=_headers_of(message))
        elif not _is_id(request_id := message["id"]):
            self._fail(None, INVALID_REQUEST, "A request has a text or a whole number as its id.")
        elif request_id in self._asked:
            why = f"A request with the id {request_id!r} is still being answered."
            self._fail(request_id, INVALID_REQUEST, why)
        elif method == "initialize":
            self._session = {}
            await self._ask(line, request_id, PendingRequest(), {})  # what follows needs its answer
        elif len(self._asked) >= MOST_AT_ONCE:
            why = f"{MOST_AT_ONCE} requests go on already. Wait for one of them."
            self._fail(request_id, UNREACHABLE, why)
        else:
            headers = _headers_of(message)
            self._asked[request_id] = asked = PendingRequest(leaves=bool(headers))
            nursery.start_soon(self._ask, line, request_id, asked, headers)

    async def _ask(
        self,
        line: bytes,
        request_id: RequestId,
        asked: PendingRequest,
        headers: Mapping[str, str],
    ) -> None:
        failure = None
        try:
            with asked.scope:
                failure = await self._hand_on(line, request_id, asked, headers=headers)
            if failure is not None and not asked.is_cancelled:
                self._fail(request_id, UNREACHABLE, failure)
        finally:
            asked.begun.set()
            self._asked.pop(request_id, None)

    async def _cancel(self, line: bytes, message: Mapping[str, Any]) -> None:
        params = message.get("params")
        named = params.get("requestId") if isinstance(params, dict) else None
        asked = self._asked.get(named) if _is_id(named) else None
        if asked is not None:  # else it was answered meanwhile
            asked.is_cancelled = True
            await asked.begun.wait()
            if asked.leaves:
                asked.scope.cancel()
            else:
                await self._hand_on(line, None)

    async def _hand_on(
        self,
        line: bytes,
        request_id: RequestId | None,
        asked: PendingRequest | None = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> str | None:
        """Send a message, and tell what it is answered; return what went wrong, if anything."""
        sent = {
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            **(headers or self._session),
        }
        try:
            async with self._client.stream("POST", "/mcp", content=line, headers=sent) as answer:
                if answer.is_error:
                    refusal = _object(await answer.aread())
                    if refusal is None or refusal.get("jsonrpc") is None:
                        return _why(answer)
                    self._told.send_nowait(json.dumps(refusal).encode())
                    return None
                async for told in _messages(answer):
                    if asked is not None:
                        asked.begun.set()
                    if not told:
                        continue
                    message = _object(told)
                    if message is None:
                        return f"What answers at {self._client.base_url} speaks no MCP."
                    self._note_session(answer, message)
                    self._told.send_nowait(told)
                    if message.get("id") == request_id and "method" not in message:
                        request_id = None
        except httpx.HTTPError as error:
            return f"No server answers at {self._client.base_url}: {error}"
        return None if request_id is None else "The server ended this without an answer. Ask again."

    def _note_session(self, answer: httpx.Response, message: Mapping[str, Any]) -> None:
        result = message.get("result")
        if SESSION in answer.headers and isinstance(result, dict):
            self._session = {SESSION: answer.headers[SESSION]}
            if isinstance(version := result.get("protocolVersion"), str):
                self._session[VERSION] = version

    def _fail(self, request_id: RequestId | None, code: int, why: str) -> None:
        error = {"code": code, "message": why}
        told = {"jsonrpc": "2.0", "id": request_id, "error": error}
        self._told.send_nowait(json.dumps(told).encode())


async def bridge(client: httpx.AsyncClient, source: io.FileIO, out: io.FileIO) -> bool:
    """Serve until the source ends; return False if nobody reads the answers before."""
    # Without a bound, so that no answer is left in its midst; the requests at once have one.
    send, receive = trio.open_memory_channel[bytes](math.inf)
    is_read = True

    async def write() -> None:
        nonlocal is_read
        try:
            async for told in receive:
                await trio.to_thread.run_sync(_write, out, told, abandon_on_cancel=True)
        except BrokenPipeError:
            is_read = False
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        async with send:
            await StdioBridge(client, send).serve(_lines(source))
        nursery.cancel_scope.deadline = trio.current_time() + LEAVING_SECONDS
    return is_read


async def _lines(source: io.FileIO) -> AsyncIterator[bytes]:
    """Yield what stands before each line feed, and at the end what stands after the last."""
    rest = [b""]
    while piece := await trio.to_thread.run_sync(source.read, _PIECE, abandon_on_cancel=True):
        first, *more = piece.split(b"\n")
        rest.append(first)
        for part in more:
            yield b"".join(rest)
            rest = [part]
    yield b"".join(rest)


def _write(out: io.FileIO, told: bytes) -> None:
    left = memoryview(told + b"\n")
    while left:
        left = left[out.write(left) :]


async def _messages(answer: httpx.Response) -> AsyncIterator[bytes]:
    """Yield each message of an answer, and an empty one for what else comes on a stream."""
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        yield (await answer.aread()).replace(b"\n", b" ").strip()
        return
    rest = b""
    async for piece in answer.aiter_bytes():
        *lines, rest = (rest + piece).split(b"\n")  # of what is a line to Python, this alone
        for line in lines:
            yield line.removeprefix(b"data:").strip() if line.startswith(b"data:") else b""


def _object(told: bytes) -> dict[str, Any] | None:
    try:
        read = json.loads(told)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _headers_of(message: Mapping[str, Any]) -> dict[str, str]:
    """Return what a message of a revision without sessions says in headers, too; else nothing."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    if not isinstance(meta, dict) or not isinstance(revision := meta.get(REVISION), str):
        return {}
    method = str(message.get("method"))
    named = params.get(NAMED.get(method)) if isinstance(params, dict) else None
    said = {VERSION: revision, "Mcp-Method": method}
    if isinstance(named, str):
        said["Mcp-Name"] = named
    return {header: _header(value) for header, value in said.items()}


def _header(value: str) -> str:
    """Return a text as a header can say it."""
    if value.isascii() and value.isprintable() and value == value.strip():
        return value
    return f"=?base64?{base64.b64encode(value.encode()).decode()}?="


def _is_id(value: object) -> TypeGuard[RequestId]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _why(answer: httpx.Response) -> str:
    try:
        message: str = answer.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        return f"The server answered {answer.status_code}."
    return message
