"""The messages by which what a session did is seen and committed, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from command_center.actors.git.changes import Against, ChangedFile
from command_center.actors.git.committing import PATHS_LIMIT, Author, CommitMessage, Committed
from command_center.actors.git.conflicts import MarkedConflicts
from command_center.actors.git.patches import CONTEXT, PageCursor, Patch
from command_center.actors.git.pictures import Picture, PictureSide
from command_center.actors.rules.lengths import BranchName, Name, PathText, Revision
from command_center.runtime import Request
from command_center.store import DiscardedWork, Followup, Session


class Changes(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The changes of a session, file by file; a page of them.

    Attributes:
        source: who says so. Git compares a worktree that the session has to itself. Of a session in
            the main checkout, and of one whose worktree is gone, its agent told of what it changed.
        problem: why it is not git; null where it is, and of the main checkout.
        path: the folder.
        head_sha: the last commit of its branch.
        base_ref: the branch that it came from.
        base_sha: what the changes are counted from.
        against: `commit` for what is not committed alone, and `viewed` for what nobody has viewed.
        commits: those that the base lacks.
        total: files in all.
        uncommitted: files that are not committed as they are.
        additions: lines in all files.
        deletions: the same.
        is_cut: there are more files than are listed.
        items: the files, by path.
    """

    source: Literal["git", "agent"]
    problem: str | None = None
    path: str
    branch_name: str | None
    head_sha: str | None = None
    base_ref: str | None = None
    base_sha: str | None = None
    against: Against
    commits: int | None = None
    total: int
    uncommitted: int
    additions: int
    deletions: int
    is_cut: bool = False
    items: list[ChangedFile]
    next_cursor: str | None = None


class SeeChanges(msgspec.Struct, Request[Changes], frozen=True):
    """List what a session has changed, all files."""

    session_id: int
    against: Against = "base"


class SeePatch(msgspec.Struct, Request[Patch], frozen=True):
    """Show what a session has changed in one file, a page of it."""

    session_id: int
    path: str
    previous_path: str | None = None
    against: Against = "base"
    context: int = CONTEXT
    ignores_space: bool = False
    cursor: PageCursor | None = None


class SeePicture(msgspec.Struct, Request[Picture], frozen=True):
    """Show a picture that a session has changed, before that or after it."""

    session_id: int
    path: str
    side: PictureSide


class ViewedFiles(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Files that somebody has looked at, or not as `isViewed` says."""

    paths: Annotated[list[PathText], msgspec.Meta(min_length=1, max_length=PATHS_LIMIT)]
    is_viewed: bool = True
    requested_by: Name = "api"


class MarkViewed(msgspec.Struct, Request[ViewedFiles], frozen=True):
    """Keep that files of a session were looked at, as they are now."""

    session_id: int
    wanted: ViewedFiles


class CommitRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The part of a session's work that is committed, and how.

    Attributes:
        message: what `GET …/commit-message` proposes, unless given.
        paths: files and folders whose changes are taken; all of them, if left out. A session that
            worked in the main checkout has to name them.
        author: the user whom git knows, unless given.
        head_sha: the commit that the branch must be at still.
    """

    message: CommitMessage | None = None
    paths: Annotated[list[PathText], msgspec.Meta(max_length=PATHS_LIMIT)] = []
    author: Author | None = None
    head_sha: Revision | None = None
    requested_by: Name = "api"


class CommitWork(msgspec.Struct, Request[Committed], frozen=True):
    """Commit what an ended session left in its folder, on the branch that is checked out there."""

    session_id: int
    wanted: CommitRequest


class ProposedMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message for a commit: from the turn as it is known, or written by Codex when asked."""

    message: str
    by: Literal["turn", "codex"]


class MessageRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The files that a message is about: all that are not committed, if left out."""

    paths: Annotated[list[PathText], msgspec.Meta(max_length=PATHS_LIMIT)] = []
    requested_by: Name = "api"


class AskForMessage(msgspec.Struct, Request[ProposedMessage], frozen=True):
    """Ask Codex for the message of a commit; nothing is committed."""

    session_id: int
    wanted: MessageRequest


class ConflictsRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The branch whose merge conflicts: that of the main checkout, unless named.

    Attributes:
        head_sha: the commit that the session's branch must be at still.
    """

    base: BranchName | None = None
    head_sha: Revision | None = None
    requested_by: Name = "api"


class MarkConflicts(msgspec.Struct, Request[MarkedConflicts], frozen=True):
    """Merge a base into the branch of an ended session, and mark what conflicts in the files."""

    session_id: int
    wanted: ConflictsRequest


class Resolving(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Conflicts that Codex is asked to resolve, and the session that does, or will after a turn."""

    merge: MarkedConflicts
    followup: Followup | None
    session: Session


class ResolveConflicts(msgspec.Struct, Request[Resolving], frozen=True):
    """Have Codex resolve in the session's thread what conflicts with a base."""

    session_id: int
    wanted: ConflictsRequest


class DiscardRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The work of a session that is discarded: all that is not committed.

    Attributes:
        head_sha: the commit that the branch must be at still.
    """

    head_sha: Revision | None = None
    requested_by: Name = "api"


class DiscardWork(msgspec.Struct, Request[DiscardedWork], frozen=True):
    """Take a worktree back to its last commit, and keep what was there for 30 days."""

    session_id: int
    wanted: DiscardRequest


class RestoreRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The branch that discarded work comes back on: `cc/restored-<id>`, unless named."""

    branch_name: BranchName | None = None
    requested_by: Name = "api"


class Restored(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A branch that has the work again, after the commit that it came after."""

    branch_name: str
    sha: str


class RestoreWork(msgspec.Struct, Request[Restored], frozen=True):
    """Make a branch of work that was discarded."""

    discarded_id: int
    wanted: RestoreRequest
