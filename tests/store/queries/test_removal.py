"""The removal of a repository."""

from __future__ import annotations

from typing import Any

from command_center.store import (
    Table,
    Transaction,
    Writer,
    approvals,
    automation_runs,
    automations,
    comments,
    discarded,
    followups,
    items,
    pull_requests,
    pushes,
    repositories,
    sessions,
    snapshots,
    tasks,
    viewed_files,
)
from command_center.store.queries.removal import Removed, remove_repository
from tests.store.units import add_repository, add_session, add_task, run

TABLES: tuple[Table[Any], ...] = (
    repositories,
    tasks,
    sessions,
    items,
    approvals,
    followups,
    comments,
    viewed_files,
    discarded,
    snapshots,
    pushes,
    pull_requests,
    automations,
    automation_runs,
)


def fill(tx: Transaction, path: str) -> int:
    """Add one record of each kind for a new repository."""
    repository = add_repository(tx, local_path=path).id
    task = add_task(tx, repository_id=repository).id
    session = add_session(tx, repository_id=repository, task_id=task).id
    items.insert(
        tx, session_id=session, turn_id="t", item_id="i", type="agentMessage", status="completed"
    )
    approvals.insert(tx, title="t", session_id=session, requested_by="codex")
    followups.insert(tx, task_id=task, session_id=session, message="m", requested_by="web")
    comments.insert(
        tx,
        task_id=task,
        session_id=session,
        path="a.py",
        side="after",
        line=1,
        end_line=1,
        text="t",
        quote="q",
        requested_by="web",
    )
    discarded.insert(
        tx,
        repository_id=repository,
        session_id=session,
        head_sha="a",
        sha="b",
        files=1,
        requested_by="web",
        expires_at=tx.now,
    )
    snapshots.insert(
        tx,
        repository_id=repository,
        session_id=session,
        path="/w",
        moment="turn",
        head_sha="a",
        sha="b",
        files=1,
    )
    pushes.insert(
        tx,
        repository_id=repository,
        session_id=session,
        remote="origin",
        address="https://example.org/a",
        branch_name="a",
        sha="a",
        commits=1,
        requested_by="web",
    )
    pull_requests.insert(
        tx,
        repository_id=repository,
        task_id=task,
        session_id=session,
        host="example.org",
        project="a/b",
        branch_name="a",
        base="main",
        title="t",
        head_sha="a",
        requested_by="web",
    )
    viewed_files.insert(tx, task_id=task, path="a.py", content="1")
    automation = automations.insert(
        tx,
        repository_id=repository,
        title="t",
        schedule_expr="@daily",
        payload={},
        requested_by="web",
        last_session_id=session,
    ).id
    automation_runs.insert(
        tx, automation_id=automation, trigger="manual", outcome="started", fired_at=tx.now
    )
    return repository


def test_a_repository_goes_with_all_that_refers_to_it_and_no_others(writer: Writer) -> None:
    gone = run(writer, lambda tx: fill(tx, "/srv/a"))
    kept = run(writer, lambda tx: fill(tx, "/srv/b"))
    removed = run(writer, lambda tx: remove_repository(tx, gone))
    assert Removed(tasks=1, sessions=1, approvals=1, automations=1) == removed

    left = run(writer, lambda tx: {table.name: table.count(tx.db, {}) for table in TABLES})
    # add_session makes a task of its own, in a repository of its own, before what it is given.
    own = {"repositories": 2, "tasks": 2}
    assert {table.name: 1 + own.get(table.name, 0) for table in TABLES} == left
    assert [kept] == [
        row.repository_id for row in run(writer, lambda tx: sessions.every(tx.db, {}))
    ]
