"""One request and its answer, in the words of the revision that the client speaks.

By revisions with sessions a refusal of a method comes with the status 200. By those without, each
request says in `_meta` and in headers what it is, a result says that it is complete, and a refusal
has a status of its own.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import attrs
import msgspec
from quart import Response, request
from quart_trio.wrappers import TrioResponse

from command_center.http.mcp.sessions import McpSession
from command_center.http.wire.caller import caller_of
from command_center.http.wire.codec import decode_json, encode, encode_aside, json_answer
from command_center.http.wire.mcp import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_HEADER,
    METHOD_NOT_FOUND,
    NAME_HEADER,
    STATELESS_VERSIONS,
    UNSUPPORTED_VERSION,
    VERSION_HEADER,
    McpAnswer,
    McpError,
    McpMessage,
    McpResult,
    RequestFailed,
    RequestId,
    ToolResult,
)
from command_center.http.wire.problems import Refused

T = TypeVar("T", bound=msgspec.Struct)

REVISION: Final = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"

NAMED: Final[Mapping[str, str]] = MappingProxyType({"tools/call": "name", "resources/read": "uri"})
"""The parameter of a method that stands in `Mcp-Name`, too."""

STATUSES: Final[Mapping[int, int]] = MappingProxyType(
    {
        METHOD_NOT_FOUND: 404,
        **dict.fromkeys(
            (INVALID_REQUEST, INVALID_PARAMS, HEADER_MISMATCH, UNSUPPORTED_VERSION), 400
        ),
    }
)
"""The statuses of refusals without a session; of others it is 200."""

_BASE64: Final = re.compile(r"=\?base64\?(.*)\?=")


@attrs.frozen
class McpExchange:
    """A request in hand, and how it is answered."""

    session: McpSession
    request_id: RequestId
    method: str
    params: Mapping[str, Any]

    @property
    def is_stateless(self) -> bool:
        """Return True if no session stands behind the request."""
        return self.session.version in STATELESS_VERSIONS

    def message(self, result: McpResult) -> McpAnswer:
        """Return the message with a result."""
        if self.is_stateless:
            result = msgspec.structs.replace(result, result_type="complete")
            if not isinstance(result, ToolResult):
                result = msgspec.structs.replace(result, ttl_ms=0, cache_scope="private")
        return McpAnswer(jsonrpc="2.0", id=self.request_id, result=result)

    def failure(self, failed: RequestFailed) -> McpAnswer:
        """Return the message with an error."""
        data = msgspec.UNSET if failed.data is None else failed.data
        error = McpError(code=failed.code, message=str(failed), data=data)
        return McpAnswer(jsonrpc="2.0", id=self.request_id, error=error)

    async def answer(self, result: McpResult) -> Response:
        """Answer with a result."""
        return json_answer(await encode_aside(self.message(result)))

    def fail(self, failed: RequestFailed) -> Response:
        """Answer with an error."""
        response = json_answer(encode(self.failure(failed)))
        if self.is_stateless:
            response.status_code = STATUSES.get(failed.code, 200)
        return response


async def message_in_hand() -> McpMessage:
    """Return the message of the request in hand.

    Raises:
        Refused: it is a batch.
        InvalidFields, MalformedBody: as for every body.
    """
    data = await request.get_data(cache=False, as_text=False, parse_form_data=False)
    if data.lstrip()[:1] == b"[":
        raise Refused(400, "Batches are not taken: send one message in each request.")
    return decode_json(data, McpMessage)


def params_of(message: McpMessage) -> dict[str, Any]:
    """Return a message's parameters."""
    return {} if isinstance(message.params, msgspec.UnsetType) else message.params


def fitting(params: Mapping[str, Any], kind: type[T]) -> T:
    """Return the parameters as that kind.

    Raises:
        RequestFailed: they are none.
    """
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise RequestFailed(INVALID_PARAMS, f"params: {error}.") from None


def says_all_itself(message: McpMessage) -> bool:
    """Return whether a message is of a revision without sessions, by its header or its `_meta`."""
    meta = params_of(message).get("_meta")
    is_by_meta = isinstance(meta, Mapping) and REVISION in meta
    return is_by_meta or request.headers.get(VERSION_HEADER) in STATELESS_VERSIONS


def stateless(request_id: RequestId, method: str, params: Mapping[str, Any]) -> McpExchange:
    """Return the exchange of a request that says all of itself; another one has nothing of it."""
    own = f"{STATELESS_VERSIONS[-1]}.{secrets.token_urlsafe(12)}"
    session = McpSession(own, STATELESS_VERSIONS[-1], caller_of(request.scope).device_id)
    return McpExchange(session, request_id, method, params)


def check_envelope(exchange: McpExchange) -> None:
    """See that what a request says of itself is whole, agrees with its headers, and is spoken here.

    Raises:
        RequestFailed: it is not so.
    """
    meta = exchange.params.get("_meta")
    lacks = [key for key in (REVISION, CAPABILITIES) if key not in (meta or {})]
    if not isinstance(meta, Mapping) or lacks:
        raise RequestFailed(INVALID_PARAMS, f"params: _meta lacks {' and '.join(lacks)}.")
    revision = meta[REVISION]
    said = {VERSION_HEADER: revision, METHOD_HEADER: exchange.method}
    named = exchange.params.get(NAMED.get(exchange.method, ""))
    if named is not None:
        said[NAME_HEADER] = named
    for header, value in said.items():
        if [_plain(one) for one in request.headers.getlist(header)] != [value]:
            raise RequestFailed(HEADER_MISMATCH, f"{header} is not what the request says.")
    if revision not in STATELESS_VERSIONS:
        raise RequestFailed(
            UNSUPPORTED_VERSION,
            f"This revision is not spoken here: {revision}.",
            {"supported": [*STATELESS_VERSIONS], "requested": revision},
        )


def nothing(status: int = 202) -> Response:
    """Answer with no message."""
    return TrioResponse(b"", status=status)


def _plain(header: str) -> str | None:
    """Return what a header says that may be wrapped in base64; None where that is damaged."""
    wrapped = _BASE64.fullmatch(header)
    if wrapped is None:
        return header
    try:
        return base64.b64decode(wrapped[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
