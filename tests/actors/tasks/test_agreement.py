"""`run` does what `policy-check` says, which is checked again when a session goes on."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from command_center.actors.contracts.tasks import RunOutcome
from command_center.actors.ledger.admission import admit
from command_center.actors.ledger.tasks import create_session, run_task
from command_center.actors.rules.policy import PolicyDenied, PolicyResult, RunInput, evaluate
from command_center.store import (
    Repository,
    Session,
    Task,
    Transaction,
    Writer,
    repositories,
    sessions,
)
from tests.actors.rows import NO_PLACES, insert_repository, insert_task
from tests.actors.rules.test_policy import MAIN, runs
from tests.actors.rules.test_policy import repositories as some_repositories
from tests.actors.rules.test_policy import tasks as some_tasks
from tests.actors.sessions.units import done, writer

__all__ = ["writer"]

FLAGS = ("allow_write", "allow_network", "allow_commit", "require_worktree")
ALL = {"allow_write": True, "allow_network": True, "allow_commit": True}


def stored(tx: Transaction, repository: Repository, task: Task) -> tuple[Repository, Task]:
    """Rows like these."""
    flags = {name: getattr(repository, name) for name in FLAGS}
    kept = insert_repository(tx, local_path=MAIN, **flags)
    return kept, insert_task(tx, kept, approval_required=task.approval_required)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(repository=some_repositories, task=some_tasks, run=runs)
def test_a_run_is_denied_blocked_or_queued_as_policy_check_says(
    writer: Writer, repository: Repository, task: Task, run: RunInput
) -> None:
    def check(tx: Transaction) -> tuple[PolicyResult, Task]:
        kept_repository, kept = stored(tx, repository, task)
        return evaluate(kept_repository, kept, run), kept  # what `policy-check` answers

    def begin(tx: Transaction) -> RunOutcome:
        return run_task(tx, kept.id, run, places=NO_PLACES, runner="stub", approval_seconds=60)

    checked, kept = done(writer, check)
    if checked.decision == "deny":
        with pytest.raises(PolicyDenied) as denied:
            done(writer, begin)
        assert checked == denied.value.result
        assert [] == done(writer, lambda tx: sessions.every(tx.db, {"task_id": kept.id}))
        return
    outcome = done(writer, begin)
    assert checked == outcome.policy
    assert (checked.decision == "needs_approval") == outcome.blocked
    assert ("blocked" if outcome.blocked else "queued") == outcome.session.status
    asked = {approval.details["code"] for approval in outcome.approvals}
    assert {reason.code for reason in checked.approvals} == asked
    got = checked.run
    assert got is not None
    assert (got.sandbox, got.allow_network, got.allow_commit) == (
        outcome.session.sandbox,
        outcome.session.allow_network,
        outcome.session.allow_commit,
    )


TIGHTENED = pytest.mark.parametrize(
    ("change", "run", "code"),
    [
        ({"allow_write": False}, {"sandbox": "workspace-write"}, "write_not_allowed"),
        ({"allow_network": False}, {"allow_network": True}, "network_not_allowed"),
        ({"allow_commit": False}, {"allow_commit": True}, "commit_not_allowed"),
        ({"allow_write": False}, {"sandbox": "danger-full-access"}, "full_access_not_allowed"),
        ({"require_worktree": True}, {"worktree_path": MAIN}, "main_checkout_not_allowed"),
    ],
)


def session_in(tx: Transaction, status: str, run: RunInput) -> Session:
    """A session of a repository that allows all, on its way."""
    repository = insert_repository(tx, local_path=MAIN, **ALL)
    task = insert_task(tx, repository, approval_required=status == "blocked")
    session = create_session(tx, task.id, run, runner="stub")
    if status != "created":
        session = admit(tx, session.id, actor="test", approval_seconds=60)
    return session


@TIGHTENED
@pytest.mark.parametrize("status", ["created", "queued", "blocked"])
def test_a_repository_that_allows_less_by_now_denies_the_next_step_and_says_why(
    writer: Writer, status: str, change: dict[str, Any], run: dict[str, Any], code: str
) -> None:
    def build(tx: Transaction) -> Session:
        session = session_in(tx, status, RunInput(**run))
        repositories.update(tx, session.repository_id, **change)
        return session

    session = done(writer, build)
    for begin in (None, "this process"):
        with pytest.raises(PolicyDenied) as denied:
            done(
                writer,
                partial(
                    admit,
                    session_id=session.id,
                    actor="test",
                    approval_seconds=60,
                    begin=begin,
                ),
            )
        result: PolicyResult = denied.value.result
        assert code in [reason.code for reason in result.reasons]
    assert session.status == done(writer, lambda tx: sessions.get(tx.db, session.id)).status


def test_an_approval_that_a_task_needs_by_now_blocks_a_session_that_was_queued(
    writer: Writer,
) -> None:
    def unit(tx: Transaction) -> Session:
        session = session_in(tx, "queued", RunInput())
        tx.db.execute("UPDATE tasks SET approval_required = 1 WHERE id = ?", [session.task_id])
        return admit(tx, session.id, actor="test", approval_seconds=60, begin="this process")

    assert "blocked" == done(writer, unit).status
