"""The rights that a run gets, and those that it never gets."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_center.actors.rules.errors import Invalid
from command_center.actors.rules.policy import (
    SANDBOXES,
    VERDICTS,
    PolicyResult,
    RunInput,
    evaluate,
    run_of,
)
from command_center.store import Repository, Session, Task

ROOT = Path.cwd().anchor
MAIN = str(Path(ROOT, "code", "project"))
TREE = str(Path(ROOT, "trees", "one"))
AT = "2025-01-31T07:05:09.120Z"


def a_repository(**fields: Any) -> Repository:
    return Repository(id=1, created_at=AT, updated_at=AT, name="project", local_path=MAIN, **fields)


def a_task(*, approval_required: bool = False, **fields: Any) -> Task:
    return Task(
        **fields,
        id=2,
        created_at=AT,
        updated_at=AT,
        repository_id=1,
        title="Look",
        prompt="Look at it.",
        requested_by="test",
        correlation_id="c",
        approval_required=approval_required,
    )


WORKTREES = a_repository(allow_write=True, workplace="worktree")
"""A repository in whose main checkout a run works only where it says so."""


def codes(result: PolicyResult) -> list[str]:
    return [reason.code for reason in result.reasons]


flags = st.booleans()
repositories = st.builds(
    a_repository,
    allow_write=flags,
    allow_network=flags,
    allow_commit=flags,
    require_worktree=flags,
    workplace=st.sampled_from(["worktree", "main_checkout"]),
)
tasks = st.builds(
    a_task, approval_required=flags, type=st.sampled_from(["prompt_task", "review_task"])
)
runs = st.builds(
    RunInput,
    model=st.none() | st.just("gpt"),
    sandbox=st.none() | st.sampled_from(SANDBOXES),
    worktree_path=st.none() | st.sampled_from([MAIN, MAIN + os.sep, TREE]),
    branch_name=st.none() | st.just("cc/work"),
    workplace=st.none() | st.sampled_from(["worktree", "main_checkout"]),
    allow_network=st.none() | flags,
    allow_commit=st.none() | flags,
).filter(lambda run: run.worktree_path is None or run.workplace != "main_checkout")


def powers(result: PolicyResult) -> frozenset[str]:
    """Return what the run can do in fact, once its approvals are given."""
    if result.run is None:
        return frozenset()
    run = result.run
    if run.sandbox == "danger-full-access":
        return frozenset({"write", "network", "commit", "outside"})
    held = {"write"} if run.sandbox == "workspace-write" else set()
    held |= {"network"} if run.allow_network else set()
    held |= {"commit"} if run.allow_commit else set()
    held |= {"main"} if run.worktree == "none" and "write" in held else set()
    return frozenset(held)


def powers_at_once(result: PolicyResult) -> frozenset[str]:
    """Return what it can do without anybody's approval."""
    return powers(result) if result.decision == "allow" else frozenset()


@given(repositories, tasks, runs)
def test_no_combination_gives_a_run_more_than_its_repository_allows(
    repository: Repository, task: Task, run: RunInput
) -> None:
    got = powers(evaluate(repository, task, run))

    assert repository.allow_write or "write" not in got
    assert repository.allow_network or "network" not in got
    assert repository.allow_commit or "commit" not in got
    assert not repository.require_worktree or "main" not in got
    result = evaluate(repository, task, run).run
    assert not repository.require_worktree or result is None or result.worktree != "none"


@given(repositories, tasks, runs)
def test_no_combination_gives_a_run_more_than_it_asks_for(
    repository: Repository, task: Task, run: RunInput
) -> None:
    got = powers(evaluate(repository, task, run))

    if run.sandbox == "read-only":
        assert "write" not in got
        assert "commit" not in got
    assert run.workplace != "worktree" or "main" not in got
    if run.sandbox != "danger-full-access":
        assert "outside" not in got
        assert run.allow_network is not False or "network" not in got
        assert run.allow_commit is not False or "commit" not in got


@given(repositories, tasks, runs)
def test_full_access_and_a_careful_task_always_need_an_approval(
    repository: Repository, task: Task, run: RunInput
) -> None:
    result = evaluate(repository, task, run)

    if run.sandbox == "danger-full-access" or task.approval_required:
        assert result.decision != "allow"


TIGHTER = st.sampled_from(
    ["allow_write", "allow_network", "allow_commit", "require_worktree", "approval_required"]
)


@given(repositories, tasks, runs, TIGHTER)
def test_tightening_a_repository_or_a_task_never_loosens_the_result(
    repository: Repository, task: Task, run: RunInput, what: str
) -> None:
    before = evaluate(repository, task, run)
    if what == "approval_required":
        after = evaluate(repository, a_task(approval_required=True, type=task.type), run)
    else:
        tighter = msgspec.structs.replace(repository, **{what: what == "require_worktree"})
        after = evaluate(tighter, task, run)

    assert powers(after) <= powers(before)
    assert powers_at_once(after) <= powers_at_once(before)


@given(repositories, tasks, runs, st.sampled_from(["sandbox", "allow_network", "allow_commit"]))
def test_a_run_that_asks_for_less_gets_no_more_and_is_not_denied_for_it(
    repository: Repository, task: Task, run: RunInput, what: str
) -> None:
    before = evaluate(repository, task, run)
    tighter: dict[str, object] = {name: getattr(run, name) for name in run.__struct_fields__}
    if what == "sandbox":
        tighter["sandbox"] = "read-only"
    else:
        tighter[what] = False
    after = evaluate(repository, task, RunInput(**tighter))  # type: ignore[arg-type]

    if before.decision != "deny":
        assert after.decision != "deny"
        assert powers(after) - {"main"} <= powers(before)


@given(repositories, tasks, runs)
def test_the_decision_is_that_of_the_strictest_reason(
    repository: Repository, task: Task, run: RunInput
) -> None:
    result = evaluate(repository, task, run)
    verdicts = {VERDICTS[code] for code in codes(result)} | {"allow"}

    assert result.decision == max(verdicts, key=["allow", "needs_approval", "deny"].index)
    assert (result.run is None) == (result.decision == "deny")
    assert bool(result.approvals) >= (result.decision == "needs_approval")
    assert all(reason.message.endswith(".") for reason in result.reasons)


@given(repositories, tasks, runs)
def test_a_session_made_of_a_run_is_judged_like_the_run(
    repository: Repository, task: Task, run: RunInput
) -> None:
    first = evaluate(repository, task, run)
    if first.run is None:
        return
    session = Session(
        id=3,
        created_at=AT,
        updated_at=AT,
        task_id=2,
        repository_id=1,
        status="created",
        runner="stub",
        model=first.run.model,
        sandbox=first.run.sandbox,
        allow_network=first.run.allow_network,
        allow_commit=first.run.allow_commit,
        cwd=first.run.worktree_path or MAIN,
        worktree_path=first.run.worktree_path,
        branch_name=first.run.branch_name,
        workplace="main_checkout" if first.run.worktree == "none" else "worktree",
        prompt="Look at it.",
        priority="normal",
        requested_by="test",
        correlation_id="c",
    )

    again = evaluate(repository, task, run_of(session))

    assert again.decision == first.decision
    assert [r.code for r in again.approvals] == [r.code for r in first.approvals]
    assert powers(again) == powers(first)
    assert again.run is not None
    assert again.run.worktree == first.run.worktree


@pytest.mark.parametrize(
    ("repository", "run", "expected"),
    [
        (a_repository(), RunInput(), "read-only"),
        (a_repository(allow_write=True), RunInput(), "workspace-write"),
        (a_repository(allow_write=True), RunInput(sandbox="read-only"), "read-only"),
    ],
)
def test_a_sandbox_that_is_left_out_is_what_the_repository_allows(
    repository: Repository, run: RunInput, expected: str
) -> None:
    result = evaluate(repository, a_task(), run)

    assert result.run is not None
    assert expected == result.run.sandbox


@pytest.mark.parametrize(
    ("repository", "run", "expected"),
    [
        (a_repository(), RunInput(sandbox="workspace-write"), ["write_not_allowed"]),
        (a_repository(), RunInput(allow_network=True), ["network_not_allowed"]),
        (
            a_repository(allow_write=True),
            RunInput(allow_commit=True, allow_network=True),
            ["network_not_allowed", "commit_not_allowed"],
        ),
        (
            a_repository(allow_write=True, allow_network=True),
            RunInput(sandbox="danger-full-access"),
            ["full_access_not_allowed", "full_access_needs_approval"],
        ),
        (
            a_repository(require_worktree=True),
            RunInput(worktree_path=MAIN + os.sep),
            ["main_checkout_not_allowed"],
        ),
        (a_repository(require_worktree=True), RunInput(), ["worktree_automatic"]),
        (a_repository(require_worktree=True), RunInput(worktree_path=TREE), []),
        (a_repository(), RunInput(branch_name="cc/work"), ["worktree_automatic"]),
        (a_repository(), RunInput(workplace="worktree"), ["worktree_automatic"]),
        (WORKTREES, RunInput(), ["worktree_automatic"]),
        (WORKTREES, RunInput(sandbox="read-only"), []),
        (WORKTREES, RunInput(sandbox="read-only", workplace="worktree"), ["worktree_automatic"]),
        (WORKTREES, RunInput(workplace="main_checkout"), []),
        (WORKTREES, RunInput(worktree_path=MAIN), []),
        (WORKTREES, RunInput(worktree_path=TREE), []),
        (
            a_repository(require_worktree=True),
            RunInput(workplace="main_checkout"),
            ["main_checkout_not_allowed"],
        ),
        (
            a_repository(),
            RunInput(workplace="worktree", worktree_path=MAIN),
            ["main_checkout_not_allowed"],
        ),
        (
            a_repository(allow_write=True, allow_commit=True),
            RunInput(sandbox="read-only", allow_commit=True),
            ["commit_needs_write"],
        ),
        (
            a_repository(allow_write=True, allow_network=True, allow_commit=True),
            RunInput(sandbox="danger-full-access", allow_network=False),
            ["full_access_needs_approval", "full_access_ignores_limits"],
        ),
    ],
)
def test_each_rule_gives_its_code(
    repository: Repository, run: RunInput, expected: list[str]
) -> None:
    assert expected == codes(evaluate(repository, a_task(), run))


@pytest.mark.parametrize(
    ("run", "field", "expected"),
    [
        (RunInput(worktree_path="relative"), "worktreePath", "not an absolute path"),
        (RunInput(worktree_path=""), "worktreePath", "empty"),
        (RunInput(branch_name="--output=x"), "branchName", "not a branch name"),
        (RunInput(branch_name="a..b"), "branchName", "not a branch name"),
        (RunInput(workplace="main_checkout", worktree_path=TREE), "workplace", "not by both"),
    ],
)
def test_a_run_that_names_what_cannot_be_is_refused_whatever_is_allowed(
    run: RunInput, field: str, expected: str
) -> None:
    with pytest.raises(Invalid, match=expected) as refused:
        evaluate(a_repository(), a_task(), run)

    assert field == refused.value.details[0]["path"]


@pytest.mark.skipif(os.name == "nt", reason="there it is a path")
def test_a_windows_path_of_a_run_is_refused_as_one() -> None:
    with pytest.raises(Invalid, match="Windows path"):
        evaluate(a_repository(), a_task(), RunInput(worktree_path=r"C:\worktrees\cc-review"))


@pytest.mark.parametrize("kind", ["review_task", "repo_health_check", "investigate_failure"])
def test_what_reports_on_a_checkout_works_in_it_unless_the_run_says_otherwise(kind: str) -> None:
    report = a_task(type=kind)

    assert [] == codes(evaluate(WORKTREES, report, RunInput()))
    own = evaluate(WORKTREES, report, RunInput(workplace="worktree"))
    assert ["worktree_automatic"] == codes(own)
