"""The app-server's messages at the edge: bytes to typed envelopes, and back.

JSON-RPC 2.0 without its `jsonrpc` member. Both sides number their own requests: an id of
Codex's and one of ours may be equal and mean different things. Params and results stay plain
JSON objects here; whoever knows a method knows their shape (`codex app-server
generate-json-schema` prints them all).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from command_center.actors.codex.errors import NotAMessage

RequestId: TypeAlias = int | str
Params: TypeAlias = dict[str, Any]

OVERLOADED = -32001
"""Codex's code for "try again later": the request was not looked at."""

REFUSED = -32000
"""Our code for a request of Codex that was understood and is not granted."""

METHOD_NOT_FOUND = -32601
"""JSON-RPC's code for a request that the receiver does not know."""


class RpcError(Struct, frozen=True):
    """The error member of a response."""

    code: int
    message: str
    data: Any = None


class Response(Struct, frozen=True):
    """The answer to one of our requests: a result, or an error."""

    id: RequestId
    result: Any = None
    error: RpcError | None = None


class ServerRequest(Struct, frozen=True):
    """A request of Codex, which waits for our answer."""

    id: RequestId
    method: str
    params: Params


class Notification(Struct, frozen=True):
    """Something that Codex tells and that wants no answer."""

    method: str
    params: Params


Incoming: TypeAlias = Response | ServerRequest | Notification


class _Envelope(Struct):
    id: RequestId | None = None
    method: str | None = None
    params: Params | None = None
    result: Any = UNSET
    error: RpcError | UnsetType | None = UNSET


_ANSWER = re.compile(rb'\s*\{\s*"id"\s*:\s*([0-9]{1,18})\s*,\s*"(?:result|error)"')

_decoder = msgspec.json.Decoder(_Envelope)
_encoder = msgspec.json.Encoder()


def decode(data: bytes | str) -> Incoming:
    """Read one message; raises `NotAMessage` for anything that is none."""
    try:
        envelope = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotAMessage(str(error), _as_bytes(data)) from None
    if envelope.method is not None:
        params = envelope.params if envelope.params is not None else {}
        if envelope.id is None:
            return Notification(envelope.method, params)
        return ServerRequest(envelope.id, envelope.method, params)
    if envelope.id is None:
        raise NotAMessage("It has neither a method nor an id", _as_bytes(data))
    if isinstance(envelope.error, RpcError):
        return Response(envelope.id, error=envelope.error)
    if isinstance(envelope.result, UnsetType):
        raise NotAMessage("It has neither a result nor an error", _as_bytes(data))
    return Response(envelope.id, envelope.result)


def answered_by(head: bytes) -> RequestId | None:
    """Return which of our requests a message answers that begins so, if that can be told."""
    found = _ANSWER.match(head)
    return None if found is None else int(found[1])


def encode_request(id_: RequestId, method: str, params: Mapping[str, Any]) -> bytes:
    """Write one of our requests; Codex insists on `params`, even empty."""
    return _encoder.encode({"id": id_, "method": method, "params": params})


def encode_notification(method: str) -> bytes:
    """Write a notification without parameters."""
    return _encoder.encode({"method": method})


def encode_result(id_: RequestId, result: Mapping[str, Any]) -> bytes:
    """Answer a request of Codex."""
    return _encoder.encode({"id": id_, "result": result})


def encode_error(id_: RequestId, code: int, message: str) -> bytes:
    """Refuse a request of Codex."""
    return _encoder.encode({"id": id_, "error": {"code": code, "message": message}})


def thread_of(params: Mapping[str, Any]) -> str | None:
    """Return the thread that a notification or a request belongs to, if it belongs to one."""
    thread_id = params.get("threadId")
    if isinstance(thread_id, str):
        return thread_id
    thread = params.get("thread")
    if isinstance(thread, dict) and isinstance(thread.get("id"), str):
        return str(thread["id"])
    return None


def _as_bytes(data: bytes | str) -> bytes:
    return data if isinstance(data, bytes) else data.encode("utf-8", "replace")
