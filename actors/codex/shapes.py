"""The members that are read of Codex's questions and answers, checked where they come in.

A question that lacks one of them cannot be shown to anybody; it is refused with a JSON-RPC
error instead of failing whoever reads it. An answer that lacks one is a refusal for who asked.
Members that are not named here are kept as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

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


class _Status(Struct):
    type: str


class _Thread(Struct):
    id: str
    status: _Status | None = None
    updatedAt: float | None = None  # noqa: N815
    createdAt: float | None = None  # noqa: N815


class _PlacedThread(_Thread, kw_only=True):
    cwd: str


class _Turn(Struct):
    id: str
    items: list[dict[str, Any]]
    status: str | None = None
    startedAt: float | None = None  # noqa: N815
    completedAt: float | None = None  # noqa: N815
    error: dict[str, Any] | None = None


class _Begun(Struct):
    id: str


class _OneThread(Struct):
    thread: _Thread


class _OnePlacedThread(Struct):
    thread: _PlacedThread


class _OneTurn(Struct):
    turn: _Begun


class _Names(Struct):
    data: list[str]


class _Objects(Struct):
    data: list[dict[str, Any]]


class _Threads(Struct):
    data: list[_Thread]


class _Turns(Struct):
    data: list[_Turn]


class _Goal(Struct):
    goal: dict[str, Any] | None


class _Settings(Struct):
    layers: list[dict[str, Any]] | None = None


ANSWERS: Final[Mapping[str, type[Struct]]] = {
    "config/read": _Settings,
    "model/list": _Objects,
    "review/start": _OneTurn,
    "thread/backgroundTerminals/list": _Objects,
    "thread/fork": _OneThread,
    "thread/goal/get": _Goal,
    "thread/list": _Threads,
    "thread/loaded/list": _Names,
    "thread/queue/list": _Objects,
    "thread/read": _OnePlacedThread,
    "thread/resume": _OneThread,
    "thread/start": _OneThread,
    "thread/turns/list": _Turns,
    "turn/start": _OneTurn,
}
"""The answers that are read, by the request."""


def problem_of(shape: type[Struct], params: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a question's parameters, or an answer; None if they can be read."""
    try:
        msgspec.convert(params, shape)
    except msgspec.ValidationError as error:
        return str(error)
    return None
