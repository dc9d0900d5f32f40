"""The members that are read of Codex's five questions, checked where they come in.

A question that lacks one of them cannot be shown to anybody; it is refused with a JSON-RPC
error instead of failing whoever reads it. Members that are not named here are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct


class _Review(Struct):
    threadId: str  # noqa: N815 - Codex's own name, as all below
    turnId: str  # noqa: N815
    itemId: str  # noqa: N815
    reason: str | None = None


class _Network(Struct):
    host: str
    protocol: str


class Command(_Review):
    """`CommandExecutionRequestApprovalParams`."""

    command: str | None = None
    cwd: str | None = None
    approvalId: str | None = None  # noqa: N815
    networkApprovalContext: _Network | None = None  # noqa: N815


class FileChange(_Review):
    """`FileChangeRequestApprovalParams`."""

    grantRoot: str | None = None  # noqa: N815


class _Entry(Struct):
    access: str
    path: _Place


class _Place(Struct):
    type: str
    path: str | None = None
    pattern: str | None = None
    value: dict[str, Any] | None = None


class _Files(Struct):
    entries: list[_Entry] | None = None
    read: list[str] | None = None
    write: list[str] | None = None


class _NetworkAccess(Struct):
    enabled: bool | None = None


class _Permissions(Struct):
    fileSystem: _Files | None = None  # noqa: N815
    network: _NetworkAccess | None = None


class Permissions(_Review, kw_only=True):
    """`PermissionsRequestApprovalParams`."""

    cwd: str
    permissions: _Permissions


class _Option(Struct):
    label: str


class _Question(Struct):
    id: str
    header: str
    question: str
    options: list[_Option] | None = None
    isOther: bool = False  # noqa: N815
    isSecret: bool = False  # noqa: N815


class UserInput(_Review, kw_only=True):
    """`ToolRequestUserInputParams`."""

    questions: list[_Question]


class Elicitation(Struct, kw_only=True):
    """`McpServerElicitationRequestParams`."""

    threadId: str  # noqa: N815
    turnId: str | None = None  # noqa: N815
    serverName: str  # noqa: N815
    message: str
    mode: Literal["form", "openai/form", "openaiForm", "url"]
    url: str | None = None


def problem_of(shape: type[Struct], params: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the parameters of a question; None if they can be read."""
    try:
        msgspec.convert(params, shape)
    except msgspec.ValidationError as error:
        return str(error)
    return None
