"""Events of repositories and their worktrees."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType

from command_center.actors.contracts.repositories import RepositoryDeleted
from command_center.actors.git.committing import Committed
from command_center.actors.git.conflicts import MarkedConflicts
from command_center.actors.git.merging import MergeResult
from command_center.store import EventData
from command_center.store.records import CodexConfig, MergeWhen, NewsAnswer, Reviewer, Workplace


class RepositoryRegistered(EventData, frozen=True, kw_only=True, tag="repo.created"):
    """A repository was registered."""

    name: str
    host: str | UnsetType = UNSET
    local_path: str
    allow_write: bool
    allow_network: bool
    allow_commit: bool
    require_worktree: bool
    workplace: Workplace | UnsetType = UNSET
    codex_config: CodexConfig | UnsetType = UNSET
    reviewer: Reviewer | UnsetType = UNSET
    allow_push: bool | UnsetType = UNSET
    sign_commits: bool | UnsetType = UNSET
    push_addresses: list[str] | UnsetType = UNSET
    on_checks_failed: NewsAnswer | UnsetType = UNSET
    on_review: NewsAnswer | UnsetType = UNSET
    forge_followups: int | UnsetType = UNSET
    merge_when: MergeWhen | UnsetType = UNSET
    issue_label: str | UnsetType | None = UNSET
    issue_approval: bool | UnsetType = UNSET
    mcp_servers_off: list[str] | UnsetType = UNSET
    allow_terminal: bool | UnsetType = UNSET
    keep_events: str | UnsetType | None = UNSET
    keep_transcripts: str | UnsetType | None = UNSET
    project: str | UnsetType | None = UNSET
    identity: str | UnsetType | None = UNSET


class RepositoryUpdated(EventData, frozen=True, kw_only=True, tag="repo.updated"):
    """Its name, place or permissions were changed; `changes` has both states of each field."""

    changes: dict[str, dict[str, Any]]


class RepositoryScanned(EventData, frozen=True, kw_only=True, tag="repo.scanned"):
    """Git was asked again for its state."""

    current_branch: str | None
    head_sha: str | None
    is_dirty: bool | None
    ahead: int | None
    behind: int | None


class RepositoryForgotten(EventData, frozen=True, kw_only=True, tag="repo.deleted"):
    """It was forgotten, with its tasks and sessions; the folder stays as it is.

    `history_removed` says that its events go, too.
    """

    name: str
    local_path: str
    with_: RepositoryDeleted
    history_removed: bool | UnsetType = UNSET


class SetupTrusted(EventData, frozen=True, kw_only=True, tag="repo.setup.trusted"):
    """A person agreed to the set-up of worktrees, with the content that it has.

    `digest` names the content, and `files` are its files.
    """

    digest: str
    files: list[str]


class ConfigurationTrusted(EventData, frozen=True, kw_only=True, tag="repo.codex_config.trusted"):
    """A person trusted the repository's own configuration of Codex, with the content it has.

    `digest` names the content, and `files` are its files.
    """

    digest: str
    files: list[str]


class WorktreeAdded(EventData, frozen=True, kw_only=True, tag="worktree.created"):
    """A worktree was made, by a person or for a run, or again where another client needs it.

    `included` names the ignored files that it got by `.worktreeinclude`, the first 100 of
    `includedCount`.
    """

    path: str
    branch_name: str | None
    head_sha: str | None
    included: list[str] | UnsetType = UNSET
    included_count: int | UnsetType = UNSET
    force: bool | UnsetType = UNSET


class WorktreeRemoved(EventData, frozen=True, kw_only=True, tag="worktree.removed"):
    """A worktree was removed; `force` says that it was removed with its changes."""

    path: str
    branch_name: str | None
    head_sha: str | None
    force: bool


class WorktreePruned(EventData, frozen=True, kw_only=True, tag="worktree.pruned"):
    """Git forgot a worktree whose folder is gone."""

    path: str
    branch_name: str | None
    head_sha: str | None
    force: bool


class FilesViewed(EventData, frozen=True, kw_only=True, tag="session.changes.viewed"):
    """Somebody looked at changed files, or says with `isViewed` that nobody has."""

    paths: list[str]
    is_viewed: bool


class WorkCommitted(EventData, frozen=True, kw_only=True, tag="session.committed"):
    """Work that a session left was committed; `commit` says where and how much."""

    commit: Committed


class CommitMessageAsked(EventData, frozen=True, kw_only=True, tag="session.message.asked"):
    """Codex was asked for the message of a commit, and wrote one; `tokens` are what that took."""

    message: str
    tokens: int | None


class ConflictsMarked(EventData, frozen=True, kw_only=True, tag="session.conflicts.marked"):
    """A base was merged into the branch of a session; its conflicts are marked in the files."""

    merge: MarkedConflicts


class WorkDiscarded(EventData, frozen=True, kw_only=True, tag="session.discarded"):
    """Work that was not committed was taken away; it is kept as the commit `sha`."""

    discarded_id: int
    branch_name: str | None
    head_sha: str
    sha: str
    files: int


class WorkRestored(EventData, frozen=True, kw_only=True, tag="session.restored"):
    """Work that was discarded is on a branch again."""

    discarded_id: int
    branch_name: str
    sha: str


class SnapshotFailed(EventData, frozen=True, kw_only=True, tag="session.snapshot.failed"):
    """The files of a session's worktree were not kept; `problem` says why, and what to do.

    `turnId` is the turn that has ended; null before anybody worked there.
    """

    turn_id: str | None
    path: str
    problem: str


class WorkRewound(EventData, frozen=True, kw_only=True, tag="session.rewound"):
    """The files of a session's worktree were put back; `beforeId` is the snapshot that undoes it.

    `files` are those that are other than the commit `headSha` has them now.
    """

    snapshot_id: int
    before_id: int
    turn_id: str | None
    path: str
    branch_name: str | None
    head_sha: str
    sha: str
    files: int


class PushRequested(EventData, frozen=True, kw_only=True, tag="session.push.requested"):
    """Somebody wants commits pushed; `approvalId` says which approval that waits for."""

    push_id: int
    remote: str
    address: str
    branch_name: str
    sha: str
    remote_sha: str | None
    lease: str | None
    commits: int
    approval_id: int | None


class WorkPushed(EventData, frozen=True, kw_only=True, tag="session.pushed"):
    """Commits are on a branch of a remote."""

    push_id: int
    remote: str
    address: str
    branch_name: str
    sha: str
    commits: int


class PushFailed(EventData, frozen=True, kw_only=True, tag="session.push.failed"):
    """Commits were not pushed; `problem` says why, and what to do."""

    push_id: int
    remote: str
    branch_name: str
    sha: str
    problem: str


class WorktreeMerged(EventData, frozen=True, kw_only=True, tag="worktree.merged"):
    """A worktree's branch was merged."""

    path: str
    merge: MergeResult
