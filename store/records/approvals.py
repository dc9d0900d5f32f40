"""Approvals, as they are stored and shown."""

from typing import Any, Literal, TypeAlias

import msgspec

from command_center.store.records.record import Record
from command_center.store.timestamps import Timestamp

ApprovalKind: TypeAlias = Literal[
    "run",
    "trust",
    "setup",
    "push",
    "merge",
    "command",
    "file_change",
    "permissions",
    "user_input",
    "elicitation",
    "manual",
]

ApprovalStatus: TypeAlias = Literal[
    "pending", "approved", "rejected", "expired", "answered_elsewhere", "cancelled"
]

ApprovalScope: TypeAlias = Literal["once", "session"]


RiskKind: TypeAlias = Literal[
    "deletes", "network", "pipes_into_shell", "outside_folder", "secrets", "unreadable"
]


class Risk(msgspec.Struct, frozen=True, rename="camel"):
    """A reason to look twice at what an approval asks for.

    Attributes:
        kind: ``unreadable`` where a command, or a part of it, could not be judged.
        words: of the command, or the path, that shows it.
    """

    kind: RiskKind
    words: str


class Approval(Record, frozen=True, kw_only=True, rename="camel"):
    """A question to the operator, settled exactly once.

    Attributes:
        codex_request_id: the bridge's id of the request that the answer goes to.
        codex_request: that request, ``{method, params}``.
        scope: how far an approval reaches; None while pending or where it means nothing.
        answers: to the questions of a ``user_input`` or ``elicitation``.
        expires_at: from when on it can no longer be approved; None for never.
        delivered_at: when Codex had the answer.
        warned_at: when it was told that the deadline is near.
        risks: what is risky in it, as far as its words show; nothing found is no promise.
        shortened: the fields that are longer than they are shown here.
    """

    kind: ApprovalKind = "manual"
    status: ApprovalStatus = "pending"
    title: str
    details: dict[str, Any] = msgspec.field(default_factory=dict)
    repository_id: int | None = None
    task_id: int | None = None
    session_id: int | None = None
    codex_thread_id: str | None = None
    codex_turn_id: str | None = None
    codex_item_id: str | None = None
    codex_request_id: str | None = None
    codex_request: dict[str, Any] | None = None
    requested_by: str
    scope: ApprovalScope | None = None
    answers: dict[str, Any] | None = None
    expires_at: Timestamp | None = None
    resolved_at: Timestamp | None = None
    resolved_by: str | None = None
    resolution_note: str | None = None
    delivered_at: Timestamp | None = None
    correlation_id: str | None = None
    warned_at: Timestamp | None = None
    shortened: list[str] = msgspec.field(default_factory=list)
    risks: list[Risk] = msgspec.field(default_factory=list)
