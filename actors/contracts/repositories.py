"""The messages about repositories, and their answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec

from command_center.actors.git.facts import Commit, Remote, WorktreeEntry
from command_center.actors.rules.caps import Caps
from command_center.actors.rules.choices import Choices
from command_center.actors.rules.keeping import Bound, BoundOrAll
from command_center.actors.rules.lengths import Name, PathText
from command_center.actors.rules.own_mcp_server import OWN_MCP_SERVER
from command_center.actors.rules.preconditions import Condition, always
from command_center.runtime import Request
from command_center.store import Repository
from command_center.store.records import (
    LOCAL,
    CodexConfig,
    MergeWhen,
    NewsAnswer,
    Reviewer,
    Workplace,
)

Label: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f,]+$(?!\n)",
        description="a label on one line, without a comma",
    ),
]
ServerName: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=100,
        pattern=r"^[A-Za-z0-9_-]+$(?!\n)",
        description="the name of an MCP server, of letters, digits and _-",
    ),
]
ServerNames: TypeAlias = Annotated[list[ServerName], msgspec.Meta(max_length=100)]
Project: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$(?!\n)",
        description="a word of letters, digits and ._-, such as payments",
    ),
]
Followups: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=100)]
Depth: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
RemoteText: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=2048,
        pattern=r"^[!-~]+$(?!\n)",
        description="an address of https or ssh, without a password",
        examples=["https://github.com/acme/work.git"],
    ),
]


class Inspection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A folder, as git sees it. Nothing is saved."""

    is_git_repository: bool
    name: str
    host: str = LOCAL
    local_path: str
    default_branch: str | None = None
    current_branch: str | None = None
    head_sha: str | None = None
    is_dirty: bool | None = None
    ahead: int | None = None
    behind: int | None = None
    remotes: list[Remote] = []
    worktrees: list[WorktreeEntry] = []
    warnings: list[str] = []


class InspectRepository(
    msgspec.Struct,
    Request[Inspection],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Look at a folder; a folder that is not a git repository is an answer, not an error."""

    local_path: PathText
    host: Name = LOCAL


class CreateRepository(
    msgspec.Struct,
    Request[Repository],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Register a git repository. What is left out is not allowed; the name is the folder's.

    Runs that change something work in worktrees of their own, unless `workplace` or the run says
    otherwise.
    """

    local_path: PathText
    host: Name = LOCAL
    name: Name | None = None
    allow_write: bool = False
    allow_network: bool = False
    allow_commit: bool = False
    require_worktree: bool = False
    workplace: Workplace = "worktree"
    codex_config: CodexConfig = "ignore"
    reviewer: Reviewer = "user"
    allow_push: bool = False
    sign_commits: bool = False
    on_checks_failed: NewsAnswer = "tell"
    on_review: NewsAnswer = "tell"
    forge_followups: Followups = 3
    merge_when: MergeWhen = "asked"
    issue_label: Label | None = None
    issue_approval: bool = True
    mcp_servers_off: ServerNames = msgspec.field(default_factory=lambda: [OWN_MCP_SERVER])
    allow_terminal: bool = False
    keep_events: Bound | None = None
    keep_transcripts: BoundOrAll | None = None
    project: Project | None = None
    run_defaults: Choices = Choices()
    caps: Caps = Caps()
    requested_by: Name = "api"


class CloneRepository(
    msgspec.Struct,
    Request[Repository],
    frozen=True,
    kw_only=True,
    rename="camel",
    forbid_unknown_fields=True,
):
    """Have a pool host clone a remote, and register that. What is left out is not allowed.

    Attributes:
        remote: its address.
        host: the pool host.
        depth: commits of the default branch; all of all branches without it.
        name: that of the remote unless said.
    """

    remote: RemoteText
    host: Annotated[Name, msgspec.Meta(examples=["local"])]
    depth: Depth | None = None
    name: Name | None = None
    allow_write: bool = False
    allow_network: bool = False
    allow_commit: bool = False
    requested_by: Name = "api"

    def registration(self, path: Path) -> CreateRepository:
        """Return the registration of the clone: runs work in worktrees, and nowhere else."""
        last = self.remote.rstrip("/").rpartition("/")[2].rpartition(":")[2]
        return CreateRepository(
            local_path=str(path),
            host=self.host,
            name=self.name or last.removesuffix(".git")[:200] or None,
            allow_write=self.allow_write,
            allow_network=self.allow_network,
            allow_commit=self.allow_commit,
            require_worktree=True,
            requested_by=self.requested_by,
        )


class ProvideClone(msgspec.Struct, Request[Repository], frozen=True):
    """Have the least busy pool host that may clone the remote of a repository do so.

    The clone is registered, with what runs in the repository may do. Raises `Conflict` with the
    reason of each host where none can.
    """

    repository_id: int


class RepositoryChanges(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Changes to a repository; what is left out stays.

    A new `localPath` is checked like a first one, and refused while a session is active.
    `allowPush` is about the remotes as they are when it is set; set it again where they change.
    """

    name: Name | msgspec.UnsetType = msgspec.UNSET
    local_path: PathText | msgspec.UnsetType = msgspec.UNSET
    allow_write: bool | msgspec.UnsetType = msgspec.UNSET
    allow_network: bool | msgspec.UnsetType = msgspec.UNSET
    allow_commit: bool | msgspec.UnsetType = msgspec.UNSET
    require_worktree: bool | msgspec.UnsetType = msgspec.UNSET
    workplace: Workplace | msgspec.UnsetType = msgspec.UNSET
    codex_config: CodexConfig | msgspec.UnsetType = msgspec.UNSET
    reviewer: Reviewer | msgspec.UnsetType = msgspec.UNSET
    allow_push: bool | msgspec.UnsetType = msgspec.UNSET
    sign_commits: bool | msgspec.UnsetType = msgspec.UNSET
    on_checks_failed: NewsAnswer | msgspec.UnsetType = msgspec.UNSET
    on_review: NewsAnswer | msgspec.UnsetType = msgspec.UNSET
    forge_followups: Followups | msgspec.UnsetType = msgspec.UNSET
    merge_when: MergeWhen | msgspec.UnsetType = msgspec.UNSET
    issue_label: Label | msgspec.UnsetType | None = msgspec.UNSET
    issue_approval: bool | msgspec.UnsetType = msgspec.UNSET
    mcp_servers_off: ServerNames | msgspec.UnsetType = msgspec.UNSET
    allow_terminal: bool | msgspec.UnsetType = msgspec.UNSET
    keep_events: Bound | msgspec.UnsetType | None = msgspec.UNSET
    keep_transcripts: BoundOrAll | msgspec.UnsetType | None = msgspec.UNSET
    project: Project | msgspec.UnsetType | None = msgspec.UNSET
    run_defaults: Choices | msgspec.UnsetType = msgspec.UNSET
    caps: Caps | msgspec.UnsetType = msgspec.UNSET
    requested_by: Name = "api"


class PatchRepository(msgspec.Struct, Request[Repository], frozen=True):
    """Change a repository. Sessions meet the new policy at their next step to an active state."""

    repository_id: int
    changes: RepositoryChanges
    condition: Condition = always


class ScanRepository(msgspec.Struct, Request[Repository], frozen=True):
    """Look at the repository anew, thoroughly, and keep what was seen."""

    repository_id: int
    requested_by: Name = "api"


class RepositoryDeleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The things forgotten with a repository, counted. Nothing on the disk is touched."""

    id: int
    tasks: int
    sessions: int
    approvals: int
    automations: int


class DeleteRepository(msgspec.Struct, Request[RepositoryDeleted], frozen=True):
    """Forget a repository and all that was done in it; see `RepositoryDeleted`.

    With its history, its events go, too.
    """

    repository_id: int
    requested_by: Name = "api"
    condition: Condition = always
    with_history: bool = False


class WorkplaceFacts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Facts that git gives of a session's folder; the languages by how many files."""

    path: str
    branch: str | None
    default_branch: str | None
    head_sha: str | None
    is_dirty: bool
    ahead: int | None
    behind: int | None
    files: int
    languages: list[str]
    commits: list[Commit]
    warnings: list[str]


class GatherFacts(msgspec.Struct, Request[WorkplaceFacts], frozen=True):
    """Say what the folder of a session is like. Nothing is saved."""

    session_id: int
