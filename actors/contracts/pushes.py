"""The messages by which what a session did is pushed, and their answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from command_center.actors.contracts.pull_requests import PullRequestRequest
from command_center.actors.rules.lengths import BranchName, Name, Revision
from command_center.runtime import Request
from command_center.store import Push


class PushRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The branch of a session that is pushed, and where to.

    Attributes:
        remote: the one that the branch follows, or `origin`, or the only one, unless named.
        branch: the remote's; it is called as the session's own, unless named.
        force: `with-lease` replaces the remote's branch, if it is still where it was when it was
            fetched or pushed last.
        head_sha: the commit that the branch must be at still.
        pull_request: one that is opened as soon as it is pushed.
    """

    remote: Name | None = None
    branch: BranchName | None = None
    force: Literal["with-lease"] | None = None
    head_sha: Revision | None = None
    pull_request: PullRequestRequest | None = None
    requested_by: Name = "api"


class PushWork(msgspec.Struct, Request[Push], frozen=True):
    """Push what is committed on a session's branch, or ask a person whether it may be."""

    session_id: int
    wanted: PushRequest


class CarryOutPushes(msgspec.Struct, frozen=True):
    """Carry out the pushes that were let through and are not done."""
