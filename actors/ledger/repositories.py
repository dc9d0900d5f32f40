"""Everything that is written of a repository: each function is one unit of a transaction.

A unit changes the rows and emits the event that tells of it, both or neither. It checks the state
that it meets in the transaction, never a copy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from sqlite_utils import Database

from command_center.actors.contracts.events.repositories import (
    RepositoryForgotten,
    RepositoryRegistered,
    RepositoryScanned,
    RepositoryUpdated,
)
from command_center.actors.contracts.repositories import (
    CreateRepository,
    Inspection,
    RepositoryDeleted,
)
from command_center.actors.ledger.rules import forget_rules
from command_center.actors.rules.caps import stored_caps
from command_center.actors.rules.choices import stored
from command_center.actors.rules.errors import Conflict
from command_center.actors.rules.placement import identity_of
from command_center.store import (
    Repository,
    Transaction,
    automations,
    events,
    leases,
    released_threads,
    sessions,
    trusted_configurations,
)
from command_center.store import repositories as repository_table
from command_center.store.queries import stored_threads
from command_center.store.queries.event_removal import forget_history
from command_center.store.queries.removal import remove_repository


def create_repository(
    tx: Transaction,
    message: CreateRepository,
    seen: Inspection,
    git_dir: Path,
    worktrees: Path,
    *,
    addresses: Sequence[str],
) -> Repository:
    """Add the repository and tell of it; `addresses` are those that it may be pushed to."""
    columns = columns_of(seen, git_dir, worktrees)
    repository = repository_table.insert(
        tx,
        name=message.name or seen.name or os.fspath(git_dir),
        host=seen.host,
        allow_write=message.allow_write,
        allow_network=message.allow_network,
        allow_commit=message.allow_commit,
        require_worktree=message.require_worktree,
        workplace=message.workplace,
        codex_config=message.codex_config,
        reviewer=message.reviewer,
        allow_push=message.allow_push,
        sign_commits=message.sign_commits,
        push_addresses=list(addresses),
        on_checks_failed=message.on_checks_failed,
        on_review=message.on_review,
        forge_followups=message.forge_followups,
        merge_when=message.merge_when,
        issue_label=message.issue_label,
        issue_approval=message.issue_approval,
        mcp_servers_off=message.mcp_servers_off,
        allow_terminal=message.allow_terminal,
        keep_events=message.keep_events,
        keep_transcripts=message.keep_transcripts,
        run_defaults=stored(message.run_defaults),
        caps=stored_caps(message.caps),
        project=message.project,
        identity=identity_of(message.project, columns["facts"]["remotes"]),
        **columns,
    )
    tx.emit(
        registered(repository),
        actor=message.requested_by,
        repository_id=repository.id,
    )
    return repository


def registered(repository: Repository) -> RepositoryRegistered:
    """Make the event that tells of a repository that is there now."""
    return RepositoryRegistered(
        name=repository.name,
        host=repository.host,
        local_path=repository.local_path,
        allow_write=repository.allow_write,
        allow_network=repository.allow_network,
        allow_commit=repository.allow_commit,
        require_worktree=repository.require_worktree,
        workplace=repository.workplace,
        codex_config=repository.codex_config,
        reviewer=repository.reviewer,
        allow_push=repository.allow_push,
        sign_commits=repository.sign_commits,
        push_addresses=repository.push_addresses,
        on_checks_failed=repository.on_checks_failed,
        on_review=repository.on_review,
        forge_followups=repository.forge_followups,
        merge_when=repository.merge_when,
        issue_label=repository.issue_label,
        issue_approval=repository.issue_approval,
        mcp_servers_off=repository.mcp_servers_off,
        allow_terminal=repository.allow_terminal,
        keep_events=repository.keep_events,
        keep_transcripts=repository.keep_transcripts,
        project=repository.project,
        identity=repository.identity,
    )


def patch_repository(
    tx: Transaction, repository_id: int, fields: Mapping[str, Any], actor: str
) -> Repository:
    """Change what differs, and tell of it if anything does.

    Raises:
        Conflict: the path is to change while a session is active.
    """
    before = repository_table.get(tx.db, repository_id)
    fields = {**fields, "identity": _identity(before, fields)}
    changed = {name: value for name, value in fields.items() if getattr(before, name) != value}
    if not changed:
        return before
    if "local_path" in changed:
        check_idle(tx.db, before, "moved")
    if "local_path" in changed:
        trusted_configurations.forget(tx, repository_id)
        forget_rules(tx, repository_id, actor)
    elif changed.get("codex_config") == "ignore":
        trusted_configurations.forget_codex(tx, repository_id)
    after = repository_table.update(tx, repository_id, **changed)
    names = {field.name: field.encode_name for field in msgspec.structs.fields(Repository)}
    tx.emit(
        RepositoryUpdated(
            changes={
                names[name]: {"from": getattr(before, name), "to": getattr(after, name)}
                for name in changed
                if name != "facts"
            }
        ),
        actor=actor,
        repository_id=repository_id,
    )
    return after


def keep_scan(
    tx: Transaction, repository_id: int, columns: Mapping[str, Any], actor: str
) -> Repository:
    """Keep what a scan saw, and tell of it."""
    before = repository_table.get(tx.db, repository_id)
    repository = repository_table.update(
        tx, repository_id, scanned_at=tx.now, identity=_identity(before, columns), **columns
    )
    tx.emit(
        RepositoryScanned(
            current_branch=repository.current_branch,
            head_sha=repository.head_sha,
            is_dirty=repository.is_dirty,
            ahead=repository.ahead,
            behind=repository.behind,
        ),
        actor=actor,
        repository_id=repository_id,
    )
    return repository


def delete_repository(
    tx: Transaction, repository_id: int, actor: str, *, with_history: bool = False
) -> RepositoryDeleted:
    """Forget a repository with its tasks, sessions, transcripts, approvals and automations.

    With its history, its events are removed from now on, step by step.

    Raises:
        Conflict: a session is active, or is to go on elsewhere, or an automation is enabled, which
            would start one.
    """
    repository = repository_table.get(tx.db, repository_id)
    check_idle(tx.db, repository, "deleted")
    enabled = automations.count(tx.db, {"repository_id": repository_id, "enabled": True})
    if enabled:
        raise Conflict(
            f"Repository {repository_id} has {enabled} enabled automation(s); disable them first.",
            automations=enabled,
        )
    left = leases.of_repository(tx.db, repository_id)
    if left:
        from command_center.actors.ledger.leases import settle_left  # noqa: PLC0415 - a server without other hosts starts as before

        settle_left(tx, left)
    released_threads.note(tx, repository_id)
    stored_threads.note_forgotten(tx, repository_id)
    gone = remove_repository(tx, repository_id)
    if with_history:
        forget_history(tx.db, repository_id, events.last_id(tx.db))
    deleted = RepositoryDeleted(
        id=repository_id,
        tasks=gone.tasks,
        sessions=gone.sessions,
        approvals=gone.approvals,
        automations=gone.automations,
    )
    tx.emit(
        RepositoryForgotten(
            name=repository.name,
            local_path=repository.local_path,
            with_=deleted,
            history_removed=with_history,
        ),
        actor=actor,
        repository_id=repository_id,
    )
    return deleted


def check_idle(db: Database, repository: Repository, what: str) -> None:
    """Refuse while a session of the repository is active.

    Raises:
        Conflict: one is; they are named.
    """
    active = sessions.every(db, {"repository_id": repository.id, "finished_at": None})
    if active:
        raise Conflict(
            f"Repository {repository.id} has {len(active)} session(s) that have not ended, "
            f"so it cannot be {what}.",
            sessionIds=[session.id for session in active],
        )


def note_identities(tx: Transaction, repository_ids: Sequence[int]) -> None:
    """Keep what these are known to be copies of, without a word of it."""
    for repository_id in repository_ids:
        known = repository_table.get(tx.db, repository_id)
        repository_table.update(tx, repository_id, identity=identity_as_kept(known))


def identity_as_kept(repository: Repository) -> str | None:
    """Return what a repository is known to be a copy of, by what is kept of it."""
    return _identity(repository, {})


def _identity(before: Repository, changes: Mapping[str, Any]) -> str | None:
    facts = changes.get("facts", before.facts)
    return identity_of(changes.get("project", before.project), facts.get("remotes", ()))


def note_worktrees(tx: Transaction, folders: Mapping[int, Path]) -> None:
    """Keep where worktrees of the repositories are made, without a word of it."""
    for repository_id, folder in folders.items():
        known = repository_table.get(tx.db, repository_id)
        facts = {**known.facts, "worktreesFolder": str(folder)}
        repository_table.update(tx, repository_id, facts=facts)


def columns_of(seen: Inspection, git_dir: Path, worktrees: Path) -> dict[str, Any]:
    """Return what an inspection found, as the fields of a record."""
    return {
        "local_path": seen.local_path,
        "default_branch": seen.default_branch,
        "current_branch": seen.current_branch,
        "head_sha": seen.head_sha,
        "is_dirty": seen.is_dirty,
        "ahead": seen.ahead,
        "behind": seen.behind,
        "facts": {
            "gitDir": str(git_dir),
            "worktreesFolder": str(worktrees),
            "remotes": msgspec.to_builtins(seen.remotes),
            "worktrees": msgspec.to_builtins(seen.worktrees),
            "warnings": list(seen.warnings),
        },
    }
