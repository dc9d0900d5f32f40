"""Events of approvals. Moments are timestamps."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from command_center.store import EventData, Rule
from command_center.store.records import ApprovalKind, ApprovalStatus


class ApprovalRequested(EventData, frozen=True, kw_only=True, tag="approval.requested"):
    """Something waits on a person. `details` are those of a question that a session asks."""

    kind: ApprovalKind
    title: str
    expires_at: str | None
    details: dict[str, Any] | UnsetType = UNSET


class ApprovalExpiring(EventData, frozen=True, kw_only=True, tag="approval.expiring"):
    """Its deadline is near: a fifth of its time, and 10 minutes at most, are left.

    Told once, unless the deadline is put off.
    """

    kind: ApprovalKind
    title: str
    expires_at: str


class ApprovalExtended(EventData, frozen=True, kw_only=True, tag="approval.extended"):
    """Its deadline was put off; the data has both moments."""

    from_: str | None
    expires_at: str


class ApprovalResolved(EventData, frozen=True, kw_only=True, tag="approval.resolved"):
    """It was approved (`passkey_id` proves by whom), rejected, answered elsewhere or cancelled."""

    status: ApprovalStatus
    note: str | None
    kind: ApprovalKind | UnsetType = UNSET
    scope: str | UnsetType | None = UNSET
    passkey_id: int | UnsetType = UNSET


class ApprovalExpired(EventData, frozen=True, kw_only=True, tag="approval.expired"):
    """Nobody settled it in time."""

    status: ApprovalStatus
    kind: ApprovalKind
    note: str | None
    scope: str | None


class ApprovalAllowed(EventData, frozen=True, kw_only=True, tag="approval.allowed"):
    """Codex asked what a rule of its repository always allows; the rule answered, and no person.

    `rule` says what is allowed, and `details` are those of the question.
    """

    kind: ApprovalKind
    title: str
    rule_id: int
    rule: str
    details: dict[str, Any]


class RuleAdded(EventData, frozen=True, kw_only=True, tag="repo.rule.added"):
    """A person had something allowed from then on, as they approved it."""

    rule: Rule


class RuleRemoved(EventData, frozen=True, kw_only=True, tag="repo.rule.removed"):
    """Something is asked about again: a person took the rule back, or the repository was moved.

    `rule` is as it was; null for one that was damaged.
    """

    rule_id: int
    rule: Rule | None
