"""The messages about worktrees, and their answers.

A body of the API is a struct by itself (`WorktreeRequest`, `MergeRequest`); the message carries it
beside the repository's id, which comes from the path.
"""

from __future__ import annotations

import msgspec

from command_center.actors.contracts.fields import FolderPath
from command_center.actors.git.diffs import PATCH_LIMIT, Diff, Limit
from command_center.actors.git.facts import WorktreeEntry
from command_center.actors.git.merging import MergeResult, Strategy
from command_center.actors.rules.lengths import BranchName, Name, Note, PathText, Revision
from command_center.runtime import Request
from command_center.store import Page, Session
from command_center.store.records import Reviewer


class WorktreeRequest(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The body of `POST /api/repos/:id/worktrees`.

    The branch is made at `baseRef` (else HEAD) where there is none. `path` must not exist yet.
    """

    branch_name: BranchName
    base_ref: Revision | None = None
    path: PathText | None = None
    requested_by: Name = "api"


class WorktreeCreated(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A worktree that is ready to be worked in.

    `included` names the ignored files that it got by `.worktreeinclude`, the first 100 of them;
    `includedCount` counts them all.
    """

    path: str
    branch_name: str
    head_sha: str
    included: list[str] = []
    included_count: int = 0


class CreateWorktree(msgspec.Struct, Request[WorktreeCreated], frozen=True):
    """Make a worktree of a repository."""

    repository_id: int
    wanted: WorktreeRequest


class WorktreeState(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A worktree as it is on disk now.

    Attributes:
        host: whose disk it is on: that of its repository.
        size_bytes: of its files, of which 200,000 are counted at most.
        session_ids: sessions that work in it and have not ended.
        problem: why its state could not be read; None where it was.
    """

    host: str
    path: str
    branch_name: str | None
    head_sha: str | None
    is_main: bool
    is_dirty: bool | None = None
    size_bytes: int | None = None
    session_ids: list[int] = []
    locked_reason: str | None = None
    prunable_reason: str | None = None
    problem: str | None = None


class ListWorktrees(msgspec.Struct, Request[list[WorktreeState]], frozen=True):
    """List the worktrees of a repository, the main checkout first."""

    repository_id: int


class DiffWorktree(msgspec.Struct, Request[Diff], frozen=True):
    """Show what a worktree changed since its branch left `base` (the default branch unless named).

    `path` None is the main checkout. `limit` is in bytes of the patch.
    """

    repository_id: int
    path: str | None = None
    base: str | None = None
    limit: Limit = PATCH_LIMIT


class RemoveWorktree(msgspec.Struct, Request[WorktreeEntry], frozen=True):
    """Delete a worktree with its files; its branch stays. With changes in it, only by `force`."""

    repository_id: int
    path: str
    force: bool = False
    requested_by: Name = "api"


class PruneWorktrees(msgspec.Struct, Request[Page[WorktreeEntry]], frozen=True):
    """Forget the worktrees whose folders are gone; the answer is those."""

    repository_id: int
    requested_by: Name = "api"


class CleanWorktrees(msgspec.Struct, Request[Page[WorktreeEntry]], frozen=True):
    """Delete the worktrees that were made for sessions and that nobody needs; answers those.

    Needed is one with changes, with commits that the default branch lacks, that is locked, or
    whose sessions have not all ended. Worktrees outside of the data folder are left alone.
    """

    repository_id: int
    requested_by: Name = "api"


class TidyWorktrees(msgspec.Struct, frozen=True):
    """Delete the worktrees that were made for runs whose tasks are done; told, not asked.

    As `CleanWorktrees`, but only those that no person asked for, and whose every task is completed
    or cancelled.
    """

    repository_id: int


class MergeOptions(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The way in which a branch of a worktree comes back.

    Attributes:
        into: a local branch that is checked out in no other work tree; the one of the main
            checkout, if left out.
        head_sha: the commit that the worktree's branch must be at still.
    """

    into: BranchName | None = None
    head_sha: Revision | None = None
    strategy: Strategy = "auto"
    message: Note | None = None
    requested_by: Name = "api"


class MergeRequest(MergeOptions, frozen=True, kw_only=True, rename="camel"):
    """The worktree whose branch comes back, and the way."""

    path: FolderPath


class MergeWorktree(msgspec.Struct, Request[MergeResult], frozen=True):
    """Merge a worktree's branch into another; where that is checked out must be clean and idle.

    Attributes:
        session_id: the session whose work it is, where that is what somebody merges.
    """

    repository_id: int
    wanted: MergeRequest
    session_id: int | None = None


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a session's folder when the session ends.

    Attributes:
        writable: the folders that it must be able to write to, beside its own, in order to commit.
            None for a session that may not commit, for one in no sandbox, which needs no leave,
            and where git cannot say.
        projects: the paths by which Codex may look up whether it trusts what lies in its folder.
        obeyed: the folders there that Codex obeys where it trusts them.
        trusted: whether a person has trusted what lies in them.
        stamp: names that, down to when it was touched; None if nothing does or it is not read.
        reviewer: who decides what Codex asks.
        servers_off: the agent's MCP servers that it does without.
    """

    writable: tuple[str, ...]
    projects: tuple[str, ...]
    obeyed: tuple[str, ...]
    trusted: bool
    stamp: str | None
    reviewer: Reviewer
    servers_off: tuple[str, ...] = ()


class SeenConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """The files in a session's folder by which its repository configures Codex.

    Attributes:
        digest: names their content; empty where it could not be read.
        texts: the contents as a person reads them, by the files' paths.
        problem: why they cannot be shown; None where they can be.
    """

    digest: str = ""
    texts: dict[str, str] = {}
    problem: str | None = None


class SeeConfiguration(msgspec.Struct, Request[SeenConfiguration | None], frozen=True):
    """Read the files by which a session's repository configures Codex.

    None where there are none, and where the repository is set to have them ignored.
    """

    session_id: int


class FindBounds(msgspec.Struct, Request[Bounds], frozen=True):
    """Say where a session ends."""

    session_id: int


class WorkFolder(msgspec.Struct, frozen=True):
    """A folder of a repository; with `branch_name`, a worktree that is gone and is made again."""

    path: str
    branch_name: str | None = None


class FindFolder(msgspec.Struct, Request[WorkFolder], frozen=True):
    """Say which folder of a repository a path means: its own, or that of one of its worktrees.

    `cwd` is what a person names, and refused unless it is one of them. Without it, the folder of a
    thread decides, `thread_cwd`, which may lie below one of them. A worktree that sessions have
    worked in counts, too, where it was deleted and can be made again.
    """

    repository_id: int
    cwd: str | None
    thread_cwd: str | None = None


class SessionCheckout(msgspec.Struct, frozen=True, kw_only=True):
    """A session's folder as it is now, links followed, and the checkout around it.

    `is_main` says that this is the main checkout.
    """

    folder: str
    checkout: str
    is_main: bool


class FindCheckout(msgspec.Struct, Request[SessionCheckout], frozen=True):
    """Say in which checkout a session's folder is, as git lists them now."""

    session_id: int


class RemakeWorktree(msgspec.Struct, Request[bool], frozen=True):
    """Make the worktree of an ended session again, if it is gone; answers whether it was.

    It is on its branch, with the ignored files that a person has agreed to. The set-up script runs
    for the next session there.
    """

    session_id: int


class SeenSetup(msgspec.Struct, frozen=True, kw_only=True):
    """The files and the script by which a repository has its worktrees set up.

    Attributes:
        digest: names the patterns and the script.
        texts: both as a person reads them, by the files' paths.
        included: ignored files that are copied, the first 100 of them.
        included_count: how many there are.
    """

    digest: str
    texts: dict[str, str]
    included: list[str] = []
    included_count: int = 0


class SetUpScript(msgspec.Struct, frozen=True):
    """A script that a person has let run in a new worktree, and the checkout that it is of."""

    text: str
    source: str


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its `cwd`, `worktreePath` and `branchName` as they are now.

    With `undecided` its worktree is not made yet: a person has to decide about that first. With
    `script` it is made, and is to be set up.
    """

    session: Session
    undecided: SeenSetup | None = None
    script: SetUpScript | None = None


class PrepareWorkplace(msgspec.Struct, Request[Prepared], frozen=True):
    """See that a session's folder is there and is what it was allowed to be.

    Makes the worktree where one is wanted. Asking again changes nothing.
    """

    session_id: int
