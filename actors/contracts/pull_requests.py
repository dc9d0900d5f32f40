"""The messages about pull requests, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.contracts.fields import NotBlank
from command_center.actors.rules.lengths import BranchName, Name, Revision
from command_center.runtime import Request
from command_center.store import PullRequest

TITLE_LENGTH = 256
"""Characters of a pull request's title."""

BODY_LENGTH = 60_000
"""Characters of what a pull request says."""


class PullRequestRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A pull request of what was pushed of a session.

    Attributes:
        title: that of the session's task, unless given.
        base: the branch that it is to be merged into; the repository's default one, unless given.
        head_sha: the commit that must be the one that was pushed.
    """

    title: Annotated[NotBlank, msgspec.Meta(max_length=TITLE_LENGTH)] | None = None
    body: Annotated[str, msgspec.Meta(max_length=BODY_LENGTH)] = ""
    draft: bool = False
    base: BranchName | None = None
    head_sha: Revision | None = None
    requested_by: Name = "api"


class OpenPullRequest(msgspec.Struct, Request[PullRequest], frozen=True):
    """Open a pull request, or say at which page a person does."""

    session_id: int
    wanted: PullRequestRequest


class ReadPullRequest(msgspec.Struct, Request[PullRequest], frozen=True):
    """Ask the forge about a pull request now."""

    pull_request_id: int


class KeepDelivery(msgspec.Struct, Request[bool], frozen=True):
    """Keep what a forge has delivered; False where it was kept before."""

    delivery_id: str
    event: str
    body: bytes


class MergeOrder(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """A merge of a pull request as it is now, once its checks pass; a person is asked first.

    Attributes:
        head_sha: the commit that the pull request must be at still.
    """

    merge_when: Literal["checks_pass"] = "checks_pass"
    method: Literal["merge", "squash", "rebase"] = "merge"
    head_sha: Revision | None = None
    requested_by: Name = "api"


class MergePullRequest(msgspec.Struct, Request[PullRequest], frozen=True):
    """Ask a person whether a pull request may be merged once its checks pass."""

    pull_request_id: int
    wanted: MergeOrder


class CallOffMerge(msgspec.Struct, Request[PullRequest], frozen=True):
    """Merge a pull request no more by itself, though that was asked or agreed to."""

    pull_request_id: int
    requested_by: Name


class FollowPullRequests(msgspec.Struct, frozen=True):
    """Look at once whether there is something to do."""
