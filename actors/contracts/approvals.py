"""The messages that `/approvals` takes, and its answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.contracts.fields import TITLE_LENGTH, DateTime, NotBlank
from command_center.actors.contracts.passkeys import PasskeyProof
from command_center.actors.rules.lengths import AnyObject, Name, Note
from command_center.actors.rules.preconditions import Condition, always
from command_center.actors.rules.standing_rules import MOST_WORDS
from command_center.runtime import Request
from command_center.store import Approval, Rule

LONGEST_SECONDS = 10 * 366 * 24 * 3600
"""The most seconds that an approval may wait: ten years."""

Seconds = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_SECONDS)]


class Extension(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Until when an approval shall wait: `ttlSeconds` from now, or `expiresAt`."""

    ttl_seconds: Seconds | None = None
    expires_at: DateTime | None = None
    requested_by: Name = "api"


class ExtendApproval(msgspec.Struct, Request[Approval], frozen=True):
    """Put off the deadline of a pending approval."""

    approval_id: int
    extension: Extension


class CreateApproval(
    msgspec.Struct,
    Request[Approval],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Ask a person something that no session asks by itself.

    Attributes:
        details: whatever helps to decide.
        expires_at: from when on it can no longer be approved.
        ttl_seconds: the same, from now; `CC_APPROVAL_TTL_SECONDS`, if neither is given.
    """

    title: Annotated[NotBlank, msgspec.Meta(max_length=TITLE_LENGTH)]
    kind: Literal["manual"] = "manual"
    details: AnyObject = msgspec.field(default_factory=dict)
    task_id: int | None = None
    session_id: int | None = None
    expires_at: DateTime | None = None
    ttl_seconds: Seconds | None = None
    requested_by: Name = "api"


class NewRule(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Something that shall need no approval any more, out of what an approval offers.

    Attributes:
        words: of a command, as they are in `details.alwaysAllow`: all of them, or the first ones.
        is_exact: whether the command has these words and no more.
        host: that may be reached, in place of a command.
    """

    words: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MOST_WORDS)] = ()
    is_exact: bool = True
    host: Name | None = None


class Resolution(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A person's decision. `scope` and `answers` matter to what Codex asked.

    Attributes:
        rule: what is allowed from now on in the repository, beside what is approved.
        proof: a passkey's, of this decision's challenge.
    """

    status: Literal["approved", "rejected"]
    resolved_by: Name = "api"
    resolution_note: Note | None = None
    scope: Literal["once", "session"] = "once"
    answers: AnyObject | None = None
    rule: NewRule | None = None
    proof: PasskeyProof | None = None


class ResolveApproval(msgspec.Struct, Request[Approval], frozen=True):
    """Settle an approval.

    Attributes:
        origin: the page's that brings a passkey's proof.
    """

    approval_id: int
    resolution: Resolution
    origin: str | None = None


def words_of(approval_id: int, resolution: Resolution) -> bytes:
    """Return the decision as a passkey's proof is bound to it: another one has other words."""
    plain = msgspec.structs.replace(resolution, proof=None)
    return msgspec.json.encode(("approval", approval_id, plain), order="sorted")


class RuleRemoval(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A rule that allows nothing any more.

    Attributes:
        rule: as it was; None for one that was damaged.
    """

    rule_id: int
    rule: Rule | None


class RemoveRule(msgspec.Struct, Request[RuleRemoval], frozen=True):
    """Have what a rule allowed asked about again."""

    rule_id: int
    requested_by: str
    condition: Condition = always


class DeadlinesPassed(msgspec.Struct, Request[None], frozen=True):
    """Look for approvals that are overdue, or soon will be."""
