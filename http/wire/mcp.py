"""The words of the protocol: what a client sends, and what it is answered.

The shapes are those of the revisions in `VERSIONS` (https://modelcontextprotocol.io/specification).
Members of parameters that are not read here are left alone: later revisions add to them.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

VERSIONS: Final = ("2025-06-18", "2025-11-25")
"""The revisions that are agreed upon by `initialize`, the newest last."""

STATELESS_VERSIONS: Final = ("2026-07-28",)
"""The revisions of which each request says all of itself, and begins no session."""

VERSION_HEADER: Final = "MCP-Protocol-Version"
SESSION_HEADER: Final = "Mcp-Session-Id"
METHOD_HEADER: Final = "Mcp-Method"
NAME_HEADER: Final = "Mcp-Name"

HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
RESOURCE_NOT_FOUND: Final = -32002

RequestId: TypeAlias = (
    Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
    | Annotated[str, msgspec.Meta(max_length=200)]
)
"""The client's own name for a request."""


class McpMessage(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One message of JSON-RPC 2.0: a request, a notification (without `id`), or an answer.

    Attributes:
        id: of the request; of a request it is neither null nor left out.
        method: left out by an answer.
        result: of an answer, to what the server asked.
        error: of an answer, too.
    """

    jsonrpc: Literal["2.0"]
    id: RequestId | msgspec.UnsetType = msgspec.UNSET
    method: Annotated[str, msgspec.Meta(max_length=200)] | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    result: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    error: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class McpError(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The failure of a request."""

    code: int
    message: str
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class McpAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer to a request: its `result`, or its `error`."""

    jsonrpc: Literal["2.0"]
    id: RequestId
    result: Any | msgspec.UnsetType = msgspec.UNSET
    error: McpError | msgspec.UnsetType = msgspec.UNSET


class McpNotification(msgspec.Struct, frozen=True, kw_only=True):
    """A message of the server that nobody asked for."""

    jsonrpc: Literal["2.0"] = "2.0"
    method: str
    params: dict[str, Any]


class Initialize(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The parameters of `initialize`."""

    protocol_version: Annotated[str, msgspec.Meta(max_length=64)]


class CallTool(msgspec.Struct, frozen=True, kw_only=True, rename={"meta": "_meta"}):
    """The parameters of `tools/call`."""

    # `_meta` may hold a `progressToken`, and what Codex says of the turn that calls.

    name: str
    arguments: dict[str, Any] = {}
    meta: dict[str, Any] = {}


class McpResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of a request, with what revisions without sessions want of each.

    Attributes:
        result_type: it is all there.
        ttl_ms: how long a client may keep it.
        cache_scope: for whom.
    """

    result_type: Literal["complete"] | msgspec.UnsetType = msgspec.UNSET
    ttl_ms: int | msgspec.UnsetType = msgspec.UNSET
    cache_scope: Literal["private"] | msgspec.UnsetType = msgspec.UNSET


class Initialized(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of `initialize`."""

    protocol_version: str
    capabilities: dict[str, Any]
    server_info: dict[str, str]
    instructions: str


class Discovered(
    McpResult,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"meta": "_meta", "supported_versions": "supportedVersions"},
):
    """The result of `server/discover`; `_meta` names the server."""

    supported_versions: tuple[str, ...]
    capabilities: dict[str, Any]
    instructions: str
    meta: dict[str, Any]


class ToolList(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of `tools/list`."""

    tools: list[dict[str, Any]]


class ResourceList(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of `resources/list`."""

    resources: list[dict[str, Any]]


class TemplateList(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of `resources/templates/list`."""

    resource_templates: list[dict[str, Any]]


class ReadResource(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of `resources/read`."""

    uri: Annotated[str, msgspec.Meta(max_length=1000)]


class Cancelled(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The parameters of `notifications/cancelled`."""

    request_id: RequestId


class TextContent(msgspec.Struct, frozen=True, kw_only=True):
    """A text for the model."""

    text: str
    type: Literal["text"] = "text"


class ResourceContents(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={"mime_type": "mimeType", "meta": "_meta"},
):
    """A resource, or a piece of it."""

    # `_meta` has the `nextUri` that gives the next piece, null after the last.

    uri: str
    mime_type: str
    text: str
    meta: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class ResourceRead(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result of `resources/read`."""

    contents: tuple[ResourceContents, ...]


TWICE_BYTES: Final = 384 * 1024
"""Bytes of JSON up to which a tool's answer is told both as a text and as JSON."""


class ToolResult(McpResult, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The outcome of a tool.

    Attributes:
        content: for the model.
        structured_content: the same, as JSON; left out where it is long.
        is_error: it was refused, or failed; the content says why.
    """

    content: tuple[TextContent, ...]
    structured_content: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    is_error: bool = False

    @classmethod
    def of(cls, body: bytes, *, is_error: bool = False) -> ToolResult:
        """Return the result of an answer's JSON."""
        return cls(
            content=(TextContent(text=body.decode()),),
            structured_content=msgspec.Raw(body) if len(body) <= TWICE_BYTES else msgspec.UNSET,
            is_error=is_error,
        )


class RequestFailed(Exception):
    """A request is answered with an error of JSON-RPC."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        """Say which, and what to do."""
        super().__init__(message)
        self.code = code
        self.data = data
