"""The messages by which the files of a session's worktree are kept and put back."""

from __future__ import annotations

import msgspec

from command_center.actors.rules.lengths import Name, Revision
from command_center.runtime import Request
from command_center.store import Page, Snapshot


class KeepSnapshot(msgspec.Struct, frozen=True):
    """Keep the files of a session's worktree as they are at the end of its turn."""

    repository_id: int
    session_id: int
    turn_id: str | None


class ListSnapshots(msgspec.Struct, Request[Page[Snapshot]], frozen=True):
    """List what the files of a session's worktree were, the newest first."""

    session_id: int
    limit: int
    cursor: str | None = None


class RewindRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The state that the files of a worktree are put back to.

    If neither a turn nor a snapshot is named, it is what they were before they were put back last.

    Attributes:
        turn_id: the turn after which they were so.
        snapshot_id: the snapshot of it.
        head_sha: the commit that the branch must be at still.
    """

    turn_id: Name | None = None
    snapshot_id: int | None = None
    head_sha: Revision | None = None
    requested_by: Name = "api"


class Rewound(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Files that were put back.

    Attributes:
        snapshot: what they are now.
        before: what they were before; to undo it, they are put back to that.
    """

    snapshot: Snapshot
    before: Snapshot


class RewindWork(msgspec.Struct, Request[Rewound], frozen=True):
    """Put the files of a session's worktree back to a state that was kept."""

    session_id: int
    wanted: RewindRequest
