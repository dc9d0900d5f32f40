"""Repositories, as they are stored and shown."""

from typing import Any

import msgspec

from command_center.store.records.record import Record
from command_center.store.records.words import (
    LOCAL,
    CodexConfig,
    MergeWhen,
    NewsAnswer,
    Reviewer,
    Workplace,
)
from command_center.store.timestamps import Timestamp


class Repository(Record, frozen=True, kw_only=True, rename="camel"):
    """A git repository on a host, and what a session in it may do.

    Attributes:
        host: whose disk ``local_path`` is on; ``local`` is this machine.
        codex_config: whether its own files may configure Codex, where a person trusts them.
        reviewer: who decides what Codex asks in it: a person, or a model of Codex.
        workplace: where a run works that changes something and names no place.
        allow_push: whether a push needs no approval, to one of ``push_addresses``.
        push_addresses: the addresses of its remotes when somebody allowed that.
        on_checks_failed: what is done where checks of a pull request fail.
        on_review: what is done where a reviewer wants changes.
        forge_followups: turns that one pull request may lead to in that way.
        merge_when: when a person is asked whether a pull request is merged.
        issue_label: the label by which an open issue becomes a task; None where none does.
        issue_approval: whether a task that is made of an issue needs a person's approval.
        sign_commits: whether commits that are made here are signed, with the user's own key.
        mcp_servers_off: the agent's MCP servers that its runs do without.
        allow_terminal: whether people may have a terminal where its sessions work.
        keep_events: the age or the size beyond which its events are removed, such as ``90d``,
            ``2GB`` or ``90d,2GB``.
        keep_transcripts: the same of its transcripts, or ``all``; None for what the server's
            setting says.
        project: a word that says of which project it is, where its remote's address does not.
        identity: that word, or else that address; on several hosts the same repository has the
            same. None where nothing tells.
        run_defaults: choices about the model, for runs that say nothing else.
        caps: of what its runs may use in a day.
        facts: what the last scan saw beside the columns: remotes, worktrees, languages, ….
        scanned_at: when that scan was; None before the first.
    """

    name: str
    host: str = LOCAL
    local_path: str
    allow_write: bool = False
    allow_network: bool = False
    allow_commit: bool = False
    require_worktree: bool = False
    default_branch: str | None = None
    current_branch: str | None = None
    head_sha: str | None = None
    is_dirty: bool | None = None
    ahead: int | None = None
    behind: int | None = None
    facts: dict[str, Any] = msgspec.field(default_factory=dict)
    scanned_at: Timestamp | None = None
    codex_config: CodexConfig = "ignore"
    reviewer: Reviewer = "user"
    workplace: Workplace = "main_checkout"
    allow_push: bool = False
    push_addresses: list[str] = msgspec.field(default_factory=list)
    on_checks_failed: NewsAnswer = "tell"
    on_review: NewsAnswer = "tell"
    forge_followups: int = 3
    issue_label: str | None = None
    issue_approval: bool = True
    merge_when: MergeWhen = "asked"
    sign_commits: bool = False
    run_defaults: dict[str, Any] = msgspec.field(default_factory=dict)
    caps: dict[str, Any] = msgspec.field(default_factory=dict)
    mcp_servers_off: list[str] = msgspec.field(default_factory=list)
    allow_terminal: bool = False
    keep_events: str | None = None
    keep_transcripts: str | None = None
    project: str | None = None
    identity: str | None = None
