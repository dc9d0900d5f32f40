"""Worktrees that are cleaned up, and those that stay."""

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest
import trio

from command_center.actors.contracts.addresses import REPOSITORIES
from command_center.actors.contracts.worktrees import (
    CleanWorktrees,
    CreateWorktree,
    ListWorktrees,
    RemoveWorktree,
    TidyWorktrees,
    WorktreeRequest,
)
from command_center.actors.repositories import tidying, worktree_checks
from command_center.actors.rules.errors import Conflict, Unavailable
from tests.actors.git.repository import commit, make_repository, plain_git
from tests.actors.repositories.rig import Rig, open_rig


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent has less time to say that a turn has ended than in earnest, and is asked sooner."""
    monkeypatch.setattr(worktree_checks, "ENDING_SECONDS", 0.3)
    monkeypatch.setattr(tidying, "TIDY", attrs.evolve(tidying.TIDY, initial=0.05))


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with open_rig(tmp_path / "rig") as rig:
        yield rig


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "project")


async def test_only_worktrees_that_nobody_needs_are_cleaned_up(
    rig: Rig, project: Path, tmp_path: Path
) -> None:
    repository = await rig.register(project)
    done, dirty, ahead, busy = [
        await rig.make_worktree(repository, name) for name in ("done", "dirty", "ahead", "busy")
    ]
    wanted = WorktreeRequest(branch_name="mine", path=str(tmp_path / "mine"))
    await rig.ask(CreateWorktree(repository.id, wanted))
    (Path(dirty.path) / "new.txt").write_text("new\n", encoding="utf-8")
    commit(Path(ahead.path), {"ahead.txt": "1\n"})
    await rig.start_session(repository, cwd=busy.path, worktree_path=busy.path)

    cleaned = await rig.ask(CleanWorktrees(repository.id))

    assert [done.path] == [entry.path for entry in cleaned.items]
    left = {state.branch_name for state in await rig.ask(ListWorktrees(repository.id))}
    assert {"main", "dirty", "ahead", "busy", "mine"} == left


async def test_a_worktree_with_a_repository_in_it_stays_unless_by_force(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    worktree = Path((await rig.make_worktree(repository)).path)
    inner = make_repository(worktree / "inner")
    commit(worktree, {})  # git takes it in as a link to its commit
    plain_git(project, "merge", "--quiet", "work")
    (inner / "readme.txt").write_text("not committed\n", encoding="utf-8")
    assert "" == plain_git(worktree, "status", "--porcelain", "--ignore-submodules=dirty")

    assert [] == (await rig.ask(CleanWorktrees(repository.id))).items
    with pytest.raises(Conflict, match="a repository of its own"):
        await rig.ask(RemoveWorktree(repository.id, str(worktree)))
    assert "not committed\n" == (inner / "readme.txt").read_text(encoding="utf-8")
    await rig.ask(RemoveWorktree(repository.id, str(worktree), force=True))
    assert not worktree.exists()


async def test_a_submodule_that_was_not_checked_out_keeps_no_worktree(
    rig: Rig, project: Path
) -> None:
    inner = make_repository(project / "inner")
    commit(project, {})
    repository = await rig.register(project)
    worktree = Path((await rig.make_worktree(repository)).path)
    assert not (worktree / "inner" / ".git").exists()
    assert inner.exists()
    cleaned = await rig.ask(CleanWorktrees(repository.id))
    assert [str(worktree)] == [entry.path for entry in cleaned.items]


async def test_nothing_is_deleted_in_which_a_turn_runs_that_no_session_knows_of(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    worktree = await rig.make_worktree(repository)
    below = Path(worktree.path) / "below"
    below.mkdir()
    rig.turns.folders = [str(below)]

    assert [] == (await rig.ask(CleanWorktrees(repository.id))).items
    for force in (False, True):
        with pytest.raises(Conflict, match="A turn of Codex runs in"):
            await rig.ask(RemoveWorktree(repository.id, worktree.path, force=force))
    assert below.exists()

    rig.turns.folders = []
    assert [worktree.path] == [
        entry.path for entry in (await rig.ask(CleanWorktrees(repository.id))).items
    ]


async def test_where_nobody_can_say_which_turns_run_only_force_deletes(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project)
    worktree = await rig.make_worktree(repository)
    rig.turns.are_known = False

    with pytest.raises(Unavailable, match="Codex is away"):
        await rig.ask(CleanWorktrees(repository.id))
    with pytest.raises(Unavailable, match="add force=true"):
        await rig.ask(RemoveWorktree(repository.id, worktree.path))
    assert Path(worktree.path).exists()
    await rig.ask(RemoveWorktree(repository.id, worktree.path, force=True))
    assert not Path(worktree.path).exists()


async def test_what_was_made_for_a_run_is_tidied_up_once_no_turn_runs_there(
    rig: Rig, project: Path
) -> None:
    repository = await rig.register(project, allow_write=True)
    session = await rig.prepare((await rig.start_run(repository)).id)
    await rig.end_run(session)
    rig.turns.folders = [session.cwd]
    repositories = rig.system.lookup(REPOSITORIES)

    await repositories.tell(TidyWorktrees(repository.id))
    await rig.turns.until_asked(2)
    rig.turns.are_known = False
    await rig.turns.until_asked(1)
    assert Path(session.cwd).exists()

    rig.turns.folders, rig.turns.are_known = [], True
    await rig.turns.until_asked(1)
    with trio.fail_after(30):
        while "worktree.removed" not in await rig.kinds():  # noqa: ASYNC110 - it is read
            await trio.sleep(0.05)
    assert not Path(session.cwd).exists()
    origins = {told["type"]: told["correlationId"] for told in await rig.events()}
    assert origins["worktree.created"] is not None
    assert origins["worktree.created"] == origins["worktree.removed"]
